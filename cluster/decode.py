"""From the API's JSON to structs: quick where it is as expected, forgiving where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import msgspec
from msgspec import Struct

from cluster.event_objects import NewEvent, core_event
from cluster.objects import Event, KubeObject

T = TypeVar("T", bound=KubeObject)


class ListMetadata(Struct, frozen=True):
    """`continue` is the token of the next page, '' on the last."""

    token: str = msgspec.field(name="continue", default="")
    version: str = msgspec.field(name="resourceVersion", default="")


class ObjectList(Struct, Generic[T], frozen=True):
    """One page of a list."""

    metadata: ListMetadata = msgspec.field(default_factory=ListMetadata)
    items: list[T] | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One decoded page.

    Attributes:
        unreadable: How many objects fitted no struct and were left out.
        version: The list's resourceVersion, from which a watch goes on.
    """

    items: list[T]
    next_token: str
    unreadable: int = 0
    version: str = ""


def decode_page(raw: bytes, struct: type[T]) -> Page[T]:
    """Decode one page of a list: 500 pods, 2.7 MB, in 5 ms.

    Raises:
        msgspec.ValidationError: Not all of it fits; `decode_leniently` takes what does.
        ValueError: It is not JSON.
    """
    page = msgspec.json.decode(raw, type=ObjectList[struct])  # type: ignore[valid-type]
    return Page(page.items or [], page.metadata.token, version=page.metadata.version)


class _WatchLine(Struct, frozen=True):
    """A line of a watch: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR with its object."""

    type: str
    object: msgspec.Raw


class _Position(Struct, frozen=True):
    metadata: ListMetadata = msgspec.field(default_factory=ListMetadata)
    code: int = 0


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """A line of a watch, decoded.

    Attributes:
        type: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.
        obj: None for the last two, and for an object that fits no struct.
        version: The resourceVersion that was reached.
        code: The HTTP status of an ERROR, else 0.
    """

    type: str
    obj: T | None
    version: str
    code: int = 0


def decode_change(line: bytes, struct: type[T]) -> Change[T]:
    """Decode a line of a watch.

    Raises:
        ValueError: It is not JSON, or no change.
    """
    found = msgspec.json.decode(line, type=_WatchLine)
    position = msgspec.json.decode(found.object, type=_Position)
    obj: T | None = None
    if found.type not in {"BOOKMARK", "ERROR"}:
        try:
            obj = convert(msgspec.json.decode(found.object), struct)
        except msgspec.ValidationError:
            obj = None
    return Change(found.type, obj, position.metadata.version, position.code)


def decode_leniently(raw: bytes, struct: type[T]) -> Page[T]:
    """Object by object, `null` read as absent: one odd object must not hide the others.

    It takes some twenty times as long as `decode_page`.

    Raises:
        ValueError: It is not a list of objects.
    """
    plain: Any = msgspec.json.decode(raw)
    if not isinstance(plain, dict) or not isinstance(plain.get("items"), list):
        raise ValueError("not a list of objects")  # noqa: TRY004 (one kind of error for the caller)
    items: list[T] = []
    unreadable = 0
    for item in plain["items"]:
        try:
            items.append(convert(item, struct))
        except ValueError:
            unreadable += 1
    metadata = plain.get("metadata") or {}
    if not isinstance(metadata, dict):
        metadata = {}
    token, version = metadata.get("continue"), metadata.get("resourceVersion")
    return Page(items, token or "", unreadable, version or "")


def convert(plain: object, struct: type[T]) -> T:
    """One object from plain JSON values; an Event may have the form of either API.

    Raises:
        ValueError: It does not fit the struct (msgspec.ValidationError is one).
    """
    plain = _without_nulls(plain)
    if struct is Event and isinstance(plain, dict) and "regarding" in plain:
        return cast("T", core_event(msgspec.convert(plain, type=NewEvent, strict=False)))
    return msgspec.convert(plain, type=struct, strict=False)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value if inner is not None]
    return value

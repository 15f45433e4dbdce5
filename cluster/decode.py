"""From the API's JSON to structs: quick where it is as expected, forgiving where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from cluster.objects import KubeObject

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
    """Decode one page of a list.

    Raises:
        ValueError: It is not JSON, or not a list of objects.
    """
    try:
        page = msgspec.json.decode(raw, type=ObjectList[struct])  # type: ignore[valid-type]
    except msgspec.ValidationError:
        return _decode_leniently(raw, struct)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    return Page(page.items or [], page.metadata.token, version=page.metadata.version)


def _decode_leniently(raw: bytes, struct: type[T]) -> Page[T]:
    """Object by object, `null` read as absent: one odd object must not hide the others."""
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
    """One object from plain JSON values.

    Raises:
        ValueError: It does not fit the struct (msgspec.ValidationError is one).
    """
    return msgspec.convert(_without_nulls(plain), type=struct, strict=False)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value if inner is not None]
    return value

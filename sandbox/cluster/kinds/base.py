"""What every kind shares: metadata, owners, names, times."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from sandbox.cluster.resources import Obj

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # What Kubernetes makes random names of: no words appear.


def stamp(at: datetime) -> str:
    """A time as the API writes it, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def micro_stamp(at: datetime) -> str:
    """A time as the API writes a MicroTime."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def parse_stamp(text: str) -> datetime:
    """The time of either stamp."""
    return datetime.fromisoformat(text)


def number(*parts: object) -> int:
    """A large number that is always the same for the same parts."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def suffix(*parts: object, length: int = 5) -> str:
    """Random-looking letters of a generated name, always the same for the same parts."""
    value = number("suffix", *parts)
    letters = []
    for _ in range(length):
        value, index = divmod(value, len(_LETTERS))
        letters.append(_LETTERS[index])
    return "".join(letters)


def hex_id(*parts: object) -> str:
    """64 hexadecimal digits, as container and image ids have."""
    return hashlib.sha256("/".join(str(part) for part in parts).encode()).hexdigest()


def metadata(
    kind: str,
    name: str,
    created: datetime,
    *,
    namespace: str = "",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    owner: Obj | None = None,
    generate_name: str = "",
    generation: int | None = None,
) -> Obj:
    """An object's metadata; `signed` adds who wrote to it."""
    made: Obj = {"name": name}
    if generate_name:
        made["generateName"] = generate_name
    if namespace:
        made["namespace"] = namespace
    made["uid"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{namespace}/{name}/{stamp(created)}"))
    made["creationTimestamp"] = stamp(created)
    if generation is not None:
        made["generation"] = generation
    if labels:
        made["labels"] = dict(labels)
    if annotations:
        made["annotations"] = dict(annotations)
    if owner is not None:
        made["ownerReferences"] = [owner_reference(owner)]
    return made


def signed(obj: Obj, *writers: tuple[str, datetime], subresource: str = "") -> Obj:
    """The object with field managers, each with the time of its last write; fields are left out."""
    entries: list[Obj] = [
        {
            "manager": manager,
            "operation": "Update",
            "apiVersion": obj["apiVersion"],
            "time": stamp(at),
            "fieldsType": "FieldsV1",
            "fieldsV1": {},
            **({"subresource": subresource} if subresource else {}),
        }
        for manager, at in writers
    ]
    told = obj["metadata"]
    known = [*told.get("managedFields", ()), *entries]
    return {**obj, "metadata": {**told, "managedFields": known}}


def owner_reference(owner: Obj) -> Obj:
    """A reference by which the owner controls an object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def object_reference(obj: Obj, field_path: str = "") -> Obj:
    """A reference as Events carry it."""
    made: Obj = {
        "kind": obj["kind"],
        "name": obj["metadata"]["name"],
        "uid": obj["metadata"]["uid"],
        "apiVersion": obj["apiVersion"],
    }
    if obj["metadata"].get("namespace"):
        made["namespace"] = obj["metadata"]["namespace"]
    if field_path:
        made["fieldPath"] = field_path
    return made


def condition(
    kind: str,
    status: str,
    at: datetime,
    reason: str = "",
    message: str = "",
    *,
    time_field: str = "",
) -> Obj:
    """A condition: True, False or Unknown; `time_field` names a second time where one exists."""
    made: Obj = {
        "type": kind,
        "status": status,
        "lastTransitionTime": stamp(at),
    }
    if time_field:
        made[time_field] = stamp(at)
    if reason:
        made["reason"] = reason
    if message:
        made["message"] = message
    return made


def set_condition(conditions: list[Obj], new: Obj) -> list[Obj]:
    """The conditions with one replaced or added; order is kept."""
    if any(each["type"] == new["type"] for each in conditions):
        return [new if each["type"] == new["type"] else each for each in conditions]
    return [*conditions, new]

"""Strict reading of Kubernetes manifests, by the typed models of its own Python client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubernetes_asyncio import client

_SCALARS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "datetime": (str,),
}


def problems(manifest: dict[str, Any]) -> list[str]:
    """What an API server would refuse or drop: unknown and missing fields, wrong types."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    model = f"{version.capitalize()}{manifest['kind']}"
    if not hasattr(client, model):
        return [f"{group}/{version} {manifest['kind']} is not a kind that Kubernetes serves"]
    return list(_walk(manifest, model, manifest["kind"]))


def _walk(value: Any, kind: str, path: str) -> Iterator[str]:
    if kind == "object" or value is None:
        return
    if kind.startswith("list["):
        if not isinstance(value, list):
            yield f"{path} is {value!r}, not a list"
            return
        for number, item in enumerate(value):
            yield from _walk(item, kind[5:-1], f"{path}[{number}]")
    elif kind.startswith("dict("):
        inner = kind[5:-1].partition(", ")[2]
        if not isinstance(value, dict):
            yield f"{path} is {value!r}, not a map"
            return
        for key, item in value.items():
            yield from _walk(item, inner, f"{path}.{key}")
    elif kind in _SCALARS:
        is_flag_as_number = isinstance(value, bool) and kind != "bool"
        if not isinstance(value, _SCALARS[kind]) or is_flag_as_number:
            yield f"{path} is {value!r}, not {kind}"
    else:
        yield from _object(value, getattr(client, kind), path)


def _object(value: Any, model: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is {value!r}, not an object"
        return
    fields = {json: name for name, json in model.attribute_map.items()}
    for json in value.keys() - fields.keys():
        yield f"{path} has no field {json}"
    known = {fields[json]: item for json, item in value.items() if json in fields}
    try:
        model(**known)  # complains of what is missing, and of words that are not allowed
    except ValueError as error:
        yield f"{path}: {error}"
    for json, item in value.items():
        if json in fields:
            yield from _walk(item, model.openapi_types[fields[json]], f"{path}.{json}")

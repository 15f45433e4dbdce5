"""A list as the API sends it: of whole objects, or of their metadata where that is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.cluster.resources import Obj, Resource

METADATA_ONLY = "as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_META_VERSION = "meta.k8s.io/v1"


def rendered(resource: Resource, metadata: Obj, items: Sequence[Obj], accept: str) -> Obj:
    """The list's JSON; `accept` is the request's header."""
    if METADATA_ONLY in accept:
        kind = {"kind": "PartialObjectMetadata", "apiVersion": _META_VERSION}
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": _META_VERSION,
            "metadata": metadata,
            "items": [{**kind, "metadata": obj["metadata"]} for obj in items],
        }
    return {
        "kind": f"{resource.kind}List",
        "apiVersion": resource.api_version,
        "metadata": metadata,
        # Items of a list carry no kind and apiVersion of their own, as with the real server.
        "items": [
            {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}
            for obj in items
        ],
    }

"""Who wrote to an object, and when: its field managers without the cluster's own controllers. Pure.

The API keeps one time a manager, its last: an earlier write by the same manager leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cluster.objects import KubeObject, TracedMetadata

# An object that follows from a write is made within seconds of it.
SAME_ACT = timedelta(seconds=60)
_CONTROLLERS = ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-apiserver")


@dataclass(frozen=True, slots=True)
class Author:
    """A field manager such as "kubectl-edit", with the time of its last write."""

    manager: str
    at: datetime
    subresource: str = ""


def authors(obj: KubeObject) -> list[Author]:
    """People's and tools' last writes to an object, oldest first; reports of status are none."""
    meta = obj.metadata
    if not isinstance(meta, TracedMetadata):
        return []
    found = [
        Author(entry.manager, entry.time, entry.subresource)
        for entry in meta.managed_fields
        if entry.time is not None
        and entry.subresource != "status"
        and not entry.manager.startswith(_CONTROLLERS)
    ]
    return sorted(found, key=lambda author: author.at)


def author_at(moment: datetime, known: Iterable[Author]) -> str:
    """Who wrote at about this moment, or ''."""
    near = [author for author in known if abs(author.at - moment) <= SAME_ACT]
    near.sort(key=lambda author: abs(author.at - moment))
    return near[0].manager if near else ""

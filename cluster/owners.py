"""Who stands behind an object: Pod → ReplicaSet → Deployment, Pod → Job → CronJob. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.objects import KubeObject, Metadata, OwnerReference, Pod
from core.findings import ObjectRef

MAX_STEPS = 6  # owners are two or three deep; a loop in broken data must end


def kind_of(obj: KubeObject) -> str:
    """The kind's name as the API says it."""
    return type(obj).__name__


def ref_of(cluster: str, obj: KubeObject) -> ObjectRef:
    """A reference to the object itself."""
    meta = obj.metadata
    return ObjectRef(cluster, kind_of(obj), meta.namespace, meta.name, meta.uid)


class OwnerIndex:
    """Finds owners among the objects of one cluster."""

    def __init__(self, cluster: str, objects: Iterable[KubeObject]) -> None:
        self._cluster = cluster
        self._by_uid: dict[str, KubeObject] = {}
        self._by_name: dict[tuple[str, str, str], KubeObject] = {}
        for obj in objects:
            meta = obj.metadata
            if meta.uid:
                self._by_uid[meta.uid] = obj
            self._by_name[kind_of(obj), meta.namespace, meta.name] = obj

    def find(self, kind: str, namespace: str, name: str) -> KubeObject | None:
        """The object of this kind, namespace and name, if it was read."""
        return self._by_name.get((kind, namespace, name))

    def has_uid(self, uid: str) -> bool:
        """Whether the object with this uid was read."""
        return uid in self._by_uid

    def chain(self, obj: KubeObject) -> list[ObjectRef]:
        """The object and its owners, top owner last; at least the object itself."""
        refs = [ref_of(self._cluster, obj)]
        current: KubeObject | None = obj
        while current is not None and len(refs) < MAX_STEPS:
            reference = _controller(current.metadata) or self._by_ordinal(current)
            if reference is None:
                break
            namespace = current.metadata.namespace
            below = current
            current = self._by_uid.get(reference.uid) if reference.uid else None
            if current is None:
                current = self.find(reference.kind, namespace, reference.name)
            if current is not None:
                refs.append(ref_of(self._cluster, current))
            else:
                refs.append(self._unread(reference, below.metadata))
        return refs

    def top(self, obj: KubeObject) -> ObjectRef:
        """The top owner, or the object itself."""
        return self.chain(obj)[-1]

    def _by_ordinal(self, obj: KubeObject) -> OwnerReference | None:
        """A pod without owners that is called as a StatefulSet's: the set will adopt it."""
        stem, _, ordinal = obj.metadata.name.rpartition("-")
        if not isinstance(obj, Pod) or not ordinal.isdecimal():
            return None
        found = self.find("StatefulSet", obj.metadata.namespace, stem)
        return OwnerReference("StatefulSet", stem, controller=True) if found else None

    def _unread(self, reference: OwnerReference, below: Metadata) -> ObjectRef:
        """An owner that was not read. A ReplicaSet's name still tells its Deployment."""
        suffix = "-" + below.labels.get("pod-template-hash", "")
        if reference.kind == "ReplicaSet" and len(suffix) > 1 and reference.name.endswith(suffix):
            name = reference.name.removesuffix(suffix)
            return ObjectRef(self._cluster, "Deployment", below.namespace, name)
        return ObjectRef(
            self._cluster, reference.kind, below.namespace, reference.name, reference.uid
        )


def _controller(meta: Metadata) -> OwnerReference | None:
    """The managing owner. A Node owns static pods, which are nobody's workload: they stay bare."""
    owners = [owner for owner in meta.owner_references if owner.kind != "Node"]
    managing = [owner for owner in owners if owner.controller]
    return next(iter(managing or owners), None)

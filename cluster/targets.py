"""Which objects a question speaks of. Pure."""

from __future__ import annotations

from cluster.kinds import BY_NAME
from cluster.network_objects import (
    HorizontalPodAutoscaler,
    Ingress,
    PersistentVolumeClaim,
    Service,
)
from cluster.objects import KubeObject, Node, Pod
from cluster.owners import kind_of
from cluster.snapshot import Snapshot
from cluster.workload_objects import (
    CronJob,
    DaemonSet,
    Deployment,
    Job,
    ReplicaSet,
    StatefulSet,
)
from core.findings import ObjectRef
from core.questions import Reading

# In this order they are told when several share a name.
NAMED_KINDS: tuple[type[KubeObject], ...] = (
    Deployment,
    StatefulSet,
    DaemonSet,
    CronJob,
    Node,
    Service,
    PersistentVolumeClaim,
    HorizontalPodAutoscaler,
    Ingress,
)
OWNED_KINDS: tuple[type[KubeObject], ...] = (Pod, Job, ReplicaSet)


def targets(snapshot: Snapshot, reading: Reading) -> list[KubeObject]:
    """The objects that a question names, in the order of its names.

    A pod, job or ReplicaSet leads to its top owner as well, which is told first. Namespaces narrow
    the choice where something is left of it.
    """
    found: dict[int, KubeObject] = {}
    for name in reading.names:
        namespace, _, bare = name.rpartition("/")
        matches = _matches(snapshot, bare.lower())
        spaces = {namespace} if namespace else set(reading.namespaces)
        inside = [obj for obj in matches if obj.metadata.namespace in spaces]
        for obj in inside or ([] if namespace else matches):
            found[id(obj)] = obj
    return list(found.values())


def names_of(snapshot: Snapshot) -> frozenset[str]:
    """Every name that a question may use for something in this cluster."""
    names = {obj.metadata.name for struct in NAMED_KINDS for obj in snapshot.of(struct)}
    names |= {snapshot.owner(pod).name for pod in snapshot.of(Pod)}
    names |= {obj.metadata.name for struct in OWNED_KINDS for obj in snapshot.of(struct)}
    return frozenset(names) | namespaces_of(snapshot)


def namespaces_of(snapshot: Snapshot) -> frozenset[str]:
    """Namespaces with at least one object in them."""
    return frozenset(
        obj.metadata.namespace
        for items in snapshot.objects.values()
        for obj in items
        if obj.metadata.namespace
    )


def named(ref: ObjectRef, obj: KubeObject) -> bool:
    """Whether the reference means this object."""
    meta = obj.metadata
    return (ref.kind, ref.namespace, ref.name) == (kind_of(obj), meta.namespace, meta.name)


def _matches(snapshot: Snapshot, name: str) -> list[KubeObject]:
    found: list[KubeObject] = []
    for struct in NAMED_KINDS:
        found += [obj for obj in snapshot.of(struct) if obj.metadata.name.lower() == name]
    for struct in OWNED_KINDS:
        for obj in snapshot.of(struct):
            if obj.metadata.name.lower() != name:
                continue
            top = snapshot.owner(obj)
            owner = (
                snapshot.find(top.kind, top.namespace, top.name) if top.kind in BY_NAME else None
            )
            found += [owner] if owner is not None and owner is not obj else []
            found.append(obj)
    return found

"""What a Deployment's last rollout changed, read from its ReplicaSets. Pure."""

from __future__ import annotations

from datetime import datetime

from cluster.snapshot import Snapshot
from cluster.workload_objects import Deployment, ReplicaSet

REVISION = "deployment.kubernetes.io/revision"


def revisions(snapshot: Snapshot, deployment: Deployment) -> list[ReplicaSet]:
    """The Deployment's ReplicaSets, newest revision first."""
    own = [
        replica_set
        for replica_set in snapshot.of(ReplicaSet)
        if replica_set.metadata.namespace == deployment.metadata.namespace
        and any(
            owner.name == deployment.metadata.name and owner.kind == "Deployment"
            for owner in replica_set.metadata.owner_references
        )
    ]
    return sorted(own, key=_revision, reverse=True)


def image_change(snapshot: Snapshot, deployment: Deployment) -> str:
    """Each container whose image the last rollout changed: "payments: a:1 → a:2", or ''."""
    found = revisions(snapshot, deployment)
    if len(found) < 2:
        return ""
    before = _images(found[1])
    return ", ".join(
        f"{name}: {before.get(name, 'none')} → {image}"
        for name, image in _images(found[0]).items()
        if before.get(name) != image
    )


def rolled_out_at(snapshot: Snapshot, deployment: Deployment) -> datetime | None:
    """When the newest revision was made; for a rollback, when that template first came."""
    found = revisions(snapshot, deployment)
    return found[0].metadata.creation_timestamp if found else None


def _images(replica_set: ReplicaSet) -> dict[str, str]:
    spec = replica_set.spec.template.spec
    return {container.name: container.image for container in spec.init_containers + spec.containers}


def _revision(replica_set: ReplicaSet) -> int:
    text = replica_set.metadata.annotations.get(REVISION, "")
    return int(text) if text.isdigit() else 0

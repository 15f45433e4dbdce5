"""Volumes and their classes; see `cluster.objects` for the rules they share."""

from __future__ import annotations

from msgspec import field

from cluster.objects import InvolvedObject, KubeObject, Part


class VolumeSpec(Part, frozen=True):
    """Whose a volume is."""

    claim_ref: InvolvedObject | None = None
    storage_class_name: str = ""
    persistent_volume_reclaim_policy: str = ""


class VolumeStatus(Part, frozen=True):
    """Available, Bound, Released or Failed; `message` says why."""

    phase: str = ""
    reason: str = ""
    message: str = ""


class PersistentVolume(KubeObject, frozen=True):
    """core/v1 PersistentVolume."""

    spec: VolumeSpec = field(default_factory=VolumeSpec)
    status: VolumeStatus = field(default_factory=VolumeStatus)


class StorageClass(KubeObject, frozen=True):
    """storage.k8s.io/v1 StorageClass; that it is there is all that is asked."""

"""Reasons that several rules know: as the kubelet and the API write them."""

from __future__ import annotations

IMAGE_PULL_REASONS = frozenset(
    {
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RegistryUnavailable",
    }
)
CONFIG_REASONS = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "PreCreateHookError",
        "PreStartHookError",
        "RunContainerError",
    }
)
PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
CREATING_REASONS = frozenset({"ContainerCreating", "PodInitializing"})
STUCK_EVENTS = frozenset(
    {
        "FailedAttachVolume",
        "FailedCreatePodSandBox",
        "FailedMount",
        "FailedToRetrieveImagePullSecret",
    }
)

"""An image that cannot be pulled: what the container waits for and what the kubelet records."""

from __future__ import annotations

from datetime import datetime

from sandbox.cluster.kinds.events import event
from sandbox.cluster.kinds.podstatus import Doing, waiting
from sandbox.cluster.resources import Obj


def image_pull_events(
    pod: Obj, image: str, first: datetime, last: datetime, times: int
) -> list[Obj]:
    """What a kubelet records while a tag is not found."""
    host = pod["spec"]["nodeName"]
    container = pod["spec"]["containers"][0]["name"]
    missing = "rpc error: code = NotFound desc = failed to pull and unpack image"
    told = (
        ("Normal", "Pulling", f'Pulling image "{image}"', times),
        (
            "Warning",
            "Failed",
            (
                f'Failed to pull image "{image}": {missing} "{image}": failed to resolve reference '
                f'"{image}": {image}: not found'
            ),
            times,
        ),
        ("Warning", "Failed", "Error: ErrImagePull", times),
        ("Normal", "BackOff", f'Back-off pulling image "{image}"', times * 6),
        ("Warning", "Failed", "Error: ImagePullBackOff", times * 6),
    )
    return [
        event(
            pod,
            reason,
            message,
            first=first,
            last=last,
            count=count,
            kind=kind,
            host=host,
            container=container,
        )
        for kind, reason, message, count in told
    ]


def image_pull_failing(image: str) -> Doing:
    """A container whose image is not there."""
    return waiting(
        "ImagePullBackOff",
        f'Back-off pulling image "{image}": ErrImagePull: rpc error: code = NotFound desc = failed '
        f'to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: '
        "not found",
    )

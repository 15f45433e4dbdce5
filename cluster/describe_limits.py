"""Requests and limits of an object's containers, in a sentence and exactly. Pure."""

from __future__ import annotations

from cluster.objects import Container, KubeObject, Pod, PodSpec
from cluster.workload_objects import Job, Workload


def describe_limits(obj: KubeObject) -> list[str]:
    """Requests and limits of each container, exactly as the API states them."""
    spec = pod_spec(obj)
    if spec is None:
        return []
    return [_container(container) for container in spec.init_containers + spec.containers]


def limits_sentence(obj: KubeObject) -> str:
    """Limits and requests of an object's containers in one sentence, or ''."""
    spec = pod_spec(obj)
    if spec is None or not spec.containers:
        return ""
    name = obj.metadata.name
    told = []
    for container in spec.containers:
        limits, requests = container.resources.limits, container.resources.requests
        parts = [
            f"{_a_limit(label, limits.get(key))} (request {requests.get(key) or 'none'})"
            for key, label in (("memory", "memory"), ("cpu", "CPU"))
        ]
        who = "" if len(spec.containers) == 1 else f"container {container.name} "
        told.append(f"{who}{' and '.join(parts)}")
    if len(spec.containers) == 1:
        return f"{name} has {told[0]}."
    return f"{name}: {'; '.join(told)}."


def _a_limit(label: str, value: object) -> str:
    return f"no {label} limit" if value is None else f"a {label} limit of {value}"


def pod_spec(obj: KubeObject) -> PodSpec | None:
    """What the object's pods are made from; None for kinds without pods."""
    if isinstance(obj, Pod):
        return obj.spec
    if isinstance(obj, Workload | Job):
        return obj.spec.template.spec
    return None


def _container(container: Container) -> str:
    resources = container.resources
    parts = []
    for name in sorted({"cpu", "memory"} | resources.limits.keys() | resources.requests.keys()):
        limit = resources.limits.get(name)
        request = resources.requests.get(name)
        parts.append(
            f"{name} limit {'none' if limit is None else limit},"
            f" {name} request {'none' if request is None else request}"
        )
    return f"Container {container.name}: {'; '.join(parts)}; image {container.image}."

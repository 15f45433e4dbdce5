"""What differs between two pod templates, field by field. Pure.

Values of environment variables are compared and never told: only their names are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from cluster.sentences import image_name
from cluster.template_objects import (
    EnvFrom,
    EnvVar,
    FullTemplate,
    Probe,
    TemplateContainer,
    TemplateSpec,
)

T = TypeVar("T")

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
NONE = "none"
MAX_COMMAND_CHARS = 60
_PROBES = (
    ("liveness probe", "liveness_probe"),
    ("readiness probe", "readiness_probe"),
    ("startup probe", "startup_probe"),
)


def differences(before: FullTemplate, after: FullTemplate) -> list[str]:
    """Each field that differs, the most telling first: "image cart:1 → cart:2", "env + DEBUG"."""
    told = list(_containers(before.spec, after.spec))
    told += _settings(before.spec, after.spec)
    told += _annotations(before.metadata.annotations, after.metadata.annotations)
    return told


def _containers(before: TemplateSpec, after: TemplateSpec) -> Iterator[str]:
    old = {item.name: item for item in before.init_containers + before.containers}
    new = {item.name: item for item in after.init_containers + after.containers}
    is_one = len(new) == 1
    for name, container in new.items():
        prefix = "" if is_one else f"{name}: "
        if name not in old:
            yield f"container {name} added ({image_name(container.image)})"
            continue
        yield from (f"{prefix}{text}" for text in _container(old[name], container))
    yield from (f"container {name} removed" for name in old if name not in new)


def _container(before: TemplateContainer, after: TemplateContainer) -> Iterator[str]:
    if before.image != after.image:
        yield f"image {_images(before.image, after.image)}"
    for part in ("limits", "requests"):
        old, new = getattr(before.resources, part), getattr(after.resources, part)
        for name, was, now in _changed(old, new):
            word = "CPU" if name == "cpu" else name
            yield f"{word} {part.removesuffix('s')} {_or_none(was)} → {_or_none(now)}"
    for word, field in _PROBES:
        was, now = _probe(getattr(before, field)), _probe(getattr(after, field))
        if was != now:
            yield f"{word} {was} → {now}"
    for word, old_words, new_words in (
        ("command", before.command, after.command),
        ("args", before.args, after.args),
    ):
        if old_words != new_words:
            yield f"{word} {_command(old_words)} → {_command(new_words)}"
    yield from _env(before, after)


def _images(before: str, after: str) -> str:
    """Both images, without registry and folder where these are the same."""
    if before.rpartition("/")[0] == after.rpartition("/")[0]:
        return f"{image_name(before)} → {image_name(after)}"
    return f"{before} → {after}"


def _env(before: TemplateContainer, after: TemplateContainer) -> Iterator[str]:
    old = {item.name: item for item in before.env}
    new = {item.name: item for item in after.env}
    for name, was, now in _changed(old, new):
        if was is None:
            yield f"env + {name}"
        elif now is None:
            yield f"env - {name}"
        elif (source := _source(now)) != _source(was):
            yield f"env {name} now from {source or 'a plain value'}"
        else:
            yield f"env {name} has another value"
    sources = [_bulk(item) for item in before.env_from], [_bulk(item) for item in after.env_from]
    yield from (f"env + all of {name}" for name in sources[1] if name not in sources[0])
    yield from (f"env - all of {name}" for name in sources[0] if name not in sources[1])


def _source(variable: EnvVar) -> str:
    source = variable.value_from
    if source is None:
        return ""
    if source.config_map_key_ref:
        return f"ConfigMap {source.config_map_key_ref.name}"
    if source.secret_key_ref:
        return f"Secret {source.secret_key_ref.name}"
    return "the pod's own fields"


def _bulk(source: EnvFrom) -> str:
    if source.config_map_ref:
        return f"ConfigMap {source.config_map_ref.name}"
    return f"Secret {source.secret_ref.name if source.secret_ref else ''}".strip()


def _probe(probe: Probe | None) -> str:
    """A probe in a few words: "GET /ready on 8080 (timeout 1 s)"."""
    if probe is None:
        return NONE
    if probe.http_get:
        asks = f"GET {probe.http_get.path} on {probe.http_get.port}"
    elif probe.exec:
        asks = _command(probe.exec.command)
    elif probe.tcp_socket:
        asks = f"TCP {probe.tcp_socket.port}"
    else:
        asks = f"gRPC {probe.grpc.port}" if probe.grpc else "unknown"
    return (
        f"{asks} (delay {probe.initial_delay_seconds} s, every {probe.period_seconds} s, timeout"
        f" {probe.timeout_seconds} s, {probe.failure_threshold} tries)"
    )


def _settings(before: TemplateSpec, after: TemplateSpec) -> Iterator[str]:
    if before.service_account_name != after.service_account_name:
        names = (before.service_account_name or NONE, after.service_account_name or NONE)
        yield f"service account {' → '.join(names)}"
    for name, was, now in _changed(before.node_selector, after.node_selector):
        yield f"node selector {name} {_or_none(was)} → {_or_none(now)}"
    old, new = set(_mounted(before)), set(_mounted(after))
    yield from (f"volume + {name}" for name in sorted(new - old))
    yield from (f"volume - {name}" for name in sorted(old - new))


def _mounted(spec: TemplateSpec) -> Iterator[str]:
    """Every volume with what is behind it."""
    for volume in spec.volumes:
        if volume.config_map:
            yield f"{volume.name} (ConfigMap {volume.config_map.name})"
        elif volume.persistent_volume_claim:
            yield f"{volume.name} (claim {volume.persistent_volume_claim.claim_name})"
        else:
            yield volume.name


def _annotations(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """A restart by hand and changed checksums; what stands in an annotation is not told."""
    for name, _, now in _changed(before, after):
        if name == RESTARTED_AT:
            if now is not None:
                yield "restarted by hand (kubectl rollout restart)"
        else:
            yield f"annotation {name} changed"


def _changed(
    before: Mapping[str, T], after: Mapping[str, T]
) -> Iterator[tuple[str, T | None, T | None]]:
    for name in dict.fromkeys((*after, *before)):
        was, now = before.get(name), after.get(name)
        if was != now:
            yield name, was, now


def _or_none(value: object) -> str:
    return NONE if value is None else str(value)


def _command(words: tuple[str, ...]) -> str:
    text = " ".join(words)
    if len(text) > MAX_COMMAND_CHARS:
        text = text[: MAX_COMMAND_CHARS - 1] + "…"
    return f"`{text}`" if text else NONE


def config_maps_of(template: FullTemplate) -> frozenset[str]:
    """Names of the ConfigMaps that a template's pods read."""
    found: set[str] = set()
    spec = template.spec
    for container in spec.init_containers + spec.containers:
        found.update(item.config_map_ref.name for item in container.env_from if item.config_map_ref)
        found.update(
            item.value_from.config_map_key_ref.name
            for item in container.env
            if item.value_from and item.value_from.config_map_key_ref
        )
    for volume in spec.volumes:
        sources = volume.projected.sources if volume.projected else ()
        maps = [volume.config_map, *(source.config_map for source in sources)]
        found.update(item.name for item in maps if item)
    return frozenset(found)

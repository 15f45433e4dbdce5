"""Pod templates with all that rollouts change; see `cluster.objects` for the rules they share.

Everyday snapshots are decoded without it: a cluster has thousands of ReplicaSets, and their
variables and probes are of use only when somebody asks what changed in one namespace.
"""

from __future__ import annotations

from msgspec import field

from cluster.objects import Container, Metadata, Named, Part, PodSpec, Port, Volume


class KeyRef(Part, frozen=True):
    """A key of a ConfigMap or Secret."""

    name: str = ""
    key: str = ""


class ValueFrom(Part, frozen=True):
    """Where a variable's value comes from; a Secret is named and never read."""

    config_map_key_ref: KeyRef | None = None
    secret_key_ref: KeyRef | None = None


class EnvVar(Part, frozen=True):
    """A variable. `value` is there to be compared, never to be told."""

    name: str = ""
    value: str = ""
    value_from: ValueFrom | None = None


class EnvFrom(Part, frozen=True):
    """All keys of a ConfigMap or Secret as variables."""

    config_map_ref: Named | None = None
    secret_ref: Named | None = None


class HttpGet(Part, frozen=True):
    """A probe's request."""

    path: str = "/"
    port: Port = 0


class TcpSocket(Part, frozen=True):
    """A probe's connection; gRPC probes have the same shape."""

    port: Port = 0


class Exec(Part, frozen=True):
    """A probe's command."""

    command: tuple[str, ...] = ()


class Probe(Part, frozen=True):
    """How a container is asked for its health; times in seconds, as the API defaults them."""

    http_get: HttpGet | None = None
    tcp_socket: TcpSocket | None = None
    grpc: TcpSocket | None = None
    exec: Exec | None = None
    initial_delay_seconds: int = 0
    timeout_seconds: int = 1
    period_seconds: int = 10
    failure_threshold: int = 3


class TemplateContainer(Container, frozen=True):
    """A container of a template, with what rollouts change beside image and resources."""

    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFrom, ...] = ()
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None


class ProjectedSource(Part, frozen=True):
    """A part of a projected volume."""

    config_map: Named | None = None


class Projected(Part, frozen=True):
    """Several sources in one volume."""

    sources: tuple[ProjectedSource, ...] = ()


class TemplateVolume(Volume, frozen=True):
    """A volume of a template, as far as it is backed by a claim or a ConfigMap."""

    config_map: Named | None = None
    projected: Projected | None = None


class TemplateSpec(PodSpec, frozen=True):
    """A pod's spec with what rollouts change."""

    containers: tuple[TemplateContainer, ...] = ()
    init_containers: tuple[TemplateContainer, ...] = ()
    volumes: tuple[TemplateVolume, ...] = ()
    service_account_name: str = ""
    node_selector: dict[str, str] = field(default_factory=dict)


class FullTemplate(Part, frozen=True):
    """What a workload makes pods from, whole."""

    metadata: Metadata = field(default_factory=Metadata)
    spec: TemplateSpec = field(default_factory=TemplateSpec)

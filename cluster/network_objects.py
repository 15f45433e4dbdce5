"""Scaling, network and storage objects; see `cluster.objects` for the rules they share."""

from __future__ import annotations

from msgspec import field

from cluster.objects import Condition, KubeObject, Part, Port, Quantity, TracedMetadata


class ScaleTarget(Part, frozen=True):
    """What an autoscaler scales."""

    kind: str = ""
    name: str = ""


class MetricTarget(Part, frozen=True):
    """What a metric is held at: "Utilization" is a part of the requests."""

    type: str = ""


class ResourceMetric(Part, frozen=True):
    """A metric of pods' resources."""

    name: str = ""
    target: MetricTarget = field(default_factory=MetricTarget)


class Metric(Part, frozen=True):
    """A metric that an autoscaler follows; others than resources are not read."""

    type: str = ""
    resource: ResourceMetric | None = None


class HpaSpec(Part, frozen=True):
    """Bounds and target of an autoscaler."""

    scale_target_ref: ScaleTarget = field(default_factory=ScaleTarget)
    min_replicas: int = 1
    max_replicas: int = 0
    metrics: tuple[Metric, ...] = ()


class HpaStatus(Part, frozen=True):
    """What the autoscaler sees and wants."""

    current_replicas: int = 0
    desired_replicas: int = 0
    conditions: tuple[Condition, ...] = ()


class HorizontalPodAutoscaler(KubeObject, frozen=True):
    """autoscaling/v2 HorizontalPodAutoscaler."""

    metadata: TracedMetadata = field(default_factory=TracedMetadata)
    spec: HpaSpec = field(default_factory=HpaSpec)
    status: HpaStatus = field(default_factory=HpaStatus)


class ServicePort(Part, frozen=True):
    """A port of a Service."""

    name: str = ""
    port: int = 0
    target_port: Port = 0


class ServiceSpec(Part, frozen=True):
    """Whom a Service leads to."""

    type: str = "ClusterIP"
    selector: dict[str, str] = field(default_factory=dict)
    ports: tuple[ServicePort, ...] = ()
    publish_not_ready_addresses: bool = False
    external_name: str = ""


class Service(KubeObject, frozen=True):
    """core/v1 Service."""

    spec: ServiceSpec = field(default_factory=ServiceSpec)


class EndpointConditions(Part, frozen=True):
    """`ready` None counts as ready, as the API says."""

    ready: bool | None = None


class EndpointTarget(Part, frozen=True):
    """Whose address it is; mostly a Pod of the slice's namespace."""

    kind: str = ""
    name: str = ""


class Endpoint(Part, frozen=True):
    """One address behind a Service; what it belongs to may not be known."""

    addresses: tuple[str, ...] = ()
    target_ref: EndpointTarget | None = None
    conditions: EndpointConditions = field(default_factory=EndpointConditions)


class EndpointSlice(KubeObject, frozen=True):
    """discovery.k8s.io/v1 EndpointSlice; the API does write `endpoints: null`."""

    endpoints: tuple[Endpoint, ...] | None = None


class BackendPort(Part, frozen=True):
    """Names a Service's port by name or by number."""

    name: str = ""
    number: int = 0


class ServiceBackend(Part, frozen=True):
    """A Service that an Ingress leads to."""

    name: str = ""
    port: BackendPort = field(default_factory=BackendPort)


class IngressBackend(Part, frozen=True):
    """A backend; None for one that is not a Service."""

    service: ServiceBackend | None = None


class IngressPath(Part, frozen=True):
    """A path of a host."""

    path: str = ""
    backend: IngressBackend = field(default_factory=IngressBackend)


class IngressHttp(Part, frozen=True):
    """Paths of a host."""

    paths: tuple[IngressPath, ...] = ()


class IngressRule(Part, frozen=True):
    """A host with its paths."""

    host: str = ""
    http: IngressHttp | None = None


class IngressTls(Part, frozen=True):
    """The Secret with the certificate of some hosts."""

    secret_name: str = ""


class IngressSpec(Part, frozen=True):
    """Where an Ingress leads."""

    ingress_class_name: str = ""
    tls: tuple[IngressTls, ...] = ()
    default_backend: IngressBackend | None = None
    rules: tuple[IngressRule, ...] = ()


class Ingress(KubeObject, frozen=True):
    """networking.k8s.io/v1 Ingress."""

    spec: IngressSpec = field(default_factory=IngressSpec)


class ClaimResources(Part, frozen=True):
    """How much room a claim asks for."""

    requests: dict[str, Quantity] = field(default_factory=dict)


class ClaimSpec(Part, frozen=True):
    """What a claim asks for."""

    storage_class_name: str = ""
    volume_name: str = ""
    resources: ClaimResources = field(default_factory=ClaimResources)


class ClaimStatus(Part, frozen=True):
    """Pending, Bound or Lost."""

    phase: str = ""


class PersistentVolumeClaim(KubeObject, frozen=True):
    """core/v1 PersistentVolumeClaim."""

    spec: ClaimSpec = field(default_factory=ClaimSpec)
    status: ClaimStatus = field(default_factory=ClaimStatus)

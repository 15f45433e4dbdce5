"""The fields of Kubernetes objects that the rules read, as frozen structs. No Secrets, on purpose.

Every field is optional: recorded and half-written objects are incomplete, and a rule has to live
with that. Fields we do not use are skipped while decoding. Times are aware UTC, quantities stay as
the API writes them ("256Mi", "500m").
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

Quantity = str | int | float
Port = int | str


class Part(Struct, frozen=True, rename="camel", gc=False):
    """What every struct here shares: frozen, camelCase on the wire, unknown fields ignored.

    The garbage collector leaves them alone: frozen data has no cycles, and walking through the
    millions of objects of a big cluster would hold the event loop.
    """


class OwnerReference(Part, frozen=True):
    """Who made an object; `controller` marks the one that manages it."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class Metadata(Part, frozen=True):
    """Name and life of an object; `deletion_timestamp` is set while it is being deleted."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    generation: int = 0


class ManagedFields(Part, frozen=True):
    """Who last wrote to an object and when; which fields they were is not read."""

    manager: str = ""
    subresource: str = ""
    time: datetime | None = None


class TracedMetadata(Metadata, frozen=True):
    """Metadata with its writers, for kinds that people and their tools write."""

    managed_fields: tuple[ManagedFields, ...] = ()


class Condition(Part, frozen=True):
    """A condition of a status; `status` is "True", "False" or "Unknown"."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None
    last_update_time: datetime | None = None


class KubeObject(Struct, frozen=True, rename="camel", gc=False):
    """An object with metadata; each kind adds its spec and status."""

    metadata: Metadata = field(default_factory=Metadata)


# --- pods ---------------------------------------------------------------------------------------


class Resources(Part, frozen=True):
    """Requests and limits of a container, by resource name."""

    requests: dict[str, Quantity] = field(default_factory=dict)
    limits: dict[str, Quantity] = field(default_factory=dict)


class Container(Part, frozen=True):
    """A container as specified."""

    name: str = ""
    image: str = ""
    resources: Resources = field(default_factory=Resources)


class Named(Part, frozen=True):
    """A reference by name alone, in the referrer's namespace."""

    name: str = ""


class ClaimSource(Part, frozen=True):
    """A volume's claim."""

    claim_name: str = ""


class Volume(Part, frozen=True):
    """A volume, as far as it is backed by a claim."""

    name: str = ""
    persistent_volume_claim: ClaimSource | None = None


class PodSpec(Part, frozen=True):
    """What a pod is to run, and where."""

    node_name: str = ""
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    image_pull_secrets: tuple[Named, ...] = ()
    restart_policy: str = "Always"
    scheduling_gates: tuple[Named, ...] = ()


class Waiting(Part, frozen=True):
    """A container that does not run yet."""

    reason: str = ""
    message: str = ""


class Running(Part, frozen=True):
    """A container that runs."""

    started_at: datetime | None = None


class Terminated(Part, frozen=True):
    """A container that has ended; `message` is its termination message, `signal` 0 for none."""

    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(Part, frozen=True):
    """At most one of the three is set."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Part, frozen=True):
    """How a container fares now (`state`) and how it last ended (`last_state`)."""

    name: str = ""
    ready: bool = False
    restart_count: int = 0
    image: str = ""
    state: ContainerState = field(default_factory=ContainerState)
    last_state: ContainerState = field(default_factory=ContainerState)


class PodStatus(Part, frozen=True):
    """How a pod fares."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    start_time: datetime | None = None
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()


class PodMetadata(Metadata, frozen=True):
    """Metadata without annotations: networks and injectors write kilobytes into those of pods."""

    # Under a name that no API sends, so that decoding skips them.
    annotations: dict[str, str] = field(default_factory=dict, name="(annotations are not read)")


class Pod(KubeObject, frozen=True):
    """core/v1 Pod."""

    metadata: PodMetadata = field(default_factory=PodMetadata)
    spec: PodSpec = field(default_factory=PodSpec)
    status: PodStatus = field(default_factory=PodStatus)


# --- nodes and Events ---------------------------------------------------------------------------


class NodeSpec(Part, frozen=True):
    """`unschedulable` is a cordon."""

    unschedulable: bool = False


class NodeStatus(Part, frozen=True):
    """Conditions and room of a node."""

    conditions: tuple[Condition, ...] = ()
    capacity: dict[str, Quantity] = field(default_factory=dict)
    allocatable: dict[str, Quantity] = field(default_factory=dict)


class Node(KubeObject, frozen=True):
    """core/v1 Node."""

    metadata: TracedMetadata = field(default_factory=TracedMetadata)
    spec: NodeSpec = field(default_factory=NodeSpec)
    status: NodeStatus = field(default_factory=NodeStatus)


class InvolvedObject(Part, frozen=True):
    """What an Event is about; for Nodes the kubelet writes the name as `uid`."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""


class EventSeries(Part, frozen=True):
    """Repetitions of an Event."""

    count: int = 0
    last_observed_time: datetime | None = None


class EventMetadata(Metadata, frozen=True):
    """Metadata with the version, which tells one sighting of an Event from the next."""

    resource_version: str = ""


class Event(KubeObject, frozen=True):
    """core/v1 Event. See `cluster.events` for when it was last seen and how often."""

    metadata: EventMetadata = field(default_factory=EventMetadata)
    involved_object: InvolvedObject = field(default_factory=InvolvedObject)
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None
    series: EventSeries | None = None

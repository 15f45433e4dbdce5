"""The state of one cluster at one instant, with the indexes that rules ask."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar, cast

from cluster.client import ClusterClient
from cluster.decode import convert
from cluster.events import EventIndex
from cluster.kinds import BY_NAME, KINDS, Kind
from cluster.labels import LabelIndex
from cluster.objects import Event, KubeObject, Pod
from cluster.owners import OwnerIndex, kind_of, ref_of
from cluster.refusals import NotServedError, UnreachableError
from cluster.secret_objects import Secret
from cluster.workload_objects import DaemonSet, Deployment, StatefulSet, Workload
from core.answers import Gap
from core.clock import Clock
from core.errors import ClusterError
from core.findings import ObjectRef

T = TypeVar("T", bound=KubeObject)

LISTS_AT_ONCE = 6
FREED_AT_ONCE = 1_000


@dataclass(frozen=True)  # no slots: cached_property keeps the indexes in __dict__
class Snapshot:
    """What was read of a cluster.

    Attributes:
        cluster: Its configured name.
        taken_at: When reading began.
        objects: Objects by their struct; a kind without objects has no entry.
        unread: Kinds that could not be read: of these nothing may be said to be missing.
        gaps: The same, and other incompleteness, for people.
        namespaces: Those that were asked for; empty for all.
    """

    cluster: str
    taken_at: datetime
    objects: Mapping[type[KubeObject], tuple[KubeObject, ...]] = field(default_factory=dict)
    unread: frozenset[type[KubeObject]] = frozenset()
    gaps: tuple[Gap, ...] = ()
    namespaces: frozenset[str] = frozenset()

    def of(self, struct: type[T]) -> tuple[T, ...]:
        """All objects of a kind."""
        return cast("tuple[T, ...]", self.objects.get(struct, ()))

    def has_read(self, struct: type[KubeObject]) -> bool:
        """Whether an object of this kind that is not here is really not there."""
        return struct not in self.unread

    def find(self, kind: str, namespace: str, name: str) -> KubeObject | None:
        """An object by kind, namespace and name."""
        return self._owners.find(kind, namespace, name)

    def has_uid(self, uid: str) -> bool:
        """Whether the object with this uid is here."""
        return self._owners.has_uid(uid)

    def ref(self, obj: KubeObject) -> ObjectRef:
        """A reference to the object."""
        return ref_of(self.cluster, obj)

    def owner(self, obj: KubeObject) -> ObjectRef:
        """The top owner of an object, or itself."""
        return self._owners.top(obj)

    def owners(self, obj: KubeObject) -> list[ObjectRef]:
        """The object and its owners, top owner last."""
        return self._owners.chain(obj)

    def pods_of(self, owner: ObjectRef) -> tuple[Pod, ...]:
        """Pods that have this object anywhere in their chain of owners."""
        return tuple(self._pods_by_owner.get((owner.kind, owner.namespace, owner.name), ()))

    def pods_in(self, namespace: str) -> tuple[Pod, ...]:
        """Pods of one namespace."""
        return tuple(self._pods_by_namespace.get(namespace, ()))

    def pods_on(self, node: str) -> tuple[Pod, ...]:
        """Pods that a node runs or has run."""
        return tuple(self._pods_by_node.get(node, ()))

    def pods_where(self, test: Callable[[Pod], bool]) -> tuple[Pod, ...]:
        """Pods that pass; found once for each test, since many rules ask for the same ones."""
        if test not in self._pods_by_test:
            self._pods_by_test[test] = tuple([pod for pod in self.of(Pod) if test(pod)])
        return self._pods_by_test[test]

    def events_of(self, obj: KubeObject) -> list[Event]:
        """Events about the object, newest first."""
        return self._events.of(kind_of(obj), obj)

    @cached_property
    def _owners(self) -> OwnerIndex:
        return OwnerIndex(self.cluster, chain.from_iterable(self.objects.values()))

    @cached_property
    def _events(self) -> EventIndex:
        return EventIndex(self.of(Event))

    @cached_property
    def _pods_by_test(self) -> dict[Callable[[Pod], bool], tuple[Pod, ...]]:
        return {}

    @cached_property
    def _pods_by_namespace(self) -> dict[str, list[Pod]]:
        pods: dict[str, list[Pod]] = defaultdict(list)
        for pod in self.of(Pod):
            pods[pod.metadata.namespace].append(pod)
        return pods

    @cached_property
    def pods_by_label(self) -> LabelIndex[Pod]:
        """All pods, for selectors."""
        return LabelIndex(
            (pod.metadata.namespace, pod.metadata.labels, pod) for pod in self.of(Pod)
        )

    @cached_property
    def workloads_by_label(self) -> LabelIndex[Workload]:
        """Deployments, StatefulSets and DaemonSets by the labels of the pods that they make."""
        workloads: tuple[Workload, ...] = (
            self.of(Deployment) + self.of(StatefulSet) + self.of(DaemonSet)
        )
        return LabelIndex(
            (item.metadata.namespace, item.spec.template.metadata.labels, item)
            for item in workloads
        )

    @cached_property
    def _pods_by_node(self) -> dict[str, list[Pod]]:
        pods: dict[str, list[Pod]] = defaultdict(list)
        for pod in self.of(Pod):
            pods[pod.spec.node_name].append(pod)
        return pods

    @cached_property
    def _pods_by_owner(self) -> dict[tuple[str, str, str], list[Pod]]:
        pods: dict[tuple[str, str, str], list[Pod]] = defaultdict(list)
        for pod in self.of(Pod):
            for ref in self.owners(pod):
                pods[ref.kind, ref.namespace, ref.name].append(pod)
        return pods


def snapshot_from_objects(
    objects: Iterable[Mapping[str, Any]], now: datetime, cluster: str = "recorded"
) -> Snapshot:
    """A snapshot of recorded API objects (plain JSON values); kinds we do not read are skipped.

    Raises:
        ValueError: An object does not fit its kind.
    """
    found: dict[type[KubeObject], list[KubeObject]] = defaultdict(list)
    for plain in objects:
        kind = BY_NAME.get(plain.get("kind", ""))
        if kind is not None:
            found[kind.struct].append(convert(plain, kind.struct))
    return Snapshot(
        cluster,
        now,
        {struct: tuple(items) for struct, items in found.items()},
        frozenset({Secret}) - found.keys(),
    )


async def take_snapshot(
    client: ClusterClient,
    clock: Clock,
    namespaces: Collection[str] = frozenset(),
    kinds: Collection[Kind] = KINDS,
) -> Snapshot:
    """Read all of `kinds` at once; with `namespaces`, namespaced kinds only there.

    What is beyond the client's reach is not read, and no Gap: somebody wanted it so.
    A kind that is denied or fails costs that kind alone, and gives a Gap.

    Raises:
        ClusterError: Nothing at all could be read.
    """
    taken_at = clock.now()
    within = [kind for kind in kinds if client.reach.allows_kind(kind)]
    free = asyncio.Semaphore(LISTS_AT_ONCE)
    tasks: list[asyncio.Task[_Read]] = []
    try:
        async with asyncio.TaskGroup() as group:
            for kind in within:
                places = client.reach.places(kind, namespaces)
                tasks += [group.create_task(_read(client, kind, place, free)) for place in places]
    except* UnreachableError as failures:
        # The first is as good as the rest: the API server itself is out of reach.
        raise failures.exceptions[0] from None
    reads = [task.result() for task in tasks]
    errors = [read.error for read in reads if read.error]
    if errors and len(errors) == len(reads):
        raise errors[0]
    objects: dict[type[KubeObject], tuple[KubeObject, ...]] = {}
    for read in reads:
        if read.items:
            objects[read.kind.struct] = objects.get(read.kind.struct, ()) + read.items
    return Snapshot(
        client.name,
        taken_at,
        objects,
        frozenset(read.kind.struct for read in reads if read.error)
        | (frozenset({Secret}) - {kind.struct for kind in kinds})
        | {kind.struct for kind in kinds if kind not in within},
        tuple(_gaps(client.name, reads)),
        frozenset(namespaces),
    )


async def let_go(snapshots: list[Snapshot]) -> None:
    """Free snapshots piece by piece: a big one at once would hold the event loop too long.

    Args:
        snapshots: Is emptied; who still needs one of them keeps it whole.
    """
    parts = [list(items) for one in snapshots for items in one.objects.values()]
    snapshots.clear()
    for items in parts:
        while items:
            del items[-FREED_AT_ONCE:]
            await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class _Read:
    kind: Kind
    items: tuple[KubeObject, ...] = ()
    unreadable: int = 0
    error: ClusterError | None = None


async def _read(client: ClusterClient, kind: Kind, place: str, free: asyncio.Semaphore) -> _Read:
    async with free:
        try:
            listing = await client.list_all(kind, place)
        except UnreachableError:
            raise
        except ClusterError as error:
            if kind.is_optional and isinstance(error, NotServedError):
                return _Read(kind)  # a cluster without this API has no objects of the kind
            return _Read(kind, error=error)
    return _Read(kind, listing.items, listing.unreadable)


def _gaps(cluster: str, reads: Iterable[_Read]) -> Iterable[Gap]:
    for read in reads:
        what = f"{read.kind.plural} of cluster {cluster}"
        if read.error:
            yield Gap(what, read.error.wrong, read.error.remedy)
        if read.unreadable:
            yield Gap(what, f"{read.unreadable} objects could not be understood and are left out")

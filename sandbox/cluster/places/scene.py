"""The stage on which a place is built: adds workloads with their pods, Services and logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sandbox.cluster.kinds import config, network, pods, workloads
from sandbox.cluster.kinds.apps import App
from sandbox.cluster.kinds.base import number
from sandbox.cluster.kinds.podstatus import Ended, PodPlan, running
from sandbox.cluster.lines.styles import Entry
from sandbox.cluster.lines.voices import REFRESHER, VOICES, entry_lines, noise
from sandbox.cluster.recorded import LogLine
from sandbox.cluster.resources import Obj

NOISE_LINES = 90
NOISE_SPAN = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Release:
    """One revision of a Deployment and the pods it still has.

    Attributes:
        app: The application as it was then, where more than its tag has changed since.
    """

    tag: str
    revision: int
    created: datetime
    pods: tuple[PodPlan, ...] = ()
    replicas: int | None = None
    app: App | None = None


class Scene:
    """Collects what a namespace holds. `now` is the moment the recording begins."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.objects: list[Obj] = []
        self.logs: dict[str, list[LogLine]] = {}

    def ago(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> datetime:
        """A time before now."""
        return self.now - timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

    def add(self, *objects: Obj) -> None:
        """Add objects as they are."""
        self.objects += objects

    def deploy(
        self,
        app: App,
        replicas: int,
        created: datetime,
        releases: Sequence[Release],
        *,
        port: int = 0,
        progress: str = "NewReplicaSetAvailable",
        progressed: datetime | None = None,
        deadline_seconds: int = 600,
    ) -> Obj:
        """Add a Deployment with its ReplicaSets, pods and Service; releases oldest first."""
        newest = releases[-1]
        current = app.with_tag(newest.tag)
        deployment = workloads.deployment(
            current,
            replicas,
            created,
            newest.revision,
            workloads.progressing(app.name, current, progressed or newest.created, progress),
            released=newest.created,
            deadline_seconds=deadline_seconds,
        )
        self._add_basics(app, created, port)
        self.add(deployment)
        for release in releases:
            released = (release.app or app).with_tag(release.tag)
            wanted = len(release.pods) if release.replicas is None else release.replicas
            owner = workloads.replica_set(
                released, deployment, release.revision, wanted, release.created
            )
            self.add(owner)
            self.add_pods(released, owner, release.pods)
        return deployment

    def state(
        self,
        app: App,
        created: datetime,
        plans: Sequence[PodPlan],
        *,
        port: int,
        size: str = "",
        storage_class: str = "fast-ssd",
        unbound: frozenset[int] = frozenset(),
        earlier: Sequence[tuple[str, datetime]] = (),
    ) -> Obj:
        """Add a StatefulSet with its pods, claims, volumes and headless Service.

        `earlier` are the tags it had before, oldest first, and when each came; the present one
        came with the oldest pod.
        """
        owner = workloads.stateful_set(
            app, len(plans), created, storage_class=storage_class, size=size
        )
        self._add_basics(app, created, port, headless=True)
        self.add(owner)
        present = app.image.rpartition(":")[2], min(plan.created for plan in plans)
        for at, (tag, came) in enumerate([*earlier, present], start=1):
            self.add(workloads.controller_revision(app.with_tag(tag), owner, at, came))
        self.add_pods(app, owner, plans)
        for plan in plans if size else ():
            claim = config.claim(owner, plan.seed, plan.created, is_bound=plan.seed not in unbound)
            self.add(claim)
            if plan.seed not in unbound:
                self.add(config.volume(claim, plan.created))
        return owner

    def add_pods(self, app: App, owner: Obj, plans: Sequence[PodPlan]) -> list[Obj]:
        """Add pods; one without a stated condition runs well since it was made."""
        made = []
        for plan in plans:
            filled = healthy(app, plan)
            pod = pods.pod(app, owner, filled)
            made.append(pod)
            self.add(pod)
            self._add_noise(app, pod, filled)
        return made

    def log(
        self, pod: Obj, container: str, lines: Sequence[LogLine], *, previous: bool = False
    ) -> None:
        """Set a container's log."""
        self.logs[log_key(pod, container, previous=previous)] = list(lines)

    def find(self, kind: str, prefix: str) -> list[Obj]:
        """Objects of a kind whose name starts so, in the order they were added."""
        return [
            obj
            for obj in self.objects
            if obj["kind"] == kind and obj["metadata"]["name"].startswith(prefix)
        ]

    def pod_of(self, release_of: App, index: int = 0) -> Obj:
        """A pod of one release of an application."""
        image = release_of.image
        found = [
            obj
            for obj in self.find("Pod", f"{release_of.name}-")
            if obj["spec"]["containers"][0]["image"] == image
        ]
        return found[index]

    def _add_basics(
        self, app: App, created: datetime, port: int, *, headless: bool = False
    ) -> None:
        self.add(config.service_account(app.namespace, app.name, created))
        if port:
            self.add(
                network.service(
                    app,
                    port,
                    created,
                    headless=headless,
                    load_balancer=app.name == "ingress-nginx",
                )
            )

    def _add_noise(self, app: App, pod: Obj, plan: PodPlan) -> None:
        for container in app.init_containers:
            begun = plan.created + timedelta(seconds=2)
            words = f"{container.name}: nothing to do, schema is at its newest version"
            self.log(pod, container.name, tell("python", app.name, begun, "INFO", words))
        for container, doing in zip(app.containers, plan.doing, strict=False):
            if not doing.running_since:
                continue
            voice = VOICES.get(app.name) if container is app.containers[0] else REFRESHER
            if voice is None:
                continue
            begin = max(doing.running_since, self.now - NOISE_SPAN)
            seed = number("noise", pod["metadata"]["name"], container.name)
            count = NOISE_LINES if container is app.containers[0] else 8
            lines = noise(voice, app.name, begin, self.now, count=count, seed=seed)
            self.log(pod, container.name, lines)


def healthy(app: App, plan: PodPlan) -> PodPlan:
    """A plan with nothing stated is a pod that has run since shortly after it was made."""
    if plan.doing or plan.phase or not plan.node:
        return plan
    since = plan.created + timedelta(seconds=4)
    return replace(plan, doing=tuple(running(since) for _ in app.containers))


def log_key(pod: Obj, container: str, *, previous: bool = False) -> str:
    """The key of a container's log in a recording."""
    told = pod["metadata"]
    key = f"{told['namespace']}/{told['name']}/{container}"
    return f"{key}#previous" if previous else key


def ended(exit_code: int, reason: str, finished: datetime, lasted_seconds: float) -> Ended:
    """How an instance ended that had run for so long."""
    started = finished - timedelta(seconds=lasted_seconds)
    return Ended(exit_code, reason, started, finished)


def tell(style: str, service: str, at: datetime, level: str, text: str) -> list[LogLine]:
    """One telling entry; further lines of the text stand as they are."""
    return entry_lines(style, Entry(at, level, service, text, number(service, at, text) % 2**32))

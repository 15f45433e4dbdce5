"""A cluster's past of our own: what a test sets is what `LiveTrail` tells."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from core.answers import Gap, Scope
from core.changes import Change, ChangeKind, Timeline, Trouble
from core.findings import Finding, ObjectRef, Severity
from core.inspections import Inspection, LoggedError, LogsRead, Targets
from core.questions import Reading, TimeRange
from tests.knowledge.conftest import NOW

PAYMENTS = ObjectRef("demo", "Deployment", "shop", "payments")
RISK = ObjectRef("demo", "Deployment", "trading", "risk-engine")
SHOP = ObjectRef("demo", "Namespace", "", "shop")
BROKE_AT = NOW - timedelta(minutes=57)
ROLLOUT = "rolled out revision 2: image payments:1 → payments:2, memory limit 512Mi → 256Mi"


def finding(problem: str = "oom", owner: ObjectRef = PAYMENTS, says: str = "OOMKilled") -> Finding:
    return Finding(
        detector=problem.replace("-", "_"),
        problem=problem,
        reason=says,
        severity=Severity.CRITICAL,
        title=f"{owner.name}: {says}",
        involved=owner,
        owner=owner,
        first_seen=BROKE_AT,
        last_seen=NOW,
    )


def change(
    minutes: float = 60,
    kind: ChangeKind = ChangeKind.ROLLOUT,
    what: str = ROLLOUT,
    owner: ObjectRef = PAYMENTS,
    by: str = "helm",
) -> Change:
    return Change(NOW - timedelta(minutes=minutes), kind, owner, what, by)


def timeline(
    *changes: Change,
    troubles: tuple[Trouble, ...] = (),
    about: ObjectRef = PAYMENTS,
    before: Change | None = None,
    hours: float = 24,
) -> Timeline:
    window = TimeRange(NOW - timedelta(hours=hours), NOW + timedelta(seconds=1))
    return Timeline(about, window, NOW, changes, troubles, before)


def trouble(suspect: Change | None = None, *, of: Finding | None = None) -> Trouble:
    return Trouble(BROKE_AT, of or finding(), suspect)


def inspection(*findings: Finding, elsewhere: tuple[Finding, ...] = ()) -> Inspection:
    return Inspection(
        PAYMENTS,
        NOW,
        "payments keeps restarting." if findings else "payments runs well: 2 of 2 replicas ready.",
        (
            "payments keeps restarting.",
            "Deployment shop/payments: 2 replicas wanted, 1 ready, 2 updated.",
            "Pod payments-7d9f8c6b5-x2x4q on worker-4: Running, not ready. 14 restarts.",
        ),
        findings,
        elsewhere,
        frozenset({"worker-4"}),
        ("Event BackOff, 9 times, last at 11:59 UTC: Back-off restarting",) if findings else (),
    )


def error(text: str = "ERROR java.lang.OutOfMemoryError", **more: object) -> LoggedError:
    return LoggedError(text, 3, **more)  # type: ignore[arg-type]  # fields by name


class Trail:
    """Tells what it was given.

    Attributes:
        objects: What any text names, unless it is only a namespace that is wanted.
        broken: Names of calls that raise.
        hanging: Names of calls that never end.
        by_name: Timelines of other objects.
    """

    def __init__(self) -> None:
        self.objects: tuple[ObjectRef, ...] = (PAYMENTS,)
        self.gaps: tuple[Gap, ...] = ()
        rollout = change()
        self.inspection = inspection(finding())
        self.logs_read = LogsRead((error(is_previous=True),), 2, "ERROR exiting")
        self.timeline = timeline(rollout, troubles=(trouble(rollout),))
        self.by_name: dict[str, Timeline] = {}
        self.broken: dict[str, Exception] = {}
        self.hanging: set[str] = set()
        self.windows: list[TimeRange] = []
        self.readings: list[Reading] = []

    async def _fail(self, name: str) -> None:
        if name in self.broken:
            raise self.broken[name]
        if name in self.hanging:
            await asyncio.sleep(3600)

    async def find(self, reading: Reading, scope: Scope) -> Targets:
        self.readings.append(reading)
        await self._fail("find")
        names = {*reading.names}
        found = tuple(ref for ref in self.objects if ref.name in names)
        if not reading.names:
            found = tuple(ObjectRef("demo", "Namespace", "", space) for space in reading.namespaces)
        return Targets(found, self.gaps, ("cluster demo",))

    async def inspect(self, about: ObjectRef, scope: Scope) -> Inspection:
        await self._fail("inspect")
        return self.inspection

    async def logs(self, about: ObjectRef, scope: Scope) -> LogsRead:
        await self._fail("logs")
        return self.logs_read

    async def changes(self, about: ObjectRef, window: TimeRange, scope: Scope) -> Timeline:
        self.windows.append(window)
        await self._fail("changes")
        if about.name in self.by_name:
            return self.by_name[about.name]
        return self.timeline if about in {PAYMENTS, SHOP} else timeline(about=about)

"""Values that the tests of this package share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.answers import Answer, Citation, Confidence, Gap, PartHealth, PartState
from core.digests import Digest, DigestItem, ItemState
from core.findings import Evidence, Finding, ObjectRef, Severity
from core.lookback import LookBack, Offender, Tally
from core.questions import TimeRange

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOSTILE = (
    "<!channel> <!here> <@U1> <!subteam^S1> @here <http://evil.example|ok> "
    "[ok](https://evil.example) &amp; <none>"
)


def citation(number: int = 1, **changes: object) -> Citation:
    values: dict[str, object] = {
        "number": number,
        "title": f"Runbook {number}",
        "location": f"runbooks/{number}.md",
        "source": "markdown",
        "url": f"https://docs.example/{number}",
        "updated_at": NOW - timedelta(days=3),
    }
    return Citation(**{**values, **changes})  # type: ignore[arg-type]  # keywords of one dataclass


def answer(text: str = "Raise the limit [1].", **changes: object) -> Answer:
    values: dict[str, object] = {
        "question": "why is payments restarting?",
        "text": text,
        "citations": (citation(),),
        "model": "ollama:llama3.1",
        "confidence": Confidence.LIKELY,
        "elapsed_seconds": 8.2,
    }
    return Answer(**{**values, **changes})  # type: ignore[arg-type]  # keywords of one dataclass


def finding(name: str = "payments", **changes: object) -> Finding:
    owner = ObjectRef("demo", "Deployment", "shop", name)
    values: dict[str, object] = {
        "detector": "crash_loop",
        "problem": "crash-loop",
        "reason": "OOMKilled",
        "severity": Severity.CRITICAL,
        "title": f"{name}: OOMKilled, 14 restarts",
        "involved": ObjectRef("demo", "Pod", "shop", f"{name}-7d9f"),
        "owner": owner,
        "first_seen": NOW - timedelta(hours=3),
        "last_seen": NOW - timedelta(minutes=2),
        "evidence": (
            Evidence("lastState.terminated.reason", "OOMKilled"),
            Evidence("limits.memory", "256Mi"),
        ),
        "log_lines": ("java.lang.OutOfMemoryError: Java heap space",),
        "count": 14,
    }
    return Finding(**{**values, **changes})  # type: ignore[arg-type]  # keywords of one dataclass


def item(name: str = "payments", **changes: object) -> DigestItem:
    values: dict[str, object] = {
        "finding": finding(name),
        "state": ItemState.NEW,
        "since": NOW - timedelta(hours=3),
        "count_change": 6,
        "buckets": (0, 0, 1, 2, 1, 0, 3, 4, 6, 8, 9, 14),
        "team": "orders",
        "on_call": "#team-orders, primary Tomás Brandt",
        "affected": ("checkout", "frontend"),
        "cause": "The settlement batch needs more memory than the limit of 256Mi.",
        "confidence": Confidence.LIKELY,
        "runbook": citation(title="Payments runs out of memory"),
        "suggestion": "Raise the limit to 768Mi and page the settlement batch.",
        "next_command": "kubectl -n shop logs deploy/payments --previous --tail=50",
    }
    return DigestItem(**{**values, **changes})  # type: ignore[arg-type]  # keywords of one dataclass


def digest(*items: DigestItem, **changes: object) -> Digest:
    values: dict[str, object] = {
        "schedule": "daily",
        "slot": "daily@2026-03-02T09:00:00Z",
        "window": TimeRange(NOW - timedelta(hours=6), NOW),
        "items": items,
        "totals": ((ItemState.NEW, len(items)),) if items else (),
        "clusters": ("demo",),
    }
    return Digest(**{**values, **changes})  # type: ignore[arg-type]  # keywords of one dataclass


def look_back(**changes: object) -> LookBack:
    days = tuple((NOW - timedelta(days=7 - day), day % 4) for day in range(7))
    values: dict[str, object] = {
        "of": "daily",
        "now": Tally(9, 7, 2, timedelta(hours=2)),
        "before": Tally(6, 6, 0, timedelta(hours=5)),
        "offenders": (Offender(finding(), 4, timedelta(hours=9), "orders"),),
        "problems": 5,
        "warnings": 12_480,
        "warnings_window": TimeRange(NOW - timedelta(days=3), NOW),
        "log_lines": 310,
        "days": days,
    }
    return LookBack(**{**values, **changes})  # type: ignore[arg-type]  # keywords of one dataclass


def gap(what: str = "documentation search") -> Gap:
    return Gap(what, "no connection", "Start Qdrant.")


def part(name: str, state: PartState = PartState.OK, remedy: str = "") -> PartHealth:
    return PartHealth(name, state, "as told", NOW - timedelta(seconds=4), remedy)

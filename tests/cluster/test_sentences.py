"""Findings, each in one sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cluster.sentences import ago, also_sentences, at, finding_sentence, log_sentence, without_uids
from core.findings import Evidence, Finding, ObjectRef, Severity

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
UID = "9f05a829-02c8-5811-bcb9-8d4b0f044981"


def finding(problem: str, says: str, *evidence: tuple[str, str], **more: str) -> Finding:
    name = more.get("name", "cart")
    owner = ObjectRef("demo", "Deployment", "shop", name)
    return Finding(
        detector="x",
        problem=problem,
        reason=more.get("reason", "Reason"),
        severity=Severity.HIGH,
        title=f"{name}: {says}",
        involved=ObjectRef("demo", "Pod", "shop", more.get("involved", f"{name}-1")),
        owner=owner,
        first_seen=NOW - timedelta(hours=1),
        last_seen=NOW,
        evidence=tuple(Evidence(*item) for item in evidence),
        node=more.get("node", ""),
        count=3,
    )


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            finding(
                "oom",
                "OOMKilled, 14 restarts",
                ("container", "cart"),
                ("lastState.terminated.exitCode", "137 (SIGKILL, killed)"),
                ("lastState.terminated.finishedAt", "2026-03-04T11:58:00Z"),
                ("restartCount", "14"),
                ("resources.limits.memory", "256Mi"),
            ),
            ("cart keeps restarting because its container is OOMKilled: it hits its memory limit "
            "of 256Mi (14 restarts, last exit 137 at 11:58 UTC)."),
        ),
        (
            finding("oom", "OOMKilled", ("container", "app"), ("restartCount", "1")),
            "cart was OOMKilled: its container app reached its end because it ran out of memory.",
        ),
        (
            finding("crash-loop", "CrashLoopBackOff", ("restartCount", "6")),
            "cart keeps restarting: its container ends (6 restarts).",
        ),
        (
            finding(
                "image-pull",
                "image cart:2-rc cannot be pulled: not found",
                ("image", "registry.example.com/shop/cart:2-rc"),
            ),
            "cart cannot start new pods: its image cart:2-rc does not exist (not found).",
        ),
        (
            finding("image-pull", "image cart:2 cannot be pulled: denied", ("image", "cart:2")),
            "cart cannot start new pods: its image cart:2 cannot be pulled (denied).",
        ),
        (
            finding("image-pull", "odd", ("image", "cart:2"), reason="InvalidImageName"),
            "cart cannot start new pods: its image cart:2 cannot be pulled (InvalidImageName).",
        ),
        (
            finding("unschedulable", "cannot be scheduled, insufficient memory"),
            ("A pod of cart is pending: no node has room (cannot be scheduled, insufficient "
            "memory)."),
        ),
        (
            finding("config-error", "x", ("Event Failed", 'Error: configmap "c" not found')),
            'cart cannot start: configmap "c" not found (the container cannot be created).',
        ),
        (
            finding(
                "not-ready", "not ready", ("Event Unhealthy", "Readiness probe failed: 503"),
                ("also", "cart: 0 of 2 replicas ready"),
            ),
            "cart runs but is not ready (0 of 2 replicas ready): Readiness probe failed: 503.",
        ),
        (
            finding("pvc", "claim is pending: no class", involved="data-0"),
            "cart waits for its volume: the claim data-0 is pending, no class.",
        ),
        (
            finding(
                "rollout-stuck", "stuck", ("Event Unhealthy", "Liveness probe failed"),
                ("image change", "cart: r.example.com/cart:1 → r.example.com/cart:2"),
            ),
            "The rollout of cart to cart:2 is stuck (Reason): Liveness probe failed.",
        ),
        (
            finding("rollout-stuck", "stuck", ("status.conditions[Progressing]", "False X: late")),
            "The rollout of cart is stuck (Reason): late.",
        ),
        (
            finding("stuck-creating", "pod cannot start, FailedMount", node="worker-2"),
            "A pod of cart cannot start on worker-2: pod cannot start, FailedMount.",
        ),
        (
            finding("job-failed", "x", ("status.conditions[Failed]", "True Deadline: too long")),
            "The last job of cart failed (Reason): True Deadline: too long.",
        ),
        (
            finding(
                "node-pressure", "node reports DiskPressure", ("also", "catalog: 2 pods evicted"),
                name="worker-2",
            ),
            "Node worker-2 reports DiskPressure; catalog: 2 pods evicted.",
        ),
        (
            finding(
                "node-not-ready", "x", ("status.conditions[Ready]", "Unknown A: stopped posting"),
                name="worker-3",
            ),
            "Node worker-3 is NotReady: stopped posting.",
        ),
        (
            finding("hpa-cannot-act", "autoscaler", ("Event FailedGet", "no metrics")),
            "The autoscaler of cart cannot act: no metrics.",
        ),
        (finding("event-Odd", "Odd 3 times"), "cart: Odd 3 times."),
        (
            finding(
                "not-ready", "not ready", ("Event BackOff", "Back-off restarting failed container")
            ),
            "cart runs but is not ready: not ready.",
        ),
    ],
)  # fmt: skip
def test_a_finding_is_told_in_one_sentence(found: Finding, sentence: str) -> None:
    assert finding_sentence(found, NOW) == sentence


def test_times_are_short_and_dated_only_when_not_today() -> None:
    assert at(NOW, NOW) == "12:00 UTC"
    assert at(NOW - timedelta(days=2), NOW) == "2026-03-02 12:00 UTC"
    assert at(None, NOW) == "unknown"
    assert ago(NOW - timedelta(hours=50), NOW) == "2 d ago"
    assert ago(NOW - timedelta(minutes=200), NOW) == "3 h ago"
    assert ago(NOW, NOW) == "just now"


def test_uids_are_left_out() -> None:
    text = f"restarting failed container=cart pod=cart-1_shop({UID}))"
    assert without_uids(text) == "restarting failed container=cart pod=cart-1)"


def test_a_log_is_told_by_its_end_and_what_stood_before() -> None:
    lines = ("INFO batch of 48210 rows", "WARNING gc", "ERROR Java heap space")
    assert log_sentence(lines, "cart") == [
        "The log of cart ends with `Java heap space`, after `batch of 48210 rows`."
    ]
    same = ("WARNING dial tcp: refused, 1 of 3", "FATAL dial tcp: refused")
    assert log_sentence(same, "cart") == ["The log of cart ends with `dial tcp: refused`."]
    assert log_sentence(("listening",), "cart") == ["The log of cart ends with `listening`."]
    assert log_sentence((), "cart") == []


def test_what_was_folded_in_is_told() -> None:
    assert also_sentences(finding("x", "y", ("also", "a: b."), ("also", "c"))) == ["Also: a: b; c."]
    assert also_sentences(finding("x", "y")) == []

"""Against the sandbox's recorded cluster: every trouble of its world once, nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cluster.client import ClusterClient
from cluster.collect import ClusterCollector
from core.answers import Scope
from core.clock import ManualClock, SystemClock
from core.findings import Collected, Finding
from core.questions import TimeRange
from core.redact import Redactor
from sandbox.cluster.server import run_cluster
from sandbox.cluster.world import shop_world
from tests.cluster.payloads import evidence

# What sandbox/README.md says is wrong when the demo starts, row by row.
TROUBLES = {
    ("Deployment shop/payments", "oom"),
    ("Deployment shop/cart", "image-pull"),
    ("Deployment shop/search", "unschedulable"),
    ("Deployment shop/checkout-canary", "config-error"),
    ("Deployment shop/inventory", "not-ready"),
    ("Deployment trading/risk-engine", "crash-loop"),
    ("StatefulSet trading/ledger", "pvc"),
    ("Deployment trading/market-data", "rollout-stuck"),
    ("DaemonSet platform/log-forwarder", "stuck-creating"),
    ("CronJob batch/nightly-reconciliation", "job-failed"),
    ("CronJob batch/report-export", "job-failed"),
    ("Node worker-2", "node-pressure"),
    ("Deployment shop/frontend", "hpa-cannot-act"),
}


@pytest.fixture
async def collected(tmp_path: Path) -> AsyncIterator[Collected]:
    async with run_cluster(speed=0) as cluster:
        path = tmp_path / "kubeconfig"
        cluster.kubeconfig(path)
        client = await ClusterClient.from_kubeconfig(str(path), None, "demo")
        clock = SystemClock()
        collector = ClusterCollector([client], clock, Redactor(b"k" * 32))
        now = clock.now()
        yield await collector.collect(TimeRange(now - timedelta(days=1), now), Scope())
        await collector.close()


def of(collected: Collected, owner: str) -> Finding:
    return next(item for item in collected.findings if str(item.owner) == owner)


async def test_every_trouble_is_found_once_and_nothing_healthy(collected: Collected) -> None:
    found = [(str(item.owner), item.problem) for item in collected.findings]
    assert sorted(found) == sorted(TROUBLES)
    assert collected.gaps == ()


async def test_what_happens_while_one_looks_is_found(tmp_path: Path) -> None:
    start = datetime.now(UTC)
    world, clock = shop_world(start), ManualClock(start)
    async with run_cluster(world, speed=0) as cluster:
        path = tmp_path / "kubeconfig"
        cluster.kubeconfig(path)
        client = await ClusterClient.from_kubeconfig(str(path), None, "demo")
        collector = ClusterCollector([client], clock, Redactor(b"k" * 32))

        async def problems_after(seconds: int) -> dict[str, str]:
            world.advance(seconds)
            clock.advance(timedelta(seconds=seconds))
            now = clock.now()
            collected = await collector.collect(TimeRange(now - timedelta(days=1), now), Scope())
            return {str(item.owner): item.problem for item in collected.findings}

        soon = await problems_after(60)
        assert soon["Deployment shop/email-worker"] == "crash-loop"
        lost = await problems_after(60)
        assert lost["Node worker-3"] == "node-not-ready"
        assert lost.keys() == soon.keys() | {"Node worker-3"}  # its pods are folded under it
        fixed = await problems_after(60)
        assert "Deployment shop/cart" not in fixed
        back = await problems_after(240)
        assert "Node worker-3" not in back
        assert back["Deployment shop/cart"] == "image-pull"
        await collector.close()


async def test_the_telling_facts_are_told(collected: Collected) -> None:
    payments = of(collected, "Deployment shop/payments")
    assert payments.title == "payments: OOMKilled, 14 restarts"
    assert evidence(payments)["resources.limits.memory"] == "256Mi"
    assert "OutOfMemoryError" in payments.log_lines[-1]
    assert any("settlement batch of 48210 rows" in line for line in payments.log_lines)
    assert any(
        "connection refused" in line
        for line in of(collected, "Deployment trading/risk-engine").log_lines
    )
    assert any(
        "ERR_STOCK_SYNC" in line for line in of(collected, "Deployment shop/inventory").log_lines
    )
    assert any(
        "deadlock detected" in line
        for line in of(collected, "CronJob batch/nightly-reconciliation").log_lines
    )
    assert "fast-nvme" in of(collected, "StatefulSet trading/ledger").title
    assert "not found" in of(collected, "Deployment shop/cart").title
    assert len([item for item in of(collected, "Node worker-2").members if "catalog" in item]) == 2

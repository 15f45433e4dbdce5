from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bot.digests import StatusOnly
from cluster.collect import ClusterCollector
from core.answers import Scope
from core.clock import ManualClock
from core.questions import TimeRange
from core.redact import Redactor
from digest.ports import FindingSource
from tests.cluster.api import FakeApi, connected, serving
from tests.cluster.payloads import NOW, container_status, pod, terminated, waiting


async def test_a_look_out_reads_no_log_and_tells_what_it_could_not_read(tmp_path: Path) -> None:
    status = container_status(
        waiting("CrashLoopBackOff"), last=terminated(1), restarts=12, name="app"
    )
    api = FakeApi([pod("payments-1", status, namespace="shop")])
    api.answers["services"] = (403, "{}")
    async with serving(api), connected(api, tmp_path, "demo") as client:
        collector = ClusterCollector([client], ManualClock(NOW), Redactor(b"k" * 32))
        source: FindingSource = StatusOnly(collector)
        found = await source.collect(TimeRange(NOW - timedelta(hours=1), NOW), Scope())
        await collector.close()
    assert [(one.problem, one.severity.value) for one in found.findings] == [
        ("crash-loop", "critical")
    ]
    assert found.clusters == ("demo",)
    assert any(gap.what.startswith("services") for gap in found.gaps)
    assert not any(path.endswith("/log") for _, path, _ in api.requests)

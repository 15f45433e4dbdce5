from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.health import Check, HealthChecks, Look
from bot.schedule import Schedule
from bot.settings import load_settings
from bot.telemetry.gauges import Gauges
from bot.telemetry.metrics import Meter
from bot.telemetry.probes import Probes, probing
from core.answers import PartState
from core.clock import ManualClock
from core.errors import KnowledgeError, OpsbotError, StateError
from core.posts import Post, PostKind
from core.questions import TimeRange
from knowledge.store_edge import EdgeStore
from state.database import Database
from state.digests import SqlDigestStore
from state.posts import SqlPostStore
from tests.bot.samples import digest
from tests.bot.telemetry.scraped import value
from tests.monitoring import free_port

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
NINE = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


class Part:
    """A part whose state a test decides."""

    def __init__(self) -> None:
        self.error: OpsbotError | None = None
        self.is_slow = False

    async def look(self) -> Look:
        if self.error:
            raise self.error
        if self.is_slow:
            await asyncio.sleep(60)
        return Look(PartState.OK, "fine")


class Served:
    """The probes on a port, with one part that is needed and one that is not."""

    def __init__(self, url: str, probes: Probes, gauges: Gauges, checks: HealthChecks) -> None:
        self.url = url
        self.probes = probes
        self.gauges = gauges
        self.checks = checks
        self.needed, self.other = Part(), Part()
        checks.add(Check("state", self.needed.look, is_needed=True))
        checks.add(Check("model", self.other.look))

    def run(self) -> None:
        self.probes.run(self.checks, self.gauges)

    async def get(self, path: str) -> tuple[int, Any]:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
            is_json = response.content_type == "application/json"
            return response.status, await (response.json() if is_json else response.text())


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'state.db'}")
    yield opened
    await opened.close()


@asynccontextmanager
async def serving(tmp_path: Path, database: Database) -> AsyncIterator[Served]:
    clock, meter, port = ManualClock(NOW), Meter(), free_port()
    store = await EdgeStore.open(tmp_path / "qdrant", "none", 1)

    async def run(_: datetime) -> bool:
        """Nothing is published here."""
        return True

    schedule = Schedule("daily", "0 9 * * *", ZoneInfo("UTC"), run)
    checks = HealthChecks([], clock)
    digests, posts = SqlDigestStore(database, clock), SqlPostStore(database, clock)
    gauges = Gauges(meter, store, (schedule,), digests, posts, checks, clock)
    try:
        async with probing(load_settings(metrics_port=port), meter) as probes:
            yield Served(f"http://127.0.0.1:{port}", probes, gauges, checks)
    finally:
        await store.close()


async def test_it_is_alive_from_the_first_moment_and_ready_once_it_runs(
    tmp_path: Path, database: Database
) -> None:
    async with serving(tmp_path, database) as served:
        assert await served.get("/healthz") == (200, "starting\n")
        status, told = await served.get("/readyz")
        assert (status, told) == (503, {"is_ready": False, "phase": "starting", "parts": []})
        served.run()
        status, told = await served.get("/readyz")
        assert (status, told["is_ready"], told["phase"]) == (200, True, "running")
        served.probes.stop()
        assert (await served.get("/readyz"))[0] == 503
        assert await served.get("/healthz") == (200, "stopping\n")
        await served.get("/metrics")
        assert value(served.gauges.meter, "ready") == 0


async def test_only_what_is_needed_makes_it_unready(tmp_path: Path, database: Database) -> None:
    async with serving(tmp_path, database) as served:
        served.run()
        served.other.error = KnowledgeError("ask the model", "it is away", "Start it.")
        status, told = await served.get("/readyz")
        assert status == 200
        model = {
            "part": "model",
            "state": "down",
            "is_needed": False,
            "detail": "it is away",
            "remedy": "Start it.",
        }
        assert told["parts"][1] == model
        served.needed.error = StateError("reach the database", "no answer", "Start it.")
        status, told = await served.get("/readyz")
        assert (status, told["is_ready"], told["phase"]) == (503, False, "running")
        await served.get("/metrics")
        assert value(served.gauges.meter, "ready") == 0
        served.needed.error = None
        await served.get("/metrics")
        assert value(served.gauges.meter, "ready") == 1


async def test_a_part_that_hangs_is_told_within_a_kubelets_second(
    tmp_path: Path, database: Database
) -> None:
    async with serving(tmp_path, database) as served:
        served.run()
        served.other.is_slow = True
        async with asyncio.timeout(10):
            status, told = await served.get("/readyz")
        assert status == 200
        assert told["parts"][1]["detail"] == "did not answer within 0.7 s"


async def test_a_digest_that_is_overdue_can_be_told_from_its_gauges(
    tmp_path: Path, database: Database
) -> None:
    async with serving(tmp_path, database) as served:
        served.run()
        meter, clock = served.gauges.meter, ManualClock(NOW)
        status, text = await served.get("/metrics")
        assert status == 200
        assert value(meter, "digest_last_due_timestamp_seconds", schedule="daily") == (
            NINE.timestamp()
        )
        assert value(meter, "digest_last_success_timestamp_seconds", schedule="daily") == 0
        store = SqlDigestStore(database, clock)
        window = TimeRange(NINE.replace(day=9), NINE)
        claim = await store.claim("daily", "daily@1", window)
        assert claim is not None
        await store.commit(claim, "1.0", [])
        _, text = await served.get("/metrics")
        samples = {
            sample.name: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.labels.get("schedule") == "daily"
        }
        assert samples["opsbot_digest_last_success_timestamp_seconds"] == NINE.timestamp()


async def test_messages_of_digests_that_wait_are_a_queue(
    tmp_path: Path, database: Database
) -> None:
    async with serving(tmp_path, database) as served:
        served.run()
        for number in range(2):
            post = Post(f"urgent/{number}", "daily", "", "COPS", digest(), NOW, PostKind.URGENT)
            await served.gauges.posts.add(post)
        await served.get("/metrics")
        assert value(served.gauges.meter, "queue_length", queue="outbox") == 2


async def test_what_cannot_be_looked_up_keeps_its_value_and_the_rest_is_told(
    tmp_path: Path, database: Database
) -> None:
    async with serving(tmp_path, database) as served:
        served.run()
        served.gauges.meter.index_chunks.set(7)
        await database.close()
        (tmp_path / "state.db").unlink()
        (tmp_path / "state.db").mkdir()
        status, text = await served.get("/metrics")
        assert status == 200
        assert "opsbot_index_chunks 0.0" in text
        assert "opsbot_ready 1.0" in text


async def test_without_a_port_nothing_listens() -> None:
    meter = Meter()
    async with probing(load_settings(), meter) as probes:
        probes.stop()


async def test_a_port_that_is_taken_is_told_by_its_setting() -> None:
    settings = load_settings(metrics_port=free_port())
    async with probing(settings, Meter()):
        with pytest.raises(OpsbotError, match="METRICS_PORT"):
            async with probing(settings, Meter()):
                pytest.fail("both listen")

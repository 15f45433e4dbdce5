from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from bot.health import Check, HealthChecks, Look
from core.answers import PartState
from core.clock import ManualClock
from core.errors import ClusterError

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


async def _well() -> Look:
    return Look(PartState.OK, "v1.34, 45 pods")


async def _slow() -> Look:
    await asyncio.sleep(30)
    raise AssertionError("it was waited for")


async def _broken() -> Look:
    raise ClusterError("read cluster prod", "the token expired", "Log in again.")


async def test_every_part_gets_a_row_and_none_is_waited_for_too_long() -> None:
    checks = HealthChecks([Check("cluster demo", _well), Check("model", _slow)], ManualClock(NOW))
    checks.add(Check("cluster prod", _broken))
    async with asyncio.timeout(5):
        rows = await checks.check(limit_seconds=0.05)
    assert [(row.part, row.state) for row in rows] == [
        ("cluster demo", PartState.OK),
        ("model", PartState.DOWN),
        ("cluster prod", PartState.DOWN),
    ]
    assert rows[0].detail == "v1.34, 45 pods"
    assert "0.05 s" in rows[1].detail
    assert (rows[2].detail, rows[2].remedy) == ("the token expired", "Log in again.")
    assert {row.checked_at for row in rows} == {NOW}

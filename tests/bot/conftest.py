from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from tests.bot.bench import Bench, open_bench

# A busy machine is not a failure.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(params=["socket", "http"])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """The bot on each transport in turn: both must behave the same."""
    async with open_bench(request.param) as bench:
        yield bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """The bot on a socket."""
    async with open_bench() as bench:
        yield bench

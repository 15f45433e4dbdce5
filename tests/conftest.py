"""Guards for every test: no stray tasks, no skips where the machine can run it all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator

import hypothesis
import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--drill-rounds", type=int, default=10, help="how often a drill repeats")
    parser.addoption("--fuzz-inputs", type=int, default=2_000, help="inputs to each parser")
    parser.addoption("--soak-events", type=int, default=10_000, help="how long a soak is")
    parser.addoption("--no-skips", action="store_true", help="a skipped test fails the run")


# `make drills` runs every property over many more inputs: --hypothesis-profile=drill
hypothesis.settings.register_profile("drill", max_examples=20_000, deadline=None)
hypothesis.settings.register_profile("short", max_examples=2_000, deadline=None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which --no-skips forbids: {report.longrepr}"
    return report


@pytest.fixture
def drill_rounds(request: pytest.FixtureRequest) -> int:
    """How often a drill repeats what it does."""
    rounds: int = request.config.getoption("--drill-rounds")
    return rounds


@pytest.fixture
def fuzz_inputs(request: pytest.FixtureRequest) -> int:
    """How many inputs each parser of outside data gets."""
    inputs: int = request.config.getoption("--fuzz-inputs")
    return inputs


@pytest.fixture
def soak_events(request: pytest.FixtureRequest) -> int:
    """How many events a long soak has."""
    events: int = request.config.getoption("--soak-events")
    return events


@pytest.fixture(autouse=True)
async def no_stray_tasks(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Fails a test that leaves an asyncio task running behind it."""
    before = asyncio.all_tasks()
    yield
    # One turn of the loop lets tasks that were told to end do so.
    for _ in range(3):
        await asyncio.sleep(0)
    new = asyncio.all_tasks() - before - {asyncio.current_task()}
    stray = [task for task in new if not task.done()]
    assert not stray, f"{request.node.nodeid} left tasks behind: {stray}"

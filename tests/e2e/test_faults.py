"""Everything outside fails: before the start, in the middle, and comes back; on the real program.

What fails in a model is in test_model_trouble.py. docs/reliability.md has the table.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from sandbox.slack import world
from tests import postgres
from tests.e2e.installed import Installed, installed, until
from tests.e2e.road import Fault, Road, road_to

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "why does payments keep restarting?"
LIVE = "because its container is OOMKilled"
WRITTEN = "payments restarts (OOMKilled)"
COULD_NOT = "Could not look at"
LEAKS = ("Traceback", "127.0.0.1", "aiohttp", "httpx", "asyncpg", "sqlalchemy", "Errno", "<html")


@dataclass
class Bench:
    """A running bot whose way to the cluster can be spoilt."""

    here: Installed
    cluster: Road


def shown(message: Any) -> str:
    """All that is in a message, which is for people."""
    text = str(message)
    for leak in LEAKS:
        assert leak not in text, f"{leak} is shown to people: {text}"
    return text


async def ask(here: Installed, text: str = f"ask {QUESTION}") -> str:
    """`/k8s …` by the person "you"; the final reply."""
    before = len(here.ephemerals("UYOU"))
    await here.running.controls.command("general", "you", "/k8s", text)

    def final() -> Any:
        replies = here.ephemerals("UYOU")[before:]
        return replies and "Looking into" not in str(replies[-1]) and replies[-1]

    return shown(await until(final, 60))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder = tmp_path_factory.mktemp("faults")
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(installed(folder))
        cluster = await stack.enter_async_context(road_to(here.cluster.url))
        _by_road(folder / "kubeconfig", here.cluster.url, cluster.url)
        await cluster.spoil(Fault.CLOSED)
        await stack.enter_async_context(here.bot())
        yield Bench(here, cluster)


def _by_road(kubeconfig: Path, url: str, road: str) -> None:
    content = yaml.safe_load(kubeconfig.read_text())
    assert content["clusters"][0]["cluster"]["server"] == url
    content["clusters"][0]["cluster"]["server"] = road
    kubeconfig.write_text(yaml.safe_dump(content))


async def test_a_cluster_that_is_down_at_the_start_leaves_the_runbooks(bench: Bench) -> None:
    text = await ask(bench.here)
    assert WRITTEN in text
    assert f"{COULD_NOT} cluster default: the API server cannot be reached" in text
    status = await ask(bench.here, "status")
    assert "1 of 7 parts needs attention, the rest works" in status
    assert "→ Check the server's address" in status


async def test_it_is_read_as_soon_as_it_is_there(bench: Bench) -> None:
    await bench.cluster.open()
    text = await ask(bench.here)
    assert LIVE in text
    assert COULD_NOT not in text
    assert "Everything works" in await ask(bench.here, "status")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.CLOSED, "the API server cannot be reached"),
        (Fault.SILENT, "did not answer within"),
        (Fault.CUT, "the API server"),
        (Fault.GARBAGE, "the answer is not what a Kubernetes API sends"),
        (Fault.BROKEN, "the API server answered 502"),
    ],
    ids=lambda value: value.value if isinstance(value, Fault) else None,
)
async def test_a_cluster_that_fails_in_the_middle_is_told_and_used_again(
    bench: Bench, fault: Fault, words: str
) -> None:
    await bench.cluster.spoil(fault)
    assert WRITTEN in await ask(bench.here)
    status = await ask(bench.here, "status")
    assert "❌" in status
    assert words in status
    await bench.cluster.open()
    text = await ask(bench.here)
    assert LIVE in text
    assert COULD_NOT not in text


async def test_a_full_disk_costs_what_is_remembered_and_no_answer(tmp_path: Path) -> None:
    async with installed(tmp_path) as here, here.bot() as process:
        assert LIVE in await ask(here)
        # No file may grow any more, the bot's log neither.
        _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, most))
        for _ in range(2):
            assert LIVE in await ask(here)
        here.running.controls.say("general", "ines", f"<@{world.BOT_USER_ID}> {QUESTION}")
        (mentioned,) = await until(lambda: here.own("general"))
        await until(lambda: LIVE in shown(here.own("general")[0]))
        status = await ask(here, "status")
        assert "its disk is full or fails" in status
        assert "Free some space" in status
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
        assert LIVE in await ask(here)
        assert "Everything works" in await ask(here, "status")
        assert here.own("general") == [mentioned]


@pytest.mark.skipif(postgres.PROGRAMS is None, reason="PostgreSQL is not installed")
async def test_a_database_that_fails_costs_what_is_remembered_and_no_answer(
    tmp_path: Path,
) -> None:
    with postgres.run_postgres() as server:
        async with (
            road_to(server.new_database()) as road,
            installed(tmp_path, STATE_URL=road.url) as here,
            here.bot(),
        ):
            assert LIVE in await ask(here)
            for fault, words in (
                (Fault.CLOSED, "the database cannot be reached"),
                (Fault.SILENT, "did not answer"),
                (Fault.CUT, "the database"),
            ):
                await road.spoil(fault)
                for text in (f"ask {QUESTION}", f"ask {QUESTION}"):
                    assert LIVE in await ask(here, text), fault
                status = await ask(here, "status")
                assert "❌  *state*" in status
                assert words in status
                await road.open()
                assert LIVE in await ask(here)
                await until_well(here)


async def until_well(here: Installed) -> None:
    """A database that did not answer is left alone for some seconds."""
    for _ in range(30):
        if "Everything works" in await ask(here, "status"):
            return
        await asyncio.sleep(0.5)
    raise AssertionError("it never got well")

"""`opsbot index`, once or for as long as files change. Progress goes to standard error."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from rich.console import Console
from rich.text import Text

from bot.bars import progress_bars
from bot.config_file import load_config_file
from bot.datafolder import DataFolder
from bot.library import open_library
from bot.settings import load_settings
from core.clock import SystemClock
from core.errors import OpsbotError
from core.redact import Redactor
from knowledge.index import IndexProgress, IndexReport
from knowledge.watching import changes, stamps

WATCH_EVERY_SECONDS = 2.0

Say = Callable[[str], None]
Problems = tuple[tuple[str, str], ...]


class Indexer(Protocol):
    """Brings an index up to date: of this process or of another."""

    async def index(self, progress: Callable[[IndexProgress], None]) -> IndexReport:
        """Read the sources again, then fill in what dense vectors are missing."""
        ...


async def print_index() -> int:
    """Index with a progress bar; exit code 1 when something could not be read."""
    with progress_bars() as show:
        async with any_indexer() as engine:
            report = await engine.index(show)
    say = _printer()
    say(_told(report))
    _tell_problems(say, (), report.problems)
    return 1 if report.problems else 0


async def watch_index() -> int:
    """Index, then again whenever a file changes, until SIGINT or SIGTERM; exit code 0."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    say = _printer()
    settings = load_settings()
    rows = load_config_file(settings.opsbot_config).sources
    uris = (*settings.knowledge_sources, *(row.uri for row in rows))
    async with any_indexer() as engine:
        work = asyncio.create_task(follow(engine, uris, say), name="watch")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not work.done():
            work.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        try:
            await work
        except asyncio.CancelledError:
            say("Stopped; the index holds all that was told.")
    return 0


async def follow(
    engine: Indexer,
    uris: tuple[str, ...],
    say: Say,
    every_seconds: float = WATCH_EVERY_SECONDS,
) -> None:
    """Index, look for changes, index, … without an end; cancel it.

    A run that fails is told and tried again at the next look.

    Args:
        engine: Does the indexing.
        uris: The sources whose files are watched.
        say: Prints one line.
        every_seconds: Between two looks.
    """
    seen = await asyncio.to_thread(stamps, uris)
    say(f"Watching {len(seen)} files every {every_seconds:g} s; stop with Ctrl-C.")
    is_due = True
    problems: Problems = ()
    while True:
        if is_due:
            report = await _index(engine, say)
            is_due = report is None
            if report is not None:
                _tell_problems(say, problems, report.problems)
                problems = report.problems
        await asyncio.sleep(every_seconds)
        now = await asyncio.to_thread(stamps, uris)
        for change in changes(seen, now):
            say(f"{change.what:8} {change.path}")
            is_due = True
        seen = now


async def _index(engine: Indexer, say: Say) -> IndexReport | None:
    try:
        with progress_bars() as show:
            report = await engine.index(show)
    except OpsbotError as error:
        say(f"{error} It is tried again.")
        return None
    say(_told(report))
    return report


def _tell_problems(say: Say, before: Problems, now: Problems) -> None:
    """Those that are new, and how many are gone: all of them each time would hide the new one."""
    for path, why in now:
        if (path, why) not in before:
            say(f"Not read: {path}: {why}")
    if gone := len(set(before) - set(now)):
        say(f"Solved since: {gone}.")


def _told(report: IndexReport) -> str:
    problems = f" Not read, or not whole: {len(report.problems)}." if report.problems else ""
    return (
        f"{report.documents} documents read, {report.unchanged} unchanged; {report.chunks} chunks: "
        f"{report.added} added, {report.removed} removed.{problems}"
    )


@asynccontextmanager
async def any_indexer() -> AsyncIterator[Indexer]:
    """A library of this process's own, or the engine of the process that has the data folder."""
    settings = load_settings()
    with DataFolder(settings.opsbot_data_dir) as folder:
        if not await folder.own_or_meet():
            from bot.owner import RemoteEngine  # noqa: PLC0415  (a tenth of a second to load)

            yield RemoteEngine(folder.socket_path)
            return
        config = load_config_file(settings.opsbot_config)
        redactor = Redactor(folder.redaction_key(settings.redaction_key))
        async with open_library(settings, config, redactor, SystemClock()) as library:
            yield library


def _printer() -> Say:
    out = Console(highlight=False)
    return lambda line: out.print(Text(line), soft_wrap=True)

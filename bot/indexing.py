"""`opsbot index`, once or for as long as files change. Progress goes to standard error."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from bot.config_file import load_config_file
from bot.engine import Engine
from bot.settings import load_settings
from bot.terminal import any_engine
from core.errors import OpsbotError
from knowledge.index import IndexProgress, IndexReport
from knowledge.watching import changes, stamps

WATCH_EVERY_SECONDS = 2.0

Say = Callable[[str], None]
Problems = tuple[tuple[str, str], ...]


async def print_index() -> int:
    """Index with a progress bar; exit code 1 when something could not be read."""
    with _bar() as show:
        async with any_engine(is_indexed=False) as engine:
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
    async with any_engine(is_indexed=False) as engine:
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
    engine: Engine,
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


async def _index(engine: Engine, say: Say) -> IndexReport | None:
    try:
        with _bar() as show:
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
    return (
        f"{report.documents} documents read, {report.unchanged} unchanged; {report.chunks} chunks: "
        f"{report.added} added, {report.removed} removed."
    )


@contextmanager
def _bar() -> Iterator[Callable[[IndexProgress], None]]:
    """A progress bar a source and one for the vectors, gone when they are full."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,  # a file or a pipe has no use for a bar
        transient=True,
    )
    tasks: dict[str, TaskID] = {}

    def show(step: IndexProgress) -> None:
        name = f"{step.what} {step.place}"
        if name not in tasks:
            tasks[name] = bar.add_task(name, total=step.total)
        bar.update(tasks[name], completed=step.done, total=step.total)

    with bar:
        yield show


def _printer() -> Say:
    out = Console(highlight=False)
    return lambda line: out.print(Text(line), soft_wrap=True)

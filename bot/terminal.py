"""What `ask`, `search`, `digest` and `doctor` print. Results go to stdout, progress to stderr."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import msgspec
from rich.console import Console
from rich.live import Live
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from bot.config_file import FileConfig, load_config_file
from bot.datafolder import DataFolder
from bot.engine import Engine
from bot.owner import RemoteEngine
from bot.settings import Settings, load_settings
from core.answers import (
    Answer,
    AnswerEvent,
    Delta,
    Done,
    GenerationOptions,
    PartHealth,
    PartState,
)
from core.answers import Progress as AnswerProgress
from core.clock import SystemClock
from core.errors import KnowledgeError, OpsbotError, RequestError
from core.timerange import parse_duration
from digest.render_text import render_text
from knowledge.searchquery import marks

_BADGES = {
    PartState.OK: "[green]ok[/]",
    PartState.DEGRADED: "[yellow]degraded[/]",
    PartState.DOWN: "[red]down[/]",
}


@asynccontextmanager
async def any_engine() -> AsyncIterator[Engine]:
    """This process's own engine, its index up to date, or that of the data folder's owner."""
    settings = load_settings()
    with DataFolder(settings.opsbot_data_dir) as folder:
        if not await folder.own_or_meet():
            yield RemoteEngine(folder.socket_path)
            return
        config = load_config_file(settings.opsbot_config)
        async with _own_engine(settings, config, folder) as engine:
            yield engine


@asynccontextmanager
async def _own_engine(
    settings: Settings, config: FileConfig, folder: DataFolder
) -> AsyncIterator[Engine]:
    from bot.app import open_app  # noqa: PLC0415  (seconds to load; the owner has it loaded)

    async with open_app(settings, config, folder, SystemClock()) as app:
        with suppress(KnowledgeError):  # the answer tells what could not be searched
            await app.library.index()
        yield app.engine


async def print_task(words: str, options: GenerationOptions, *, as_json: bool) -> int:
    """Run the task that the first word names on the others, and print as `print_answer` does.

    Raises:
        RequestError: It is no task, or it needs more words.
    """
    from bot.commands.table import TASKS  # noqa: PLC0415  (brings the Slack client along)

    name, _, argument = words.strip().partition(" ")
    row = next((row for row in TASKS if row.name == name.lower()), None)
    if row is None:
        known = ", ".join(row.name for row in TASKS)
        raise RequestError(f"run {name!r}", "it is no task", f"These are: {known}.")
    if row.needs_argument and not argument.strip():
        raise RequestError(f"run {row.name!r}", "it needs more words", f"Usage: {row.usage}")
    return await print_answer(argument.strip(), options, as_json=as_json, task=row.name)


async def print_answer(
    question: str, options: GenerationOptions, *, as_json: bool, task: str = ""
) -> int:
    """Ask and print; exit code 0 for an answer, 3 for "not found"."""
    out, err = Console(), Console(stderr=True)
    async with any_engine() as engine:
        events = engine.ask(question, options, task)
        answer = await _follow(events, out, err, is_live=options.stream and not as_json)
    if as_json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    elif not (out.is_terminal and options.stream):
        sys.stdout.write(answer.text.rstrip() + "\n")
    if not as_json:
        _print_sources(answer, out)
    return 0 if answer.is_grounded else 3


async def _follow(
    events: AsyncIterator[AnswerEvent], out: Console, err: Console, *, is_live: bool
) -> Answer:
    is_live = is_live and out.is_terminal
    text = ""
    answer: Answer | None = None
    with (
        err.status("Looking…") as status,
        Live(Markdown(""), console=out, auto_refresh=False, transient=False) as live,
    ):
        async for event in events:
            match event:
                case AnswerProgress():
                    status.update(event.text)
                case Delta():
                    text += event.text
                case Done():
                    answer, text = event.answer, event.answer.text
            if is_live:
                live.update(Markdown(text), refresh=True)
    if answer is None:
        raise OpsbotError("answer the question", "the answer broke off", "Ask again.")
    return answer


def _print_sources(answer: Answer, out: Console) -> None:
    out.print()
    for citation in answer.citations:
        where = citation.url or citation.location
        out.print(f"[{citation.number}] {citation.title} — {where}", style="dim", markup=False)
    for note in answer.notes:
        out.print(f"Note: {note}", style="yellow", markup=False)
    for gap in answer.gaps:
        out.print(
            f"Not looked at: {gap.what} ({gap.why}). {gap.remedy}", style="yellow", markup=False
        )
    out.print(
        f"{answer.model} · {answer.confidence} · {answer.elapsed_seconds:.1f} s",
        style="dim",
        markup=False,
    )


async def print_hits(text: str, *, as_json: bool) -> int:
    """Search and print the hits; exit code 3 when there are none."""
    out = Console(highlight=False)
    async with any_engine() as engine:
        with Console(stderr=True).status("Searching…"):
            found = await engine.search(text)
    if as_json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
        return 0 if found.passages else 3
    words = marks(text)
    for number, hit in enumerate(found.passages, start=1):
        section = hit.heading.removeprefix(hit.title).strip(" ›")
        title = f"{hit.title} › {section}" if section else hit.title
        out.print(Text(f"{number}. {title}", style="bold"))
        for line in hit.text.splitlines():
            quoted = Text(f"   {line}")
            if words is not None:
                quoted.highlight_regex(words, "yellow")
            out.print(quoted, soft_wrap=True)
        day = f" · {hit.updated_at:%Y-%m-%d}" if hit.updated_at else ""
        out.print(Text(f"   {hit.source} · {hit.url or hit.location}{day}", style="dim"))
    if not found.passages:
        places = ", ".join(found.looked_in)
        sys.stdout.write(f"Nothing found. Looked in: {places or 'nothing'}.\n")
    for gap in found.gaps:
        out.print(Text(f"Not looked at: {gap.what} ({gap.why}). {gap.remedy}", style="yellow"))
    return 0 if found.passages else 3


async def print_digest(window: str | None, *, as_json: bool) -> int:
    """Preview a digest and print it."""
    span: timedelta | None = None
    if window is not None:
        span = parse_duration(window)
        if span is None or span <= timedelta(0):
            raise OpsbotError(
                f"look back {window!r}", "it is not a length of time", "Try 90m, 6h or 2d."
            )
    async with any_engine() as engine:
        with Console(stderr=True).status("Reading the clusters…"):
            found = await engine.digest(span)
    if as_json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        Console().print(Markdown(render_text(found, load_settings().zone)))
    return 0


async def print_health(*, as_json: bool) -> int:
    """Print every part's state; exit code 1 when a part is down."""
    try:
        async with any_engine() as engine:
            with Console(stderr=True).status("Checking every part…"):
                parts = await engine.health()
    except OpsbotError as error:
        # A part without which nothing starts is one more finding, not the end of the doctor.
        now = SystemClock().now()
        parts = (PartHealth("start", PartState.DOWN, str(error), now, error.remedy),)
    if as_json:
        sys.stdout.write(msgspec.json.encode(parts).decode() + "\n")
    else:
        table = Table("part", "state", "took", "detail", "what to do", box=None)
        for part in parts:
            took = f"{part.seconds:.2f} s"
            detail, remedy = Text(part.detail), Text(part.remedy)  # no markup: names may look so
            table.add_row(part.part, _BADGES[part.state], took, detail, remedy)
        Console().print(table)
    return 1 if any(part.state is PartState.DOWN for part in parts) else 0

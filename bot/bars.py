"""Progress on standard error: bars on a terminal, lines elsewhere."""

from __future__ import annotations

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

from knowledge.index import IndexProgress

Show = Callable[[IndexProgress], None]


@contextmanager
def progress_bars(console: Console | None = None) -> Iterator[Show]:
    """One bar for each thing that is done, gone at the end; a line a tenth where none can be drawn.

    Args:
        console: Where to; standard error by default.
    """
    console = console or Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    tasks: dict[str, TaskID] = {}
    told: dict[str, int] = {}

    def show(step: IndexProgress) -> None:
        name = f"{step.what} {step.place}"
        if name not in tasks:
            tasks[name] = bar.add_task(name, total=step.total)
        bar.update(tasks[name], completed=step.done, total=step.total)
        tenth = 10 * step.done // max(step.total, 1)
        if not console.is_terminal and told.get(name) != tenth:
            told[name] = tenth
            console.print(f"{name}: {step.done} of {step.total}", highlight=False, markup=False)

    with bar:
        yield show

"""What the running code is busy with: the reference that a reader sees, and the task.

It travels with asyncio's tasks, so that a log line or a model's call deep down knows whom it is for
without having been told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Errand:
    """One question, click or command.

    Attributes:
        reference: As its answer or its problem notice shows it; '' for the bot's own work.
        task: The command that answers, such as "limits".
    """

    reference: str = ""
    task: str = "digest"  # what the bot does when nobody asks


_current: ContextVar[Errand] = ContextVar("errand", default=Errand())  # noqa: B039  (frozen)


def errand() -> Errand:
    """The errand of whoever calls."""
    return _current.get()


def begin(reference: str) -> None:
    """From here to the end of this asyncio task all is done for this reference."""
    _current.set(Errand(reference, _current.get().task))


@contextmanager
def running(reference: str, task: str) -> Iterator[None]:
    """All in the block is done for this reference, by this task."""
    token = _current.set(Errand(reference, task))
    try:
        yield
    finally:
        _current.reset(token)

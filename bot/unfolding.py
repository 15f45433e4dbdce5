"""Shows an answer while it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from bot.services import EdgeLimits
from bot.surfaces import Surface
from core.answers import Answer, AnswerEvent, Delta, Done, Progress
from core.errors import OpsbotError

# An answer that is there sooner is posted whole; a later one shows what is going on.
_FIRST_SIGN_SECONDS = 0.7
# How long a call to Slack that is under way may hold up a cancellation.
_LAST_CALL_SECONDS = 2.0
# The answerer has the limit for its model; falling back on what it found takes a little longer.
_PATIENCE = 1.15


class StoppedError(Exception):
    """The asker called the answer off."""


@dataclass(slots=True)
class _Draft:
    """How far the answerer has come."""

    progress: str = ""
    text: str = ""
    answer: Answer | None = None


async def unfold(
    events: AsyncIterator[AnswerEvent],
    surface: Surface,
    limits: EdgeLimits,
    on_start: Callable[[asyncio.Task[None]], None],
) -> Answer:
    """Read an answerer to its end, showing how far it is.

    Args:
        events: What it gives.
        surface: Where it is shown.
        limits: How long it may take, and how often it is shown.
        on_start: Is given the task that reads; cancelling that calls the answer off.

    Raises:
        TimeoutError: It did not end within the limit.
        OpsbotError: It ended without an answer.
        StoppedError: The asker called it off.
    """
    draft = _Draft()
    reader = asyncio.create_task(_read(events, draft), name="answer")
    on_start(reader)
    try:
        await _show_until_done(reader, draft, surface, limits)
    finally:
        was_stopped = reader.cancelled()
        reader.cancel()
        await asyncio.wait({reader})
    if was_stopped:
        raise StoppedError
    reader.result()
    if draft.answer is None:
        raise OpsbotError("answer", "the search ended without a result", "Please ask again.")
    return draft.answer


async def _read(events: AsyncIterator[AnswerEvent], draft: _Draft) -> None:
    async for event in events:
        match event:
            case Progress(text):
                draft.progress = text
            case Delta(text):
                draft.text += text
            case Done(answer):
                draft.answer = answer


async def _show_until_done(
    reader: asyncio.Task[None], draft: _Draft, surface: Surface, limits: EdgeLimits
) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limits.answer_timeout_seconds * _PATIENCE
    pause = min(limits.stream_flush_seconds, _FIRST_SIGN_SECONDS)
    while True:
        left = deadline - loop.time()
        await asyncio.wait({reader}, timeout=max(0.0, min(pause, left)))
        if reader.done():
            return
        if loop.time() >= deadline:
            raise TimeoutError
        await _undisturbed(surface.show(draft.progress, draft.text))
        pause = limits.stream_flush_seconds


async def _undisturbed(call: Coroutine[Any, Any, None]) -> None:
    """Let a call to Slack end even when we are cancelled: half done, it would leave a message."""
    task = asyncio.create_task(call, name="show")
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=_LAST_CALL_SECONDS)
        raise

"""What a script may produce, and how it becomes the pieces that a model would stream."""

from __future__ import annotations

import asyncio
import re
from collections.abc import (
    AsyncGenerator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from typing import Any, Final

_TOKEN: Final = re.compile(r"\s*\S{1,6}")


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing comes for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is cut here, without a proper end."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The server reports an error here, as Ollama does when its runner dies."""

    message: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """The request is turned down with an HTTP status, as a busy Ollama does with 503."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class End:
    """The reply is over. `reason` is "stop" or "length", as in Ollama's done_reason."""

    reason: str
    tokens: int


Piece = str | Pause | Drop | Fail
Script = Callable[[list[dict[str, Any]], Mapping[str, Any]], str | Iterable[Piece] | Refuse]
"""From messages (role, content) and options to a reply.

The options are those of the request plus "format" where the request has one: "json" or a schema.
"""


def tokens(text: str) -> list[str]:
    """Cut text into pieces of a few letters; joined they give the text again."""
    found = _TOKEN.findall(text)
    rest = text[len("".join(found)) :]
    return [*found, rest] if rest else found


class _Cutter:
    """Lets text through until a stop sequence or the limit, whichever comes first."""

    def __init__(self, stops: Sequence[str], limit: int) -> None:
        self._stops = [stop for stop in stops if stop]
        self._limit = limit
        self._pending = ""
        self.count = 0
        self.reason = ""

    def feed(self, token: str) -> str:
        """The text that is safe to send now; sets `reason` when it is over."""
        if 0 < self._limit <= self.count:
            self.reason = "length"
            return self.flush()
        self.count += 1
        self._pending += token
        found = [place for stop in self._stops if (place := self._pending.find(stop)) >= 0]
        if found:
            self.reason = "stop"
            self._pending = self._pending[: min(found)]
            return self.flush()
        ready = len(self._pending) - self._held_back()
        text, self._pending = self._pending[:ready], self._pending[ready:]
        return text

    def flush(self) -> str:
        """What was held back, which can no longer become a stop sequence."""
        text, self._pending = self._pending, ""
        return text

    def _held_back(self) -> int:
        """How many letters at the end could be the beginning of a stop sequence."""
        longest = max((len(stop) - 1 for stop in self._stops), default=0)
        for size in range(min(longest, len(self._pending)), 0, -1):
            if any(stop.startswith(self._pending[-size:]) for stop in self._stops):
                return size
        return 0


def stream(
    reply: str | Iterable[Piece], stops: Sequence[str] = (), limit: int = -1
) -> Iterator[Piece | End]:
    """Cut a reply as a model would: until a stop sequence, or `limit` tokens; then End.

    A stop sequence is never part of the text, also when it lies across pieces. A limit of 0 or
    less means no limit.
    """
    cutter = _Cutter(stops, limit)
    for item in (reply,) if isinstance(reply, str) else reply:
        for token in tokens(item) if isinstance(item, str) else (item,):
            text = cutter.feed(token) if isinstance(token, str) else cutter.flush()
            if text:
                yield text
            if cutter.reason:
                yield End(cutter.reason, cutter.count)
                return
            if not isinstance(token, str):
                yield token
    if rest := cutter.flush():
        yield rest
    yield End("stop", cutter.count)


async def off_loop(pieces: Iterator[Piece | End]) -> AsyncGenerator[Piece | End, None]:
    """The same pieces; a script that takes its time holds up nobody else."""
    step: asyncio.Future[Piece | End | None] | None = None
    try:
        while True:
            step = asyncio.ensure_future(asyncio.to_thread(next, pieces, None))
            piece = await asyncio.shield(step)
            if piece is None:
                return
            yield piece
    finally:
        if step is not None:  # a generator cannot be closed while it runs
            await asyncio.wait({step})
        if isinstance(pieces, Generator):
            await asyncio.to_thread(pieces.close)

"""What people thought of an answer, with what it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Vote:
    """What one person thought of one answer."""

    reference: str
    user: str
    is_helpful: bool
    comment: str
    voted_at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage that an answer rested on or was given.

    Attributes:
        id: As in `core.answers.Passage`, as are `source` and `location`.
        is_cited: The answer's text names it.
    """

    id: str
    source: str
    title: str
    location: str
    url: str = ""
    is_cited: bool = False


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """An answer that somebody voted on; redacted.

    Attributes:
        channel: Where it was given; it is used again nowhere else.
        text: Markdown with `[n]` marks.
        passages: What the answer was made of, those it cites in the order of their numbers.
        kept_by: Who made knowledge of it, or ''.
    """

    reference: str
    channel: str
    question: str
    text: str
    model: str
    passages: tuple[Shown, ...]
    judged_at: datetime
    kept_by: str = ""
    kept_at: datetime | None = None
    votes: tuple[Vote, ...] = ()

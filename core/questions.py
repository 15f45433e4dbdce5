"""A question as the rules read it: what it names decides which sources contribute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Intent(StrEnum):
    """What the asker wants, as far as rules can tell. One question may have several."""

    IMPACT = "impact"
    OWNER = "owner"
    DEPENDENCIES = "dependencies"
    LIMITS = "limits"
    LOGS = "logs"
    METRICS = "metrics"
    SIMILAR = "similar"
    STATUS = "status"
    WHY = "why"
    HOW = "how"
    CONFIG = "config"
    CHANGES = "changes"
    INVESTIGATE = "investigate"


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `start` up to, not including, `end`; both aware UTC."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True)
class Reading:
    """A question, read.

    Attributes:
        question: The words as asked, without the bot's mention.
        search_text: The telling words for a search: pasted YAML and logs distilled, and
            abbreviations written out.
        names: Known objects, services, nodes or teams that the question names, most telling first.
        namespaces: Known namespaces it names.
        codes: Error codes and error tokens: "503", "ORA-00942", "OOMKilled", "ERR_PAYMENT_TIMEOUT".
        time_range: The period it speaks of, or None.
        limit: "last 10 …" gives 10, else None.
    """

    question: str
    search_text: str
    names: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    time_range: TimeRange | None = None
    intents: frozenset[Intent] = frozenset()
    limit: int | None = None

"""What a short factual question asks for: a number, a time, a port, a name. Pure.

A sentence that holds nothing of the kind cannot be the answer, however many words it shares with
the question.
"""

from __future__ import annotations

import re
from enum import Enum

# "What is the default …", "On which port …", "After how long …", "Up to how many …".
_FACTUAL = re.compile(
    r"\s*(?:(?:on|in|at|by|from|to|for|after|up to|within|under|until|since|of|with) )?"
    r"(?:what|which|who(?:m|se)?|when|where|how (?:many|much|long|often|large|big|small|high|low|"
    r"old|fast|far|frequently|soon))\b",
    re.IGNORECASE,
)
# These want to understand or to act: one sentence is too little.
_EXPLAINED = re.compile(
    r"\b(?:happens?|differences?|differs?|means?|causes?|should|to do|can (?:i|we|you))\b",
    re.IGNORECASE,
)
_MOST_WORDS = 20


class Wanted(Enum):
    """A kind of answer, with the pattern that every sentence of that kind holds."""

    DURATION = re.compile(
        r"\b\d[\d.,]*\s*-?(?:ms|s|m|h|d|(?:milli|micro)?sec(?:ond)?s?|min(?:ute)?s?|hours?|days?|"
        r"weeks?|months?|years?)\b|\b(?:one|two|three|four|five|six|ten|twelve|a|an) "
        r"(?:second|minute|hour|day|week|month|year)s?\b|\bnever\b|\bseconds?\b[^.]{0,20}\d",
        re.IGNORECASE,
    )
    PORT = re.compile(r"(?<![\w.])\d{2,5}(?:-\d{2,5})?(?![\w.]*\w)")
    SIZE = re.compile(
        r"\d[\d.,]*\s*-?(?:[KMGT]i?B?|bytes?|(?:kilo|mega|giga)bytes?|%|m)\b", re.IGNORECASE
    )
    VERSION = re.compile(r"\bv?\d+\.\d+")
    NUMBER = re.compile(
        r"(?<![\w.-])\d[\d.,]*\s?[a-z%]{0,3}(?!\w)|\b(?:one|two|three|four|five|six|seven|eight|nine"
        r"|ten|no|none|unlimited|any number)\b",
        re.IGNORECASE,
    )
    VALUE = re.compile(
        r"\d|`[^`]+`|\b(?:true|false|none|null|empty|enabled|disabled)\b", re.IGNORECASE
    )


_ASKS = (
    (Wanted.VERSION, r"\b(?:which|what) (?:\w+ )?(?:version|release)|\bsince which version"),
    (Wanted.PORT, r"\bports?\b"),
    (
        Wanted.DURATION,
        (
            r"\bhow (?:long|often|frequently|soon|old)\b|\b(?:timeout|time-out|interval|period|"
            r"duration|delay|window|ttl|lifetime|retention|expir\w+|backoff time|"
            r"how many (?:milli)?(?:seconds|minutes|hours|days))\b"
        ),
    ),
    (
        Wanted.SIZE,
        r"\bhow (?:large|big|much (?:memory|space|disk|cpu))\b|\b(?:size|memory limit)\b",
    ),
    (
        Wanted.NUMBER,
        (
            r"\bhow (?:many|much)\b|\b(?:number|count|maximum|minimum|highest|lowest|limit|"
            r"threshold|percentage|range|replicas|weight|priority)\b"
        ),
    ),
    (Wanted.VALUE, r"\bdefaults?\b|\bvalue\b"),
)


def is_short(question: str) -> bool:
    """Whether a question is one sentence, and no story with pasted output."""
    return len(question.split()) <= _MOST_WORDS


def is_factual(question: str) -> bool:
    """Whether a question is short and asks for a fact, not for a reason or a way."""
    is_asked = bool(_FACTUAL.match(question)) and not _EXPLAINED.search(question)
    return is_asked and is_short(question)


def wanted(question: str) -> Wanted | None:
    """The kind of answer that a factual question wants, None where any sentence may be it."""
    if not is_factual(question):
        return None
    return next((kind for kind, asks in _ASKS if re.search(asks, question, re.IGNORECASE)), None)

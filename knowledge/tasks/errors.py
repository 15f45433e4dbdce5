"""`errors [N] [since 2h] [code 503] [ns shop]`: the last critical errors, each with a fix."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

from core.answers import Scope
from core.clock import Clock
from core.errors import RequestError
from core.questions import Intent, Reading, TimeRange
from core.timerange import parse_duration, parse_time_range
from knowledge.errorlist import MOST_ITEMS
from knowledge.tasks.chained import Asked, ReadArgument
from knowledge.tasks.naming import Namer

EXAMPLE = "errors 5 since 2h code 503 ns shop"
_KEYWORDS = {"since": "since", "code": "code", "ns": "ns", "namespace": "ns"}
_CODE = re.compile(r"[1-5]\d\d|[1-5]xx|(?=.*[A-Za-z])[A-Za-z][\w.-]{2,60}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ErrorsWanted:
    """What was typed behind `errors`, each part as it stands there, or ''."""

    limit: int = MOST_ITEMS
    since: str = ""
    code: str = ""
    namespace: str = ""


def parse(argument: str) -> ErrorsWanted:
    """Read the little language.

    Raises:
        RequestError: A part is not understood; the error names it and gives an example.
    """
    words = argument.split()
    limit = MOST_ITEMS
    if words and words[0].lstrip("-").isdigit():
        limit = int(words.pop(0))
        if not 1 <= limit <= MOST_ITEMS:
            raise _wrong(f"{limit} is not a number from 1 to {MOST_ITEMS}")
    given: dict[str, str] = {}
    for keyword, value in _parts(words):
        if keyword in given:
            raise _wrong(f'"{keyword}" stands there twice')
        if not value:
            raise _wrong(f'"{keyword}" needs {_NEEDS[keyword]} behind it')
        given[keyword] = value
    code = given.get("code", "")
    if code and not _CODE.fullmatch(code):
        raise _wrong(f'"code {code[:60]}" is no code: it needs {_NEEDS["code"]}')
    if " " in (namespace := given.get("ns", "")):
        raise _wrong(f'"ns" needs one namespace, not "{namespace[:60]}"')
    return ErrorsWanted(limit, given.get("since", ""), code, namespace)


_NEEDS = {
    "since": "a length of time or a moment such as 2h, 9:30 or yesterday",
    "code": "a status code or an error's name such as 503, 5xx or ERR_STOCK_SYNC",
    "ns": "the name of a namespace",
}


def _parts(words: list[str]) -> Iterator[tuple[str, str]]:
    """Keywords, each with the words up to the next one."""
    keyword, value = "", list[str]()
    for word in words:
        if found := _KEYWORDS.get(word.lower().rstrip(":=")):
            if keyword:
                yield keyword, " ".join(value)
            keyword, value = found, []
        elif not keyword:
            raise _wrong(f'I do not know what "{word[:60]}" means here')
        else:
            value.append(word)
    if keyword:
        yield keyword, " ".join(value)


def errors(namer: Namer, clock: Clock, zone: tzinfo) -> ReadArgument:
    """From live findings and logs and from CSV logs.

    Args:
        namer: Knows the namespaces.
        clock: For "2h".
        zone: For "9:30".
    """

    async def read(argument: str, scope: Scope) -> Asked:
        wanted = parse(argument)
        period = _period(wanted.since, clock, zone)
        namespaces: tuple[str, ...] = ()
        if wanted.namespace:
            namespaces = (await namer.namespace(wanted.namespace, scope),)
        if wanted.code:
            question = f"Show the last {wanted.limit} error lines with code {wanted.code}"
        else:
            question = f"Summarize the last {wanted.limit} critical errors and suggest fixes"
        return Asked(
            Reading(
                question,
                search_text="",  # what is written on each error is looked up by its own words
                namespaces=namespaces,
                codes=(wanted.code,) if wanted.code else (),
                time_range=period,
                intents=frozenset({Intent.LOGS}),
                limit=wanted.limit,
            )
        )

    return read


def _period(since: str, clock: Clock, zone: tzinfo) -> TimeRange | None:
    if not since:
        return None
    now = clock.now()
    if span := parse_duration(since):
        return TimeRange(now - span, now)
    found = parse_time_range(f"since {since}", now, zone)
    if found is None or found.start >= now:
        raise _wrong(f'"since {since[:60]}" is no time in the past: it needs {_NEEDS["since"]}')
    return found


def _wrong(wrong: str) -> RequestError:
    return RequestError("list the errors", wrong, f"For example: `{EXAMPLE}`")

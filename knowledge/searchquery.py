"""What a person typed behind `search`, read: words to look for and filters. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from rapidfuzz import fuzz, process

from core.timerange import parse_duration
from knowledge.sentences import STOPWORDS

# As in `Passage.source`; the live cluster is asked, never searched.
SOURCES: Final = ("markdown", "csv-logs", "csv-metrics", "graph", "past")
FILTERS: Final[Mapping[str, str]] = {
    "source": "source:markdown",
    "ns": "ns:shop",
    "team": "team:orders",
    "after": "after:2026-01-31 or after:7d",
    "code": "code:503",
}
_OTHER_NAMES: Final = {"namespace": "ns", "since": "after", "sources": "source", "teams": "team"}
_TOKEN = re.compile(r'"[^"]*"|[“”][^“”]*[“”]|\S+')
_FILTER = re.compile(r"([A-Za-z]{2,12}):(\S*)")
# Pasted text is full of colons: "http://x", "redis:6379", "panic: …", "std::bad_alloc".
_NO_FILTER_VALUE = re.compile(r"(?:/|:|\d|$)")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WORD = re.compile(r"[^\W_]+(?:[._-][^\W_]+)*")
_ENDINGS = "(?:ings?|ers?|es|ed|s|e)?"
_LIKENESS = 60


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """Words and filters; an empty filter does not limit.

    Attributes:
        words: To look for; may be '' where there is a code.
        codes: The text, or the line's code, holds one of them as a whole word.
        since: Nothing older; aware UTC.
    """

    words: str
    sources: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    since: datetime | None = None

    @property
    def marks(self) -> re.Pattern[str] | None:
        """Matches what a reader should see marked in a hit: the words in all their endings."""
        return marks(f"{self.words} {' '.join(self.codes)}")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a search cannot be done, and what to type instead: two plain sentences."""

    wrong: str
    remedy: str


def parse_search(text: str, now: datetime, zone: tzinfo) -> SearchQuery | Mistake:
    """Read a search.

    A filter is `name:value`, or `name:one,other` for any of several. Words in double quotes are
    never a filter.

    Args:
        text: Everything after `search`.
        now: For "after:7d"; aware.
        zone: Where a day begins, for "after:2026-01-31".
    """
    words: list[str] = []
    given: dict[str, list[str]] = {}
    for match in _TOKEN.finditer(text):
        token = match[0]
        found = _FILTER.fullmatch(token)
        if found is None:
            words.append(token.strip('"“”'))
            continue
        name = found[1].lower()
        name = _OTHER_NAMES.get(name, name)
        values = [value for value in found[2].split(",") if value]
        if name in FILTERS:
            if not values:
                return Mistake(f"{name}: has no value", f"For example {FILTERS[name]}")
            given.setdefault(name, []).extend(values)
        elif _NO_FILTER_VALUE.match(found[2]):
            words.append(token)
        else:
            return _unknown(found[1], token)
    return _checked(" ".join(words).strip(), given, now, zone)


def _unknown(name: str, token: str) -> Mistake:
    close = process.extractOne(
        name.lower(), (*FILTERS, *_OTHER_NAMES), scorer=fuzz.ratio, score_cutoff=_LIKENESS
    )
    guess = f"; did you mean {_OTHER_NAMES.get(close[0], close[0])}:" if close else ""
    known = ", ".join(f"{known}:" for known in FILTERS)
    return Mistake(
        f"{name}: is no filter{guess}",
        f'The filters are {known}. To search for the word itself, write "{token}" in quotes',
    )


def _checked(
    words: str, given: Mapping[str, list[str]], now: datetime, zone: tzinfo
) -> SearchQuery | Mistake:
    values = {name: tuple(dict.fromkeys(found)) for name, found in given.items()}
    sources = tuple(value.lower() for value in values.get("source", ()))
    for source in sources:
        if source not in SOURCES:
            return Mistake(f"source:{source} is not one I know", f"Allowed are {_listed(SOURCES)}")
    for name, rule in (("ns", _NAME), ("team", _NAME), ("code", _CODE)):
        for value in values.get(name, ()):
            if rule.fullmatch(value) is None:
                return Mistake(f"{name}:{value} cannot be a {name}", f"For example {FILTERS[name]}")
    since: datetime | None = None
    if "after" in values:
        moment = _moment(values["after"][-1], now, zone)
        if isinstance(moment, Mistake):
            return moment
        since = moment
    codes = values.get("code", ())
    if not words and not codes:
        wrong = "There are only filters and nothing to look for" if given else "Nothing to look for"
        return Mistake(wrong, "Add some words, or a code such as code:503")
    return SearchQuery(
        words=words,
        sources=sources,
        namespaces=tuple(value.lower() for value in values.get("ns", ())),
        teams=values.get("team", ()),
        codes=codes,
        since=since,
    )


def _moment(value: str, now: datetime, zone: tzinfo) -> datetime | Mistake:
    asked = f"after:{value}"
    remedy = "Write a day such as after:2026-01-31, or how far to look back, such as after:7d"
    moment: datetime
    span = parse_duration(value)
    if span is not None:
        return (now - span).astimezone(UTC)
    try:
        if value.lower() in {"today", "yesterday"}:
            back = timedelta(days=1 if value.lower() == "yesterday" else 0)
            moment = datetime.combine(now.astimezone(zone).date() - back, time(), zone)
        elif re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            moment = datetime.combine(date.fromisoformat(value), time(), zone)
        else:
            moment = datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return Mistake(f"{asked} is no day and no length of time", remedy)
    if moment > now:
        return Mistake(f"{asked} lies in the future", remedy)
    return moment


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(values)


def marks(text: str) -> re.Pattern[str] | None:
    """A pattern of the telling words of `text`, whatever their ending; None without any."""
    found = _stems(text)
    if not found:
        return None
    longest_first = sorted(found, key=lambda stem: -len(stem[0]))
    shown = "|".join(f"{re.escape(stem)}{endings}" for stem, endings in longest_first)
    return re.compile(rf"(?<!\w)(?:{shown})(?!\w)", re.IGNORECASE)


def stems(text: str) -> tuple[str, ...]:
    """The telling words of `text` in lower case, without their endings."""
    return tuple(stem for stem, _ in _stems(text))


def _stems(text: str) -> tuple[tuple[str, str], ...]:
    words = (match[0].lower() for match in _WORD.finditer(text))
    telling = (_stem(word) for word in words if len(word) > 1 and word not in STOPWORDS)
    return tuple(dict.fromkeys(telling))


def _stem(word: str) -> tuple[str, str]:
    """A word without its ending, and the endings it may have."""
    if not word.isalpha():
        return word, ""
    for ending in ("ies", "ied", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending), "(?:y|ies|ied)"
    for ending in ("ings", "ing", "ers", "er", "es", "ed", "s", "e"):
        least = 3 if ending == "s" else 4
        if word.endswith(ending) and len(word) - len(ending) >= least:
            return word.removesuffix(ending), _ENDINGS
    return word, _ENDINGS

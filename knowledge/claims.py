"""What a sentence claims that can be looked up: names, quantities, codes, paths, addresses.

Pure. A claim is a token whose invention would mislead an engineer; plain English words are not
claims, they are weighed by overlap in `check`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.sentences import word_set

_TOKEN = re.compile(r"[^\s`*|()\[\]{}\"“”'’‘,;!?<>=…]+")
_QUANTITY = re.compile(r"[~≈+-]?(\d+(?:\.\d+)?)([a-zA-Zµμ%]{0,12})")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_CAMEL_NAME = re.compile(r"[A-Z]?[a-z]+[A-Z]\w*|[A-Z]{2,}[a-z]+\w*")
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)", re.IGNORECASE)

_UNITS = {
    "seconds": "s", "second": "s", "sec": "s", "secs": "s", "s": "s",
    "minutes": "m", "minute": "m", "min": "m", "mins": "m", "m": "m",
    "hours": "h", "hour": "h", "h": "h", "days": "d", "day": "d", "d": "d",
    "ms": "ms", "milliseconds": "ms", "µs": "us", "μs": "us", "us": "us", "microseconds": "us",
    "mi": "mi", "mib": "mi", "gi": "gi", "gib": "gi", "ki": "ki", "kib": "ki", "ti": "ti",
    "mb": "mb", "gb": "gb", "kb": "kb", "tb": "tb", "%": "%", "percent": "%",
    "cpu": "cpu", "cpus": "cpu", "core": "cpu", "cores": "cpu", "millicores": "m",
}  # fmt: skip
BYTES = frozenset({"mi", "gi", "ki", "ti", "mb", "gb", "kb", "tb"})
MEASURES = BYTES | {"%", "cpu", "ms", "us", "s", "m", "h", "d"}
_COUNTED = (
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_NUMBER_WORDS = {word: str(number) for number, word in enumerate(_COUNTED, start=2)}

_KINDS = word_set(
    """pod pods node nodes deployment deployments statefulset statefulsets daemonset daemonsets
    replicaset replicasets service services job jobs cronjob cronjobs configmap configmaps secret
    secrets namespace namespaces ingress persistentvolumeclaim persistentvolumeclaims
    persistentvolume storageclass horizontalpodautoscaler event events container containers
    kubernetes runbook slack api i"""
)
_SHORT_KINDS = word_set("deploy sts ds svc po cm pvc cj rs no and or")
# Hyphenated English that names nothing.
_COMPOUND = re.compile(
    r"(?:re|non|pre|post|un|self|well|long|short|high|low|multi|single|double|two|three|first|last|"
    r"read|write|step|up|out|in|on|off|follow|back|roll|run|set|time|root|end|cluster|memory|cpu|"
    r"so|most|least|near|full|half|month|year|day|week|health|ready|error|fail|cross|over|under|"
    r"per|ex|anti|semi|auto|old|new|known|best|worst|rate|load|hard|soft|safe|user|case|side)"
    r"(?:-[a-z]+)+|[a-z]+-(?:based|related|wide|level|specific|only|time|like|free|side|aware|in|out|"
    r"up|down|off|end|safe|ready|dependent|term|cause|on|of-memory|running|loop|looping|back|"
    r"backed|limited|bound|driven|facing|safe)|out-of-\w+|crash-loop(?:ing)?"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit in short form, or '' when it stands alone."""

    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What can be looked up in a text.

    Attributes:
        names: Tokens, in lower case, that look like names, paths, flags, codes or addresses.
        quantities: Plain numbers and numbers with units.
    """

    names: tuple[str, ...]
    quantities: tuple[Quantity, ...]


def tokens(text: str) -> list[str]:
    """The tokens of a text, without the punctuation around them."""
    joined = _THOUSANDS.sub("", text)
    stripped = (token.rstrip(".:/–—-").lstrip(".:–—") for token in _TOKEN.findall(joined))
    return [token for token in stripped if token]


def claims(text: str) -> Claims:
    """Read what a text claims."""
    found_names: dict[str, None] = {}
    found_quantities: dict[Quantity, None] = {}
    parts = tokens(text)
    for place, token in enumerate(parts):
        if place and token.lower() in _UNITS and parts[place - 1][-1].isdigit():
            continue
        following = parts[place + 1].lower() if place + 1 < len(parts) else ""
        if quantity := _quantity(token, following):
            found_quantities[quantity] = None
        elif token.lower() in _NUMBER_WORDS:
            found_quantities[Quantity(_NUMBER_WORDS[token.lower()], "")] = None
        elif _is_name(token, is_first=_begins_sentence(text, token)):
            found_names[token.lower()] = None
    return Claims(tuple(found_names), tuple(found_quantities))


def _quantity(token: str, following: str) -> Quantity | None:
    match = _QUANTITY.fullmatch(token)
    if match is None:
        return None
    unit = match[2].lower()
    if not unit:
        return Quantity(match[1], _UNITS.get(following, "") if len(following) > 1 else "")
    if unit == "x":
        return Quantity(match[1], "")
    return Quantity(match[1], _UNITS[unit]) if unit in _UNITS else None


def _begins_sentence(text: str, token: str) -> bool:
    at = text.find(token)
    before = text[:at].rstrip(" *_\"'“(`")
    return not before or before[-1] in ".!?:|-–—"


def _is_name(token: str, *, is_first: bool) -> bool:
    lower = token.lower()
    if lower.strip("-") in _KINDS or _ORDINAL.fullmatch(token):
        return False
    if (
        any(c.isdigit() for c in token)
        or "_" in token
        or token.startswith(("-", "/", "#", "@", "$"))
    ):
        return any(c.isalnum() for c in token)
    if "/" in token or "." in token or ":" in token or "\\" in token:
        return any(c.isalnum() for c in token)
    if "-" in token:
        return not _COMPOUND.fullmatch(lower)
    if _CAMEL_NAME.fullmatch(token):
        return True
    return not is_first and bool(re.fullmatch(r"[A-Z][a-z]{2,}", token))


def occurs(name: str, haystack: str) -> bool:
    """Whether a name stands in a text (lower case) as itself, not as a part of a longer one."""
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w]|-\w)", haystack))


def name_occurs(name: str, haystack: str) -> bool:
    """As `occurs`, also for "namespace/name" and "kind/name" whose halves stand apart."""
    if occurs(name, haystack):
        return True
    parts = name.split("/")
    if len(parts) == 2 and all(parts):
        return all(part in _KINDS | _SHORT_KINDS or occurs(part, haystack) for part in parts)
    return False


def quantity_occurs(wanted: Quantity, known: Iterable[Quantity]) -> bool:
    """Whether a quantity is known, with the same unit; a bare number fits any unit and back."""
    return any(
        wanted.value == have.value
        and (wanted.unit == have.unit or not wanted.unit or not have.unit)
        for have in known
    )

"""Cause and first step out of runbook passages, without a model: sentences as they stand there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from core.answers import Citation, Passage
from knowledge.wholepage import is_fix

MAX_SENTENCE_CHARS = 300
_CAUSE_HEADING = re.compile(r"\b(?:causes?|why|root cause|reason)\b", re.IGNORECASE)
_CAUSE_SENTENCE = re.compile(
    r"\b(?:caused? by|cause is|because|usually means|is due to|was the cause|nearly always)\b",
    re.IGNORECASE,
)
_STEP_HEADING = re.compile(
    r"\b(?:fix\w*|steps?|mitigat\w+|remed\w+|resol\w+|act|actions?|what to do|recover\w*|stop|"
    r"immediate\w*|procedure|repair)\b",
    re.IGNORECASE,
)
# Sections whose steps do not solve the problem: they only look, or say what to leave.
_LOOK_HEADING = re.compile(r"\b(?:look|reading|diagnos\w+|check\w*|verify)\b", re.IGNORECASE)
_NO_STEP_HEADING = re.compile(
    r"\b(?:not|never|impact|background|afterwards|rules|hit|why)\b", re.IGNORECASE
)
_STEP = re.compile(
    r"^[ \t]{0,3}(?:\d{1,2}[.)]|[-*+])[ \t]+(?P<step>\S.*(?:\n(?![ \t]*\n)[ \t]+\S.*)*)",
    re.MULTILINE,
)
_FENCE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_SENTENCE = re.compile(r"[^.!?]+(?:[.!?](?![\s)\]\"']|$)[^.!?]*)*[.!?]*[\"')\]]*")


def is_runbook(passage: Passage) -> bool:
    """Whether a passage comes from a runbook."""
    return passage.kind == "runbook" or "runbook" in passage.location.lower()


def choose_runbook(
    passages: Sequence[Passage], path: str, words: Sequence[str]
) -> tuple[Passage, ...]:
    """The passages of the one runbook that fits best, best first; none when none fits.

    Args:
        passages: Of all kinds, best first.
        path: The owner's runbook by the service graph, or ''.
        words: Lower-cased words of which the runbook must have one.
    """
    runbooks = [passage for passage in passages if is_runbook(passage)]
    fitting = [passage for passage in runbooks if _speaks_of(passage, words)]
    own = [passage for passage in fitting if path and _is_same(passage.location, path)]
    best = next(iter(own or fitting), None)
    if best is None:
        return ()
    same = [passage for passage in runbooks if page_of(passage.location) == page_of(best.location)]
    return (best, *(passage for passage in same if passage is not best))


def cite(passages: Sequence[Passage], path: str) -> Citation | None:
    """A citation of the chosen runbook, else of the one that the service graph names."""
    if passages:
        best = passages[0]
        return Citation(1, best.title, best.location, best.source, best.url, best.updated_at)
    if path:
        return Citation(1, PurePosixPath(path).stem.replace("-", " "), path, "graph")
    return None


def runbook_cause(passages: Sequence[Passage], words: Sequence[str]) -> str:
    """The first sentence that tells a cause, of a section on causes if there is one; else ''."""
    for passage in passages:
        if _CAUSE_HEADING.search(passage.heading):
            sentences = _sentences(passage.text)
            fitting = [each for each in sentences if _has(each, words)]
            if sentences:
                return (fitting or sentences)[0]
    for passage in passages:
        for sentence in _sentences(passage.text):
            if _CAUSE_SENTENCE.search(sentence) and _has(sentence, words):
                return sentence
    return ""


def first_step(passages: Sequence[Passage]) -> str:
    """The first sentence of a runbook's first step, of a section on what to do if there is one.

    Questions and openings of a table or a command are no steps by themselves.
    """
    for passage in sorted(passages, key=_distance_from_steps):
        if _NO_STEP_HEADING.search(_last_heading(passage)):
            continue
        for match in _STEP.finditer(_FENCE.sub("", passage.text)):
            sentences = _sentences(match["step"])
            if sentences and not sentences[0].rstrip("*_").endswith(("?", ":")):
                return sentences[0]
    return ""


def fix_told(passages: Sequence[Passage]) -> str:
    """What a report says that fixed it: the first sentence of the section on that, or ''."""
    for passage in passages:
        if is_fix(passage) and (told := _sentences(passage.text)):
            return told[0]
    return ""


def page_of(location: str) -> str:
    """Where a page stands, without the place inside it."""
    return location.split("#", 1)[0]


def _distance_from_steps(passage: Passage) -> int:
    heading = _last_heading(passage)
    if _STEP_HEADING.search(heading):
        return 0
    return 2 if _LOOK_HEADING.search(heading) else 1


def _last_heading(passage: Passage) -> str:
    return passage.heading.rsplit("›", 1)[-1]


def _sentences(text: str) -> list[str]:
    """Whole sentences of prose: no headings, tables, code or front matter."""
    prose: list[str] = []
    for block in re.split(r"\n[ \t]*\n", _FENCE.sub("\n\n", text)):
        lines = [line for line in block.splitlines() if not re.match(r"\s*(?:#|\||---|>)", line)]
        # A list item is a piece of prose of its own.
        joined = re.sub(r"\n[ \t]*(?:[-*+]|\d+[.)])[ \t]+", "\n\n", "\n".join(lines))
        for piece in joined.split("\n\n"):
            flat = re.sub(r"^(?:[-*+]|\d+[.)])[ \t]+", "", " ".join(piece.split()))
            prose += [match[0].strip() for match in _SENTENCE.finditer(flat)]
    return [_short(each) for each in prose if len(each.split()) >= 3]


def _short(sentence: str) -> str:
    # A link's target tells nothing in one line.
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", sentence)
    return text if len(text) <= MAX_SENTENCE_CHARS else text[: MAX_SENTENCE_CHARS - 1] + "…"


def _speaks_of(passage: Passage, words: Sequence[str]) -> bool:
    return _has(" ".join((passage.title, passage.heading, passage.location, passage.text)), words)


def _has(text: str, words: Sequence[str]) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in words)


def _is_same(location: str, path: str) -> bool:
    """Whether two paths name one page; each may be relative to another folder."""
    one, other = page_of(location).strip("/"), page_of(path).strip("/")
    return one == other or one.endswith("/" + other) or other.endswith("/" + one)

"""Reads the numbered passages out of a prompt and finds the sentences nearest to its question."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log
from typing import Final

ENOUGH: Final = 0.4
"""A passage answers when it has this share of the question's words, weighed by their rarity."""

_FENCED: Final = re.compile(
    r"<passage-(?P<nonce>\w+) number=(?P<number>\d+)>\n(?P<text>.*?)\n</passage-(?P=nonce)>",
    re.DOTALL,
)
_PLAIN: Final = re.compile(
    r"^\[(?P<number>\d+)\] (?P<text>.+?)(?=^\[\d+\] |^Question:|\Z)", re.DOTALL | re.MULTILINE
)
_QUESTION: Final = re.compile(
    r"^(?:Question:|.*problem in the cluster:) *(?P<text>.+)$", re.MULTILINE
)
_CODE: Final = re.compile(r"^ *```.*?^ *```\s*$", re.DOTALL | re.MULTILINE)
_HEADER_ROW: Final = re.compile(r"^\|.*\n(?=\|[ :|-]+\|$)", re.MULTILINE)
_LINK: Final = re.compile(r"\[([^\]\n]+)\]\([^)\s]*\)")
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*[A-Za-z0-9]|[A-Za-z]|\d")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*\"(])")
_STOPWORDS: Final = frozenset(
    (  # noqa: SIM905  (a list of sixty quoted words reads worse)
        "a an and any are at be been before between by can did do does ever for from happen has "
        "have hour how i in is it its keep last many may mean me minute much must now of on or our "
        "past say seen should show similar that the their them there they this to us was we were "
        "what when where which who why will with"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of passage `number`."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class _Found:
    """A passage that may answer: its sentences, in their order, with their scores."""

    number: int
    score: float
    sentences: list[tuple[float, str]]

    def best(self, count: int) -> list[Quote]:
        """The best sentences, in the order of the page."""
        places = sorted(range(len(self.sentences)), key=lambda at: -self.sentences[at][0])
        return [Quote(self.number, self.sentences[at][1]) for at in sorted(places[:count])]


def words(text: str) -> list[str]:
    """Lower-case words, endings off, without the most common ones."""
    found = (word.lower() for word in _WORD.findall(text))
    return [_stem(word) for word in found if word not in _STOPWORDS]


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "s"):
        if len(word) > len(ending) + 3 and word.endswith(ending) and not word.endswith("ss"):
            return word[: -len(ending)]
    return word


def question(prompt: str) -> str:
    """What is asked: the last line that begins with "Question:", else the prompt's last line."""
    found = [match["text"].strip() for match in _QUESTION.finditer(prompt)]
    lines = prompt.strip().splitlines()
    return found[-1] if found else lines[-1] if lines else ""


def passages(prompt: str) -> list[tuple[int, str]]:
    """Number and text of each passage: fenced ones, or paragraphs that begin with "[n] "."""
    found = list(_FENCED.finditer(prompt)) or list(_PLAIN.finditer(prompt))
    return [(int(match["number"]), match["text"]) for match in found]


def _is_fact(text: str) -> bool:
    """Whether the head of a passage calls it observed: a list of lines, not prose."""
    return "observed fact" in text.partition("\n")[0]


def _sentences(text: str) -> Iterator[str]:
    # The first line of a passage is its head: where it comes from, not what it says.
    head, _, body = text.partition("\n")
    if _is_fact(text):
        yield from (line.strip().removeprefix("- ") for line in body.splitlines() if line.strip())
        return
    body = _LINK.sub(r"\1", _HEADER_ROW.sub("", _CODE.sub("", body or head)))
    paragraph: list[str] = []
    for line in [*body.splitlines(), ""]:
        bare = line.strip()
        is_row = bare.startswith("|")
        starts = not bare or is_row or bare.startswith("#") or re.match(r"[-*] |\d+\. ", bare)
        if starts and paragraph:
            yield from _SENTENCE_END.split(" ".join(paragraph))
            paragraph = []
        if is_row:
            cells = [cell.strip() for cell in bare.strip("|").split("|") if cell.strip(" -:")]
            if cells:
                yield ": ".join((cells[0], ", ".join(cells[1:]))) if cells[1:] else cells[0]
        elif bare and not bare.startswith("#"):
            paragraph.append(re.sub(r"^(?:[-*] |\d+\. )", "", bare))


def _scored(text: str, weights: Mapping[str, float]) -> list[tuple[float, str]]:
    """Each sentence with the share of the question it has; what follows a good one gains by it."""
    rows, before = [], 0.0
    for sentence in _sentences(text):
        told = words(sentence)
        covered = sum(weight for word, weight in weights.items() if word in told)
        # A sentence that only repeats the question tells nothing; the one after it may.
        news = min(1.0, 0.4 + len(set(told) - set(weights)) / 8)
        if len(told) > 1:
            rows.append((max(covered * news, before / 2), sentence))
        before = covered
    if _is_fact(text):  # its lines have an order of their own: the sum first, then the details
        return [(1 / (1 + place), sentence) for place, (_, sentence) in enumerate(rows)]
    return rows


def quotes(prompt: str, count: int) -> list[Quote]:
    """Up to `count` sentences that answer, page by page; none when no page has enough.

    Asked for a summary, the facts themselves are the answer.
    """
    is_summary = any(word.startswith("summar") for word in words(question(prompt)))
    told = {number: (set(words(text)), text) for number, text in passages(prompt)}
    rarity = Counter(word for has, _ in told.values() for word in has)
    weights = {word: log(1 + len(told) / max(rarity[word], 1)) for word in words(question(prompt))}
    total = sum(weights.values()) or 1.0
    found = []
    for rank, (number, (has, text)) in enumerate(told.items()):
        share = sum(weight for word, weight in weights.items() if word in has) / total
        sentences = _scored(text, weights)
        # A fact was looked up for this question, whatever words it is told in.
        needed = (0.0 if is_summary else ENOUGH / 2) if _is_fact(text) else ENOUGH
        if share >= needed and sentences:
            # The passages come best first, and what was observed counts more than what was written.
            trust = (1.3 if _is_fact(text) else 1.0) / (1 + rank / 4)
            score = trust if is_summary and _is_fact(text) else share * trust
            found.append(_Found(number, score, sentences))
    found.sort(key=lambda row: -row.score)
    chosen: list[Quote] = []
    for row in found[:2]:
        if row.score >= found[0].score * 0.6:
            chosen += row.best(count - len(chosen) if is_summary else min(3, count - len(chosen)))
    return chosen

"""Reads the numbered passages out of a prompt and finds the sentences nearest to its question."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from typing import Final

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
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*[A-Za-z0-9]|[A-Za-z0-9]")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*\"(])")
_STOPWORDS: Final = frozenset(
    (  # noqa: SIM905  (a list of forty quoted words reads worse)
        "a an and are at be by did do does for from has have how i in is it its of on or our say "
        "show that the their them they this to was we what when where which who why will with"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of passage `number`; a higher score is nearer to the question."""

    number: int
    text: str
    score: float


def words(text: str) -> list[str]:
    """Lower-case words without the most common ones, a plural's s taken off."""
    found = (word.lower() for word in _WORD.findall(text))
    return [
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
        for word in found
        if word not in _STOPWORDS
    ]


def question(prompt: str) -> str:
    """What is asked: the last line that begins with "Question:", else the prompt's last line."""
    found = [match["text"].strip() for match in _QUESTION.finditer(prompt)]
    lines = prompt.strip().splitlines()
    return found[-1] if found else lines[-1] if lines else ""


def passages(prompt: str) -> list[tuple[int, str]]:
    """Number and text of each passage: fenced ones, or paragraphs that begin with "[n] "."""
    found = list(_FENCED.finditer(prompt)) or list(_PLAIN.finditer(prompt))
    return [(int(match["number"]), match["text"]) for match in found]


def _sentences(text: str) -> Iterator[str]:
    paragraph: list[str] = []
    # The first line of a passage is its head: where it comes from, not what it says.
    head, _, body = text.partition("\n")
    for line in [*_CODE.sub("", body or head).splitlines(), ""]:
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


def quotes(prompt: str) -> list[Quote]:
    """Sentences of the passages that share words with the question, nearest first."""
    asked = set(words(question(prompt)))
    rows = [(n, line) for n, text in passages(prompt) for line in _sentences(text)]
    rarity = Counter(word for _, line in rows for word in set(words(line)))
    found = []
    for number, line in rows:
        told = words(line)
        shared = asked.intersection(told)
        if len(told) < 3 or not shared:
            continue
        weight = sum(log(1 + len(rows) / rarity[word]) for word in shared)
        # Early passages are the better ones; long sentences share words by their length alone.
        found.append(Quote(number, line, weight / (1 + len(told) / 40) / (1 + number / 20)))
    return sorted(found, key=lambda quote: -quote.score)

"""Text in pieces that can be judged one by one: sentences, list items, fences, tables, words.

Pure. `SentenceStream` does for a growing text what `pieces` does for a finished one, so that
what a model says can be checked while it is still speaking.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

_MARKER = re.compile(r"\s*(?:>\s?)*(?:[-*+•]\s+|\d{1,3}[.)]\s+)?")
_CODE = re.compile(r"(^[ \t]*```.*?^[ \t]*```[ \t]*$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"\s*#{1,6}\s+\S")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})(.*)")
# A sentence ends at its full stop, with the quotes and citations that trail it, once the next
# one has begun.
_BOUNDARY = re.compile(r"[.!?]+[\"')*_”]*(?:\s*\[\d+(?:\s*,\s*\d+)*\])*(\s+)(?=[^\s\[])")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|incl|resp|no)\.$", re.IGNORECASE
)
# Control characters and marks that turn the direction of writing: they hide what a line says.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_WORD = re.compile(r"[A-Za-z0-9]+(?:[._%'-][A-Za-z0-9]+)*%?")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


_CIRCLE_WORDS = 12  # fewer may repeat for a reason


def word_set(text: str) -> frozenset[str]:
    """The words of a text; reads better than a long list of literals."""
    return frozenset(text.split())


STOPWORDS = word_set(
    """a about above after again all also am an and any are as at be because been before being both
    but by can could did do does doing don for from further get gets got had has have having he
    her here hers him his how i if in into is it its itself just let like may me might more most
    must my no nor not now of off on once only or other our out over own per same she should so
    some such than that the their them then there these they this those through to too under until
    up upon us very was we were what when where which while who whom whose why will with within
    without would yes you your please tell show give need want know see use used using via e.g i.e
    etc one i'm i've i'd i'll we're we've we'd you're you've it's that's there's what's don't
    doesn't didn't can't couldn't won't wouldn't shouldn't isn't aren't wasn't weren't hasn't
    haven't"""
)

# Words that Kubernetes glues together or abbreviates, as people write them out.
_SAME = {
    "oomkilled": ("memory", "kill", "out", "oom"),
    "oomkill": ("memory", "kill", "out", "oom"),
    "oom": ("memory", "out"),
    "crashloopbackoff": ("crash", "loop", "restart"),
    "imagepullbackoff": ("image", "pull"),
    "errimagepull": ("image", "pull"),
    "notready": ("ready",),
    "pvc": ("persistentvolumeclaim", "volume", "claim"),
    "hpa": ("horizontalpodautoscaler", "autoscaler"),
    "oncall": ("call",),
    "on-call": ("call",),
}


class PieceKind(Enum):
    """What a piece of Markdown is."""

    SENTENCE = auto()
    HEADING = auto()
    FENCE = auto()
    TABLE = auto()
    BLANK = auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text that stands or falls as one.

    Attributes:
        text: The words; for a fence its body without the fence lines, for a table its lines.
        marker: List marker and quote signs before the first sentence of a line.
        starts_line: False for the second and later sentences of a line.
        language: The word after an opening fence.
    """

    kind: PieceKind
    text: str
    marker: str = ""
    starts_line: bool = True
    language: str = ""


def repeats_itself(text: str) -> bool:
    """Whether a text goes in circles, as small models do when they lose the thread."""
    words = _WORD.findall(text.lower())
    if len(words) < _CIRCLE_WORDS:
        return False
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return len(set(triples)) * 2 < len(triples)


class SentenceStream:
    """Cuts a text that arrives in arbitrary parts into pieces, each as soon as it is whole."""

    def __init__(self) -> None:
        self._rest = ""
        self._line_is_open = False
        self._fence: list[str] | None = None
        self._fence_mark = ""
        self._language = ""
        self._table: list[str] = []

    def feed(self, text: str) -> list[Piece]:
        """Take more text; gives the pieces that it completes."""
        self._rest += _UNSEEN.sub("", text)
        found: list[Piece] = []
        while "\n" in self._rest:
            line, self._rest = self._rest.split("\n", 1)
            found += self._line(line)
        found += self._open_line()
        return found

    @property
    def unfinished(self) -> str:
        """The beginning of a piece that is not whole yet."""
        return self._rest

    def close(self) -> list[Piece]:
        """The text has ended: gives what is left. An open fence counts as closed here."""
        found: list[Piece] = []
        if self._rest:
            line, self._rest = self._rest, ""
            found += self._line(line)
        if self._fence is not None:
            found.append(self._end_fence())
        return found + self._end_table()

    def _line(self, line: str) -> list[Piece]:
        if self._fence is not None:
            return self._fence_line(line, self._fence)
        if self._line_is_open:
            return self._sentences(line, is_whole=True)[0]
        if line.lstrip().startswith("|"):
            self._table.append(line.strip())
            return []
        return self._end_table() + self._new_line(line)

    def _fence_line(self, line: str, fence: list[str]) -> list[Piece]:
        if line.strip().startswith(self._fence_mark) and not line.strip().strip("`~"):
            return [self._end_fence()]
        fence.append(line)
        return []

    def _new_line(self, line: str) -> list[Piece]:
        if fence := _FENCE.fullmatch(line):
            self._fence, self._fence_mark = [], fence[1]
            self._language = fence[2].strip().split(" ")[0][:20].strip("`")
            return []
        if not line.strip():
            return [Piece(PieceKind.BLANK, "")]
        if _HEADING.match(line):
            return [Piece(PieceKind.HEADING, line.strip())]
        return self._sentences(line, is_whole=True)[0]

    def _open_line(self) -> list[Piece]:
        """Whole sentences at the beginning of a line whose end has not come yet."""
        start = self._rest.lstrip()
        if self._fence is not None or (
            not self._line_is_open and start[:3] in {"```", "~~~"} | {"`", "~", "``", "~~"}
        ):
            return []
        if not self._line_is_open and (start[:1] in {"|", "#"} or not start):
            return []
        pieces, self._rest = self._sentences(self._rest, is_whole=False)
        if not pieces:
            return []
        return [*self._end_table(), *pieces]

    def _sentences(self, line: str, *, is_whole: bool) -> tuple[list[Piece], str]:
        found: list[Piece] = []
        match = None if self._line_is_open else _MARKER.match(line)
        marker = match[0] if match else ""
        position = len(marker)
        search_from = position
        while boundary := _BOUNDARY.search(line, search_from):
            sentence = line[position : boundary.start(1)]
            search_from = boundary.end()
            if sentence.count("`") % 2 or _ABBREVIATION.search(sentence):
                continue
            found.append(self._sentence(sentence, marker))
            marker, position = "", boundary.end()
        if not is_whole:
            return found, line[position:] if found else line
        if line[position:].strip():
            found.append(self._sentence(line[position:], marker))
        self._line_is_open = False
        return found, ""

    def _sentence(self, text: str, marker: str) -> Piece:
        starts_line = not self._line_is_open
        self._line_is_open = True
        return Piece(PieceKind.SENTENCE, text.strip(), marker, starts_line)

    def _end_fence(self) -> Piece:
        body = "\n".join(self._fence or ())
        self._fence = None
        return Piece(PieceKind.FENCE, body, language=self._language)

    def _end_table(self) -> list[Piece]:
        if not self._table:
            return []
        text, self._table = "\n".join(self._table), []
        return [Piece(PieceKind.TABLE, text)]


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Change a text, but not its fences and code spans: `containers[0]` cites nothing."""
    parts = _CODE.split(text)
    return "".join(part if n % 2 else change(part) for n, part in enumerate(parts))


def pieces(text: str) -> list[Piece]:
    """Cut a finished Markdown text into pieces, in order."""
    stream = SentenceStream()
    return stream.feed(text) + stream.close()


def stem(word: str) -> str:
    """A rough stem of an English word, in lower case; the same for "crashes" and "crashing"."""
    word = word.lower().removesuffix("'s")
    if len(word) <= 3 or any(c.isdigit() for c in word):
        return word
    for ending, put in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("edly", ""), ("ed", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + put
            break
    else:
        if word.endswith("s") and not word.endswith(("ss", "us", "is")):
            word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lse":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


def terms(text: str) -> list[str]:
    """Stems of the words that carry meaning, in order; glued names also in their parts."""
    found: list[str] = []
    for match in _WORD.finditer(text):
        word = match[0]
        lower = word.lower()
        if lower in STOPWORDS or (len(word) == 1 and not word.isdigit()):
            continue
        found.append(stem(word))
    return found


def vocabulary(text: str) -> frozenset[str]:
    """All stems under which a text can be found: its terms, the parts of glued names, synonyms."""
    found: set[str] = set()
    for match in _WORD.finditer(text):
        word = match[0]
        lower = word.lower()
        found.add(stem(word))
        found.update(stem(same) for same in _SAME.get(lower, ()))
        parts = [p for half in re.split(r"[._-]", word) for p in _CAMEL.findall(half)]
        if len(parts) > 1:
            found.update(stem(part) for part in parts)
    return frozenset(found)

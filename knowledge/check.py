"""Only checked text leaves here: whole answers at once, or sentence by sentence while streaming.

Pure. `judge` decides on one piece; this module puts the kept pieces together again, renumbers the
citations in order of appearance, and keeps account of what was cut and why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.answers import Passage
from knowledge import commands
from knowledge.judge import Checker, Verdict
from knowledge.sentences import Piece, PieceKind, SentenceStream, repeats_itself, terms

_REPEATED = "it was said before"
_CIRCLES = 3  # pieces said again before a model counts as stuck
_NOT_FIRST = "a changing command may not come first, and nothing stands before it"


@dataclass(frozen=True, slots=True)
class Checked:
    """A checked text.

    Attributes:
        text: Markdown; `[n]` counts 1, 2, … in order of appearance.
        cited: For each `[n]` the number of the passage (from 1) in the order of the evidence.
        kept: Texts of the pieces that passed.
        cut: Texts of the pieces that did not.
        reasons: Why, one for each of `cut`.
        is_admission: What was kept says mainly that the evidence does not answer.
    """

    text: str
    cited: tuple[int, ...]
    kept: tuple[str, ...]
    cut: tuple[str, ...]
    reasons: tuple[str, ...]
    is_admission: bool = False

    @property
    def is_enough(self) -> bool:
        """Whether what is left is worth showing as an answer: something cited, not just crumbs."""
        words = sum(len(terms(text)) for text in self.kept)
        return bool(self.cited) and words >= 4 and len(self.kept) * 3 >= len(self.cut)


@dataclass(slots=True)
class _Waiting:
    """A heading or lead-in that is shown only if something follows under it."""

    kind: PieceKind
    text: str
    marker: str
    has_gap: bool


class CheckedWriter:
    """Takes a model's text as it comes and gives back checked text to append.

    Headings and lead-ins ("Next steps:") wait for something to stand under them, a command that
    changes something for something to stand before it.
    """

    def __init__(self, checker: Checker) -> None:
        self._checker = checker
        self._stream = SentenceStream()
        self._text = ""
        self._numbers: dict[int, int] = {}
        self._kept: list[str] = []
        self._cut: list[tuple[str, str]] = []
        self._admissions = 0
        self._waiting: list[_Waiting] = []
        self._held: list[tuple[PieceKind, Verdict, str]] = []
        self._has_gap = False  # a blank line came since the last text shown
        self._line_is_open = False  # the last text shown can take a further sentence
        self._follows_block = False
        self._marker = ""

    def feed(self, text: str) -> str:
        """Take more of the model's text; gives what may be shown now, maybe nothing."""
        return "".join(self._piece(piece) for piece in self._stream.feed(text))

    def close(self) -> str:
        """The model has ended; gives the last of what may be shown."""
        new = "".join(self._piece(piece) for piece in self._stream.close())
        self._cut += [(verdict.text or "", _NOT_FIRST) for _, verdict, _ in self._held]
        self._held.clear()
        return new

    @property
    def is_stuck(self) -> bool:
        """Whether the model goes in circles, so that waiting for its end is no use."""
        again = sum(reason == _REPEATED for _, reason in self._cut)
        return again >= _CIRCLES or repeats_itself(self._stream.unfinished)

    @property
    def checked(self) -> Checked:
        """What has been written so far."""
        return Checked(
            text=self._text,
            cited=tuple(self._numbers),
            kept=tuple(self._kept),
            cut=tuple(text for text, _ in self._cut),
            reasons=tuple(reason for _, reason in self._cut),
            is_admission=bool(self._admissions) and self._admissions * 2 >= len(self._kept),
        )

    def _piece(self, piece: Piece) -> str:
        if piece.kind is PieceKind.BLANK:
            self._has_gap = True
            return ""
        if piece.starts_line:
            self._line_is_open = False
            self._marker = piece.marker
        verdict = self._once(self._checker.judge(piece), piece)
        if verdict.text is None:
            self._cut.append((piece.text, verdict.reason))
            return ""
        if verdict.is_lead_in:
            self._wait(piece.kind, verdict.text)
            return ""
        if not self._text and _changes(piece.kind, verdict.text):
            self._held.append((piece.kind, verdict, self._marker))
            return ""
        new = self._release() + self._show(piece.kind, verdict, self._marker)
        for held in self._held:
            self._line_is_open = False
            new += self._show(*held)
        self._held.clear()
        return new

    def _once(self, verdict: Verdict, piece: Piece) -> Verdict:
        """The verdict, unless the piece says again what was shown, or goes in circles itself."""
        text = verdict.text
        if text is None or verdict.is_lead_in:
            return verdict
        is_prose = piece.kind is PieceKind.SENTENCE
        if text in self._kept or (is_prose and repeats_itself(text)):
            return Verdict(None, reason=_REPEATED)
        return verdict

    def _show(self, kind: PieceKind, verdict: Verdict, marker: str) -> str:
        self._kept.append(verdict.text or "")
        self._admissions += verdict.is_admission
        return self._emit(kind, self._with_citations(kind, verdict), marker)

    def _wait(self, kind: PieceKind, text: str) -> None:
        """A new heading makes those before it pointless, a new lead-in the last lead-in."""
        if kind is PieceKind.HEADING:
            self._waiting.clear()
        elif self._waiting and self._waiting[-1].kind is not PieceKind.HEADING:
            self._waiting.pop()
        self._waiting.append(_Waiting(kind, text, self._marker, self._has_gap))

    def _release(self) -> str:
        new = ""
        has_gap = self._has_gap
        for held in self._waiting:
            self._has_gap = held.has_gap
            self._line_is_open = False
            new += self._emit(held.kind, held.text, held.marker)
            self._line_is_open = False
            self._has_gap = has_gap
        self._waiting.clear()
        return new

    def _emit(self, kind: PieceKind, text: str, marker: str) -> str:
        is_block = kind is not PieceKind.SENTENCE
        if not self._text:
            joint = ""
        elif self._line_is_open and not is_block:
            joint, marker = " ", ""
        else:
            joint = "\n\n" if self._has_gap or is_block or self._follows_block else "\n"
        self._has_gap, self._line_is_open, self._follows_block = False, not is_block, is_block
        new = joint + ("" if is_block else marker) + text
        self._text += new
        return new

    def _with_citations(self, kind: PieceKind, verdict: Verdict) -> str:
        marks = "".join(
            f"[{self._numbers.setdefault(number, len(self._numbers) + 1)}]"
            for number in verdict.cited
        )
        text = verdict.text or ""
        if kind is PieceKind.FENCE:
            return _fence(text, marks)
        if not marks:
            return text
        if kind is PieceKind.TABLE:
            return f"{text}\n\n{marks}"
        ending = re.search(r"[.!?]?[*_]*$", text)
        cut = ending.start() if ending else len(text)
        return f"{text[:cut]} {marks}{text[cut:]}"


def _changes(kind: PieceKind, text: str) -> bool:
    if kind is PieceKind.FENCE:
        return commands.block_changes(text)
    return bool(commands.changing_commands(text))


def _fence(body: str, marks: str) -> str:
    """A fence that its body cannot close, marked when a line of it changes the cluster."""
    body = body.replace("```", "'''")  # Slack knows no longer fences
    mark = "```"
    lead = f"{commands.CHANGES_MARK} {marks}:" if commands.block_changes(body) else marks
    return "\n".join(part for part in (lead.replace(" :", ":"), mark, body, mark) if part)


def check(
    text: str,
    passages: Sequence[Passage],
    question: str = "",
    known_names: frozenset[str] = frozenset(),
) -> Checked:
    """Check a finished text against the passages, which it cites as [1], [2], … Never raises."""
    writer = CheckedWriter(Checker(passages, question, known_names))
    writer.feed(text)
    writer.close()
    return writer.checked

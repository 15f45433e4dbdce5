"""Holds every sentence of a model against the evidence; what the evidence does not carry is cut.

Pure, and independent of how good the model is: names, numbers, commands, paths and addresses must
occur in what was found, the words must overlap with the passage that is cited, and a command that
changes the cluster is kept only when it stands in the evidence word for word, and then marked.

It is longer than others: one sentence passes through all its rules, and they share their words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from core.answers import Passage
from knowledge import commands
from knowledge.claims import (
    BYTES,
    MEASURES,
    Claims,
    Quantity,
    claims,
    name_occurs,
    occurs,
    quantity_occurs,
    tokens,
)
from knowledge.sentences import Piece, PieceKind, outside_code, pieces, terms, vocabulary, word_set

_CITATION = re.compile(r"\s*(?:\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]|【(\d{1,3})[^】\n]{0,20}】)")
_NOTIFIES = re.compile(
    r"<[!@#]|@(?:here|channel|everyone)\b|<\s*(?:https?:|mailto:)", re.IGNORECASE
)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\(\s*<?([^)\s>]*)>?[^)\n]*\)")
_URL = re.compile(r"\b(?:https?|ftp|file|ssh)://[^\s<>()\[\]`\"']+", re.IGNORECASE)
# Only what speaks of the evidence itself: "storageclass not found" is a fact and needs its passage.
_UNKNOWN = re.compile(
    r"\b(?:passages?|evidence|documents?|documentation|sources?|runbooks?|context)\b[^.]{0,40}"
    r"\b(?:not|no|never|nothing)\b|\bno (?:passage|evidence|information|runbook|mention)\b|"
    r"\b(?:is|are|remains?) (?:not (?:known|clear|stated|mentioned|specified)|unknown|unclear)\b|"
    r"\b(?:I|we) (?:cannot|can't|could not|couldn't|do not|don't) (?:tell|say|know|find|determine|"
    r"confirm|answer)\b",
    re.IGNORECASE,
)
_NEGATIONS = word_set("not no never cannot without don't doesn't isn't aren't won't can't")
_OPPOSITES = (
    ("increas", "decreas"), ("rais", "lower"), ("rais", "reduc"), ("enabl", "disabl"),
    ("start", "stop"), ("add", "remov"), ("healthy", "unhealthy"), ("grow", "shrink"),
)  # fmt: skip
_CHANGE_STEMS = word_set(
    """delet remov drain wip drop destroy purg truncat format uninstall evict reboot shutdown disabl
    restart rollback revok terminat eras overwrit cordon"""
)
# Told as an order. "14 restarts" in a passage does not carry "Restart it": the verb itself must.
_IMPERATIVE = re.compile(
    r"(?:^\W*|\b(?:should|must|to|then|please|and|can|could|you|first|try)\s+)(delete|remove|drain|"
    r"wipe|drop|destroy|purge|truncate|format|uninstall|evict|reboot|restart|disable|revoke|stop|"
    r"terminate|erase|scale|kill|cordon|rollback|roll back|recreate|patch|edit)\b",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"(?:The\s+)?([A-Z][a-z]{2,})\s+(?:is|was|has|had|are|were|will|did|owns|runs)\b"
)
_FLAG_VALUE = re.compile(r"(?<!\S)--?[A-Za-z][\w-]*=\S+")
_TITLE_WORD = re.compile(r"(?<![\w-])[A-Z][a-z]*(?![\w-])")
_ENOUGH = 0.5  # share of a sentence's words that its cited passage must know
_ENOUGH_UNASKED = 0.6  # the same where the model's own citation was missing or wrong


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one piece: its text without citation marks, or None with the reason."""

    text: str | None
    cited: tuple[int, ...] = ()
    reason: str = ""
    is_admission: bool = False
    is_lead_in: bool = False


class _Source:
    """A passage in the forms in which sentences are looked up."""

    def __init__(self, number: int, passage: Passage) -> None:
        self.number = number
        parts = (passage.title, passage.heading, passage.location, passage.text)
        tags = (passage.namespace, passage.service, passage.team, passage.kind, passage.url)
        self.full = "\n".join(part for part in (*parts, *tags) if part)
        self.lower = self.full.lower().replace(",", " ,")
        self.words = vocabulary(self.full)
        self.normal = commands.normal(self.full)

    @cached_property
    def lines(self) -> list[tuple[str, tuple[Quantity, ...]]]:
        return [(line.lower(), claims(line).quantities) for line in self.full.splitlines()]

    @cached_property
    def keys(self) -> frozenset[str]:
        """Words that name a row of a table here."""
        rows = re.findall(r"^\s*\|\s*([^|\n]+)\|", self.full, re.MULTILINE)
        return frozenset(token.lower() for row in rows for token in tokens(row))

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        # Digits inside glued tokens ("limit:256Mi", "5m0s") count as well.
        loose = claims(re.sub(r"[/:=,()-]", " ", self.full)).quantities
        return claims(self.full).quantities + loose

    @cached_property
    def _measured(self) -> tuple[Quantity, ...]:
        told = claims(_FLAG_VALUE.sub(" ", self.full)).quantities
        return told + tuple(quantity for quantity in self.quantities if quantity.unit)

    def holds(self, wanted: Quantity) -> bool:
        """Whether a quantity stands here; the 40 of "--tail=40" makes no "40 %" true."""
        return quantity_occurs(wanted, self._measured if wanted.unit else self.quantities)

    @cached_property
    def sentences(self) -> list[tuple[frozenset[str], bool]]:
        return [
            (frozenset(terms(piece.text)), _is_negated(piece.text))
            for piece in pieces(self.full)
            if piece.kind is PieceKind.SENTENCE
        ]


class Checker:
    """Judges pieces of an answer against numbered passages (1 is the first).

    Args:
        passages: The evidence, in the order in which the model saw it.
        question: The asker's words: its names and codes may be repeated, its quantities may not.
        known_names: Names of objects that exist; one that neither the evidence nor the question
            speaks of may not appear.
    """

    def __init__(
        self,
        passages: Sequence[Passage],
        question: str = "",
        known_names: frozenset[str] = frozenset(),
    ) -> None:
        self._sources = [_Source(n, passage) for n, passage in enumerate(passages, start=1)]
        self._question = question.lower()
        self._known = frozenset(name.lower() for name in known_names if len(name) > 2)

    def judge(self, piece: Piece) -> Verdict:
        """Decide on one piece. Never raises."""
        if piece.kind is PieceKind.FENCE:
            return self._fence(piece.text)
        if piece.kind is PieceKind.TABLE:
            return self._table(piece.text)
        body, cited = _take_citations(_balanced(piece.text))
        body = _balanced(body)
        if reason := self._danger(body):
            return Verdict(None, reason=reason)
        if piece.kind is PieceKind.HEADING or _is_lead_in(body):
            # Headings write Words Like Names; what looks like one all the same still counts.
            plain = _TITLE_WORD.sub(lambda word: word[0].lower(), body.lstrip("# "))
            reason = self._unknown_claim(plain, self._sources)
            return Verdict(None, reason=reason) if reason else Verdict(body, is_lead_in=True)
        verdict = self._sentence(body, cited)
        if verdict.text is None:
            return verdict
        return Verdict(
            _marked(verdict.text), verdict.cited, verdict.reason, is_admission=verdict.is_admission
        )

    def _sentence(self, body: str, cited: Sequence[int]) -> Verdict:
        wanted = frozenset(terms(body))
        if not wanted:
            return Verdict(None, reason="says nothing")
        named = [source for source in self._sources if source.number in cited]
        reason = ""
        if named:
            reason = self._unsupported(body, wanted, named, _ENOUGH)
            if not reason:
                return Verdict(body, tuple(source.number for source in named))
        bare = re.sub(r"`[^`]*`", "", body)
        if _UNKNOWN.search(bare) and not self._unknown_claim(body, self._sources):
            return Verdict(body, is_admission=True)
        ranked = sorted(self._sources, key=lambda s: len(wanted & s.words), reverse=True)
        for group in [[source] for source in ranked[:4]] + [ranked[:2]]:
            other = self._unsupported(body, wanted, group, _ENOUGH_UNASKED)
            if not other:
                return Verdict(body, tuple(sorted(source.number for source in group)))
            reason = reason or other
        return Verdict(None, reason=reason or "there is no evidence")

    def _unsupported(
        self, body: str, wanted: frozenset[str], sources: list[_Source], enough: float
    ) -> str:
        """Why these sources do not carry the sentence, or ''."""
        if reason := self._unknown_claim(body, sources):
            return reason
        words = frozenset().union(*(source.words for source in sources))
        share = len(wanted & words) / len(wanted)
        if share < (enough if len(wanted) > 3 else 0.66):
            return f"only {share:.0%} of its words stand in what it cites"
        told = {match[1].lower() for match in _IMPERATIVE.finditer(body)}
        missing = sorted(wanted & _CHANGE_STEMS - words) + sorted(
            verb for verb in told if not any(occurs(verb, source.lower) for source in sources)
        )
        if missing:
            return f"tells to change something that its passage does not speak of ({missing[0]})"
        for one, other in _OPPOSITES:
            for said, held in ((one, other), (other, one)):
                if said in wanted and said not in words and held in words:
                    return f"says the opposite of its passage ({said}…)"
        return _contradiction(body, wanted, sources)

    def _unknown_claim(self, body: str, sources: Sequence[_Source]) -> str:
        """The first name, number or command in a text that the sources do not know, or ''."""
        spans = re.findall(r"`([^`\n]+)`", body) + commands.bare_commands(body)
        for span in spans:
            if reason := self._bad_command(span, sources):
                return reason
        said = claims(body)
        return (
            self._unknown_name(body, said, sources)
            or self._unknown_number(said, sources)
            or self._wrong_row(body, said, sources)
        )

    def _unknown_name(self, body: str, said: Claims, sources: Sequence[_Source]) -> str:
        existing = {token.lower() for token in tokens(body)} & self._known
        for name in (*said.names, *sorted(existing)):
            if not self._knows(name, sources):
                return f"names {name[:60]}, which is not in the evidence"
        subject = _SUBJECT.match(body)
        if subject and not vocabulary(subject[1]) & _ordinary(self._question, sources):
            return f"speaks of {subject[1]}, which is not in the evidence"
        return ""

    def _unknown_number(self, said: Claims, sources: Sequence[_Source]) -> str:
        for quantity in said.quantities:
            known = any(source.holds(quantity) for source in sources)
            # A code may be repeated from the question; "is it 512Mi?" does not make it so.
            asked = not quantity.unit and occurs(quantity.value, self._question)
            if not known and not asked:
                return f"gives the number {quantity.value}{quantity.unit}, not in the evidence"
        return ""

    def _knows(self, name: str, sources: Sequence[_Source]) -> bool:
        return occurs(name, self._question) or any(
            name_occurs(name, source.lower) for source in sources
        )

    def _bad_command(self, span: str, sources: Sequence[_Source]) -> str:
        if any(commands.is_in(span, source.normal) for source in sources):
            return ""
        if commands.changing_commands(f"`{span}`"):
            return "tells a changing command that is not in the evidence"
        if commands.is_command(span):
            free = commands.composable(span)
            if free is None:
                return "tells a command that is not in the evidence"
            unknown = [word for word in free if not self._knows(word.lower(), self._sources)]
            return (
                f"tells a command about {unknown[0][:60]}, not in the evidence" if unknown else ""
            )
        unknown = [
            word for word in span.split() if not self._knows(word.lower().strip(".,;:"), sources)
        ]
        return f"quotes {unknown[0][:60]}, which is not in the evidence" if unknown else ""

    def _wrong_row(self, body: str, said: Claims, sources: Sequence[_Source]) -> str:
        """Catches a value taken from another object's line, as small models do with tables."""
        lowered = {token.lower() for token in tokens(body)}
        keys = frozenset[str]().union(*(source.keys for source in sources))
        names = {*said.names, *(lowered & (self._known | keys))}
        for quantity in said.quantities:
            if quantity.unit not in MEASURES or not names:
                continue
            lines = [line for source in sources for line in source.lines]
            holding = [line for line, have in lines if quantity_occurs(quantity, have)]
            if not holding or any(occurs(name, line) for name in names for line in holding):
                continue
            if any(
                occurs(name, line) and any(_is_alike(other, quantity) for other in have)
                for line, have in lines
                for name in names
            ):
                return f"gives {quantity.value}{quantity.unit}, which stands with another name"
        return ""

    def _danger(self, body: str) -> str:
        if _NOTIFIES.search(body):
            return "would notify people or hide a link"
        for url in _URL.findall(body):
            if not any(
                url.rstrip(".,;:").lower() in source.full.lower() for source in self._sources
            ):
                return "gives an address that is not in the evidence"
        return ""

    def _fence(self, body: str) -> Verdict:
        lines = [line for line in re.sub(r"\\\s*\n", " ", body).splitlines() if line.strip()]
        if not lines:
            return Verdict(None, reason="an empty block")
        cited: dict[int, None] = {}
        for line in lines:
            holder = next((s for s in self._sources if commands.is_in(line, s.normal)), None)
            if holder is not None:
                cited[holder.number] = None
                continue
            free = commands.composable(line) if commands.is_command(line) else None
            if free is None or not all(self._knows(word.lower(), self._sources) for word in free):
                return Verdict(None, reason="a block with a line that is not in the evidence")
        return Verdict(body, tuple(cited))

    def _table(self, text: str) -> Verdict:
        rows = text.splitlines()
        is_ruled = len(rows) > 2 and not set(rows[1]) - set("|-: ")
        head, data = (rows[:2], rows[2:]) if is_ruled else ([], rows)
        kept: list[str] = []
        cited: dict[int, None] = {}
        for row in data:
            body, numbers = _take_citations(_balanced(row))
            cells = _balanced(body.strip().strip("|").replace("|", " "))
            verdict = self._sentence(cells, numbers)
            if verdict.text is not None and not self._danger(cells):
                kept.append(body)
                cited.update(dict.fromkeys(verdict.cited))
        if head and self._danger(head[0]):
            return Verdict(None, reason="would notify people or hide a link")
        if not kept:
            return Verdict(None, reason="no row of the table is in the evidence")
        return Verdict("\n".join(head + kept), tuple(cited))


def _is_alike(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities measure the same kind of thing."""
    both_bytes = one.unit in BYTES and other.unit in BYTES
    return both_bytes or (one.unit == other.unit and bool(one.unit))


def _ordinary(question: str, sources: Sequence[_Source]) -> frozenset[str]:
    generic = vocabulary("this that there it everything nothing another each both one")
    return vocabulary(question).union(generic, *(source.words for source in sources))


def _contradiction(body: str, wanted: frozenset[str], sources: Sequence[_Source]) -> str:
    """A sentence that repeats its passage's words with the "not" put in or left out."""
    negated = _is_negated(body)
    close = [
        is_other_negated
        for source in sources
        for words, is_other_negated in source.sentences
        if len(wanted & words) >= 0.75 * len(wanted)
    ]
    if close and all(other is not negated for other in close):
        return "says the opposite of its passage"
    return ""


def _is_negated(text: str) -> bool:
    return bool(_NEGATIONS & set(re.findall(r"[a-z']+", text.lower().replace("’", "'"))))


def _is_lead_in(body: str) -> bool:
    return body.rstrip("*_ ").endswith(":") and len(body.split()) <= 12


def _take_citations(text: str) -> tuple[str, list[int]]:
    numbers: list[int] = []

    def take(match: re.Match[str]) -> str:
        numbers.extend(int(number) for number in re.findall(r"\d+", match[1] or match[2]))
        return ""

    def clean(part: str) -> str:
        flat = _LINK.sub(lambda m: f"{m[1]} ({m[2]})" if m[2] != m[1] else m[1], part)
        return _CITATION.sub(take, flat)

    body = outside_code(text, clean).strip()
    return re.sub(r"([!?]|\.\s)\s*\.$", r"\1", body).strip(), numbers


def _balanced(text: str) -> str:
    """Without anything that could open a fence, a code span or emphasis and not close it."""
    text = re.sub(r"`{2,}|~{3,}", "", text)
    if text.count("`") % 2:
        text = text.replace("`", "")
    if text.count("**") % 2:
        text = text.replace("**", "")
    return text.strip()


def _marked(text: str) -> str:
    if commands.CHANGES_MARK in text or not commands.changing_commands(text):
        return text
    return f"{text.rstrip('.')} ({commands.CHANGES_MARK})."

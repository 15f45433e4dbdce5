"""The last critical errors as a numbered list: each with its cause, its lines and its fix. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.answers import Passage
from core.questions import Intent, Reading
from knowledge import commands
from knowledge.blocks import BlockKind, blocks, plain, sentences
from knowledge.quoting import Numbered, cite, fact_lines, line, parts_of, short
from knowledge.steps import without_pointers
from knowledge.wholepage import is_fix, tells_fix

MOST_ITEMS = 10
_RANKS = {"critical": 0.0, "high": 1.0, "medium": 2.0}
_SEVERITY = re.compile(r"^Severity (\w+)", re.MULTILINE)
_TROUBLES = re.compile(r"error|critical|problem|issue|finding|trouble", re.IGNORECASE)
_SAID = frozenset({BlockKind.STEP, BlockKind.PARAGRAPH, BlockKind.BULLET, BlockKind.ROW})
_BESIDE_STEPS = frozenset({BlockKind.PARAGRAPH, BlockKind.BULLET, BlockKind.ROW})
_GROUP = "Errors in the log of "
_LONGEST_FIX_WORDS = 24
_LONGEST_COMMAND = 160


@dataclass(slots=True)
class Item:
    """One trouble of one service: a finding, its kinds of log lines, or both."""

    service: str
    rank: float
    passages: list[Passage] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The passage that stands for the item."""
        return self.passages[0].id

    @property
    def words(self) -> str:
        """What a runbook on it would say."""
        return " ".join((self.service, *(fact_lines(p)[0] for p in self.passages[:2])))


def is_error_list(reading: Reading, passages: Sequence[Passage]) -> bool:
    """Whether a question asks for the errors there are, and errors were found."""
    asks = reading.limit is not None or (
        Intent.LOGS in reading.intents
        and bool(re.search(r"summar|overview|fix", reading.question, re.IGNORECASE))
    )
    about = re.search(
        r"error|critical|problem|issue|finding|trouble", reading.question, re.IGNORECASE
    )
    wants_lines = re.search(r"\b(?:log )?lines?\b", reading.question, re.IGNORECASE)
    return bool(asks and about and not wants_lines) and bool(error_items(passages, MOST_ITEMS))


def error_items(passages: Sequence[Passage], most: int) -> list[Item]:
    """Findings and kinds of log lines, joined by service, the worst first, at most `most`."""
    by_service: dict[str, Item] = {}
    for passage in passages:
        if not passage.is_fact or not fact_lines(passage):
            continue
        is_finding = passage.source == "cluster" and passage.id.endswith(":finding")
        is_group = passage.source == "csv-logs" and passage.title.startswith(_GROUP)
        if not (is_finding or is_group):
            continue
        item = by_service.setdefault(passage.service, Item(passage.service, _rank(passage)))
        item.passages.append(passage)
        item.rank = min(item.rank, _rank(passage))
        if "The log of" in passage.text or is_group:
            item.rank -= 0.7 / len(item.passages)
    ordered = sorted(by_service.values(), key=lambda item: item.rank)
    return ordered[: min(most, MOST_ITEMS)]


def _rank(passage: Passage) -> float:
    found = _SEVERITY.search(passage.text)
    return _RANKS.get(found[1], 3.0) if found else 1.5


def error_list(
    reading: Reading,
    facts: list[Numbered],
    prose: list[Numbered],
    remedies: Mapping[str, Sequence[str]],
) -> str:
    """The numbered list."""
    numbers = {passage.id: n for n, passage in (*facts, *prose)}
    texts = {passage.id: passage for _, passage in prose}
    items = error_items([p for _, p in facts], reading.limit or MOST_ITEMS)
    lines = [_lead(facts, len(items))]
    for at, item in enumerate(items, start=1):
        lines.append(f"{at}. {_told(item, numbers)}")
        if remedy := remedy_line(
            [texts[key] for key in remedies.get(item.key, ()) if key in texts]
        ):
            text, passage = remedy
            name = plain(passage.title)
            lines.append(f"   - Fix (runbook *{name}*): {cite(text, numbers[passage.id])}")
    return "\n".join(line for line in lines if line)


def _lead(facts: list[Numbered], count: int) -> str:
    told = f"{count} troubles, the worst first" if count > 1 else "One trouble"
    for n, passage in facts:
        if passage.source == "csv-logs" and not passage.title.startswith(_GROUP):
            first = fact_lines(passage)[0].split(";")[0].rstrip(".")
            return f"{told}; {cite(f'the log files hold {first}.', n)}\n"
    return f"{told}.\n"


def _told(item: Item, numbers: Mapping[str, int]) -> str:
    first, *more = item.passages
    lines = fact_lines(first)
    named = re.compile(rf"(?<![\w-]){re.escape(item.service)}(?![\w-])")
    told = line(named.sub(f"**{item.service}**", lines[0], count=1), numbers[first.id], 50)
    if more:
        text = fact_lines(more[0])[0].removeprefix(f"{item.service} wrote ")
        return f"{told} Log: {line(text, numbers[more[0].id])}"
    if ends := next((text for text in lines if text.startswith("The log of ")), ""):
        text = ends.removeprefix(f"The log of {item.service} ends with ")
        told += f" Log: {line(text, numbers[first.id])}"
    return told


def remedy_line(passages: Sequence[Passage]) -> tuple[str, Passage] | None:
    """The first thing to do that a runbook names, with the command that stands under it."""
    for passage in sorted(passages, key=lambda p: not is_fix(p)):
        said, command = _first_step(passage)
        if not said and not command:
            continue
        marked = f" ({commands.CHANGES_MARK})" if _changes(said, command) else ""
        shown = short(without_pointers(said), _LONGEST_FIX_WORDS).rstrip(".:")
        span = f" `{command}`" if command else ""
        return f"{shown}{':' if shown and span else ''}{span}{marked}.".strip(), passage
    return None


def _first_step(passage: Passage) -> tuple[str, str]:
    """The first step's sentence and its own command: never that of another step."""
    parts = parts_of(passage)
    body = next((body for name, body in parts if tells_fix(name)), blocks(passage.text))
    found = list(body)
    if any(block.kind is BlockKind.STEP for block in found):
        found = [block for block in found if block.kind not in _BESIDE_STEPS]
    said = ""
    for block in found:
        if block.kind is BlockKind.FENCE:
            return said, _whole_command(block.text)
        if block.kind in _SAID:
            if said:
                break
            said = plain(next((s for s in sentences(block) if len(s.split()) > 4), ""))
    return said, ""


def _whole_command(code: str) -> str:
    """The first command of a block on one line, or '' where it cannot be quoted whole."""
    joined = re.sub(r"\\\s*\n\s*", " ", code)
    first = next((row for row in joined.splitlines() if row and not row.startswith("#")), "")
    command = " ".join(first.split())
    is_whole = command.count("'") % 2 == 0 and command.count('"') % 2 == 0
    return command if is_whole and "`" not in command and len(command) <= _LONGEST_COMMAND else ""


def _changes(said: str, command: str) -> bool:
    return bool(command and commands.is_changing(command)) or bool(
        commands.changing_commands(said, with_sql=False)
    )

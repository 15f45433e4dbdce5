"""Markdown as an engineer reads it: paragraphs, steps, rows and commands, wrapped lines joined.

Pure. Made for quoting from passages, hence forgiving: a passage is a cut-out of a page and may
begin in the middle of a list or a fence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from knowledge.sentences import PieceKind, outside_code, pieces

_FENCE = re.compile(r"\s*(?:[-*+]\s+)?(`{3,}|~{3,})\s*(\w*)")
_ITEM = re.compile(r"(\s*)(?:([-*+•])|(\d{1,3})[.)])\s+(?:\[[ xX]\]\s+)?(.*)")
_LINK = re.compile(r"!?\[([^\]\n]+)\]\([^)\n]*\)")
_CODE_LINK = re.compile(r"!?\[(`[^`\n]+`)\]\([^)\n]*\)")
_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,})\s*")


class BlockKind(Enum):
    """What a block is."""

    PARAGRAPH = auto()
    STEP = auto()
    BULLET = auto()
    FENCE = auto()
    ROW = auto()
    HEADING = auto()


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a passage.

    Attributes:
        text: Plain Markdown on one line; a fence's body with its line ends; a row as "a: b; c: d".
        number: The number of a step, else 0.
        cells: The cells of a row.
        is_nested: A fence or list that belongs to the item above it.
        language: The word after an opening fence.
    """

    kind: BlockKind
    text: str
    number: int = 0
    cells: tuple[str, ...] = ()
    is_nested: bool = False
    language: str = ""


def blocks(text: str) -> list[Block]:
    """Cut a passage into blocks, in order. Links keep their words and lose their address."""
    found: list[Block] = []
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        if fence := _FENCE.match(line):
            body, at = _fence(lines, at + 1, fence[1])
            if body.strip():
                is_nested = line[:1].isspace()
                found.append(
                    Block(BlockKind.FENCE, body, is_nested=is_nested, language=fence[2].lower())
                )
            continue
        if line.lstrip().startswith("|"):
            rows, at = _take(lines, at, lambda other: other.lstrip().startswith("|"))
            found += _rows(rows)
            continue
        if not line.strip() or _RULE.fullmatch(line):
            at += 1
            continue
        if line.lstrip().startswith("#") and re.match(r"\s*#{1,6}\s", line):
            found.append(Block(BlockKind.HEADING, line.strip().strip("#").strip()))
            at += 1
            continue
        first, at = line, at + 1
        more, at = _take(lines, at, _continues)
        found.append(_prose(first, more))
    return found


def sentences(block: Block) -> list[str]:
    """The sentences of a block; rows and fences are one each."""
    if block.kind in {BlockKind.ROW, BlockKind.FENCE}:
        return [block.text]
    return [piece.text for piece in pieces(block.text) if piece.kind is PieceKind.SENTENCE]


def plain(text: str) -> str:
    """A line without links' addresses and citation-like marks that would read as ours."""
    return outside_code(_CODE_LINK.sub(r"\1", text), _without_marks).strip()


def _without_marks(text: str) -> str:
    return re.sub(r"\[(\d{1,3})\]", r"(\1)", _LINK.sub(r"\1", text))


def _continues(line: str) -> bool:
    return bool(line.strip()) and not (
        _ITEM.match(line)
        or _FENCE.match(line)
        or line.lstrip().startswith(("|", "#"))
        or _RULE.fullmatch(line)
    )


def _take(lines: list[str], at: int, wanted: Callable[[str], bool]) -> tuple[list[str], int]:
    taken: list[str] = []
    while at < len(lines) and wanted(lines[at]):
        taken.append(lines[at])
        at += 1
    return taken, at


def _fence(lines: list[str], at: int, mark: str) -> tuple[str, int]:
    body: list[str] = []
    while at < len(lines):
        if lines[at].strip().startswith(mark) and not lines[at].strip().strip("`~"):
            return _dedent(body), at + 1
        body.append(lines[at])
        at += 1
    return _dedent(body), at


def _dedent(lines: list[str]) -> str:
    margins = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    margin = min(margins, default=0)
    return "\n".join(line[margin:].rstrip() for line in lines).strip("\n")


def _rows(lines: list[str]) -> list[Block]:
    table = [[plain(cell) for cell in _cells(line)] for line in lines]
    ruled = len(table) > 1 and not set("".join(table[1])) - set("-: ")
    head = table[0] if ruled else []
    found = []
    for cells in table[2:] if ruled else table:
        pairs = [
            f"{name}: {cell}" if name else cell
            for name, cell in zip([*head[1:], *[""] * len(cells)], cells[1:], strict=False)
            if cell
        ]
        text = " — ".join(part for part in (cells[0] if cells else "", "; ".join(pairs)) if part)
        if text and set(text) - set("-:; —"):
            found.append(Block(BlockKind.ROW, text, cells=tuple(cells)))
    return found


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def _prose(first: str, more: list[str]) -> Block:
    item = _ITEM.match(first)
    head = item[4] if item else first
    text = plain(" ".join(part.strip().lstrip("> ") for part in (head, *more)))
    if item is None:
        return Block(BlockKind.PARAGRAPH, text)
    is_nested = len(item[1]) >= 2
    if item[3]:
        return Block(BlockKind.STEP, text, number=int(item[3]), is_nested=is_nested)
    return Block(BlockKind.BULLET, text, is_nested=is_nested)

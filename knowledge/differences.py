"""Where the cluster and what is written about it disagree. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.answers import Passage
from core.questions import Intent, Reading
from knowledge.blocks import Block, BlockKind, blocks
from knowledge.claims import BYTES, claims

_COMPARED = frozenset({Intent.HOW, Intent.WHY, Intent.STATUS, Intent.LIMITS, Intent.CONFIG})


def difference(
    reading: Reading, facts: list[tuple[int, Passage]], prose: list[tuple[int, Passage]]
) -> str:
    """Says when the cluster and a page give different memory limits for what was asked."""
    if not reading.names or (reading.intents and not reading.intents & _COMPARED):
        return ""
    name = reading.names[0].lower()
    live = _limits(
        (n, line) for n, p in facts for line in p.text.splitlines()
        if name in f"{p.title} {p.location}".lower() and p.source == "cluster"
    )  # fmt: skip
    written = _limits(
        (n, block.text) for n, p in prose for block in blocks(p.text)
        if block.kind is BlockKind.ROW and _speaks_of(name, p, block)
    )  # fmt: skip
    if not live or not written or {value for value, _ in live} & {value for value, _ in written}:
        return ""
    (is_value, is_number), (was_value, was_number) = live[0], written[0]
    return (
        f"**They differ:** the cluster has a memory limit of {is_value} [{is_number}], "
        f"written down is {was_value} [{was_number}]."
    )


def _speaks_of(name: str, passage: Passage, block: Block) -> bool:
    first = block.cells[0].lower() if block.cells else ""
    about = f"{passage.title} {passage.service}".lower()
    is_memory_row = "memory" in first or "limit" in first
    return name in re.split(r"[\s`*,/]+", first) or (is_memory_row and name in about)


def _limits(lines: Iterable[tuple[int, str]]) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for number, line in lines:
        match = re.search(
            r"limits?\b[^;,\n]{0,40}?(\d+(?:\.\d+)?\s?[KMGT]i?B?)\b", line, re.IGNORECASE
        )
        if match and claims(match[1]).quantities and claims(match[1]).quantities[0].unit in BYTES:
            found.append((match[1].replace(" ", ""), number))
    return found

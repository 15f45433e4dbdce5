"""Long Markdown in parts that each stand on their own."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^ {0,3}(?P<mark>`{3,20}(?!`)|~{3,20}(?!~))(?P<info>[^\n]*)$")


def split_markdown(text: str, limit: int) -> list[str]:
    """Cut at blank lines, else at lines, else anywhere; code fences are closed and opened again.

    Args:
        text: Markdown, already escaped.
        limit: Characters a part may have, fences that were added included; at least 200.

    Returns:
        The parts in order; none is empty, and an empty text gives none.
    """
    parts: list[str] = []
    part: list[str] = []
    used = 0
    opened = ""  # the fence line that the current part would have to close
    for line in _lines_within(text, limit // 3):
        after = _after(line, opened)
        room = limit - (len(_mark(after)) + 1 if after else 0)
        while len(part) > (1 if opened else 0) and used + len(line) > room:
            cut = _cut(part, opened)
            ended = [*part[:cut], *([_mark(opened)] if opened else [])]
            parts.append("\n".join(ended))
            part = part[cut:] if cut < len(part) else [opened] * bool(opened)
            used = sum(len(kept) + 1 for kept in part)
        part.append(line)
        used += len(line) + 1
        opened = after
    rest = "\n".join(part)
    parts.append(f"{rest}\n{_mark(opened)}" if opened else rest)
    return [kept.strip("\n") for kept in parts if kept.strip()]


def _cut(part: list[str], opened: str) -> int:
    """Where to end a part: after its last blank line in the second half, outside of code."""
    if opened:
        return len(part)
    fence = ""
    cut = len(part)
    for position, line in enumerate(part):
        fence = _after(line, fence)
        if not line.strip() and not fence and position > len(part) // 2:
            cut = position + 1
    return cut


def _after(line: str, opened: str) -> str:
    """The fence line that is open after `line`, or ''."""
    found = _FENCE.match(line)
    if found is None:
        return opened
    mark = found["mark"]
    if not opened:
        return line if len(line) <= 40 else mark
    own = _mark(opened)
    closes = mark[0] == own[0] and len(mark) >= len(own) and not found["info"].strip()
    return "" if closes else opened


def _mark(opened: str) -> str:
    found = _FENCE.match(opened)
    return found["mark"] if found else "```"


def _lines_within(text: str, limit: int) -> list[str]:
    lines: list[str] = []
    for line in text.split("\n"):
        rest = line
        while len(rest) > limit:
            cut = rest.rfind(" ", limit // 2, limit) + 1 or limit
            lines.append(rest[:cut])
            rest = rest[cut:]
        lines.append(rest)
    return lines

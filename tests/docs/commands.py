"""Reads the commands that the pages show.

They stand in fences marked `sh`. A comment `# needs …` says what a command needs besides a clone:
behind a command for that one, on a line of its own for all that follow in its fence.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
# Fences of these kinds hold no commands.
TEXTS = frozenset({"csv", "json", "markdown", "mermaid", "python", "text", "yaml"})
FENCE = re.compile(r"^```(.*)$")
# Alone, behind settings, or in a container: `… exec bot opsbot`, `… exec deploy/opsbot -- opsbot`.
OPSBOT = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:.* (?:exec bot|--) )?(?:\.venv/bin/)?opsbot (.*)$")
NEED = re.compile(r"(?:^|\s)# needs (.+)$")


@dataclass(frozen=True, slots=True)
class Shown:
    """One command of a page.

    Attributes:
        page: Path of the page in the repository.
        text: The command as it stands there, without its comment.
        needs: What it needs besides a clone, or ''.
    """

    page: str
    text: str
    needs: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Its words, as a shell splits them."""
        return tuple(shlex.split(self.text))

    @property
    def opsbot(self) -> tuple[str, ...] | None:
        """What it gives to `opsbot`, wherever that stands; None where it is another command."""
        match = OPSBOT.search(self.text)
        return tuple(shlex.split(match[1])) if match else None


def fences(page: Path) -> Iterator[tuple[str, str]]:
    """Kind and text of every fence of a page."""
    kind: str | None = None
    lines: list[str] = []
    for line in page.read_text(encoding="utf-8").splitlines():
        match = FENCE.match(line)
        if match and kind is None:
            kind, lines = match[1], []
        elif match:
            yield str(kind), "\n".join(lines)
            kind = None
        elif kind is not None:
            lines.append(line)


def commands(page: Path) -> tuple[Shown, ...]:
    """All commands of a page, in their order."""
    name = str(page.relative_to(ROOT))
    return tuple(
        command
        for kind, text in fences(page)
        if kind not in TEXTS
        for command in _commands_in(name, text)
    )


def _commands_in(page: str, fence: str) -> Iterator[Shown]:
    needs_of_all = ""
    for line in fence.replace("\\\n", " ").splitlines():
        match = NEED.search(line)
        command = re.sub(r"(^|\s+)#\s.*$", "", line).strip()
        if match and not command:
            needs_of_all = match[1]
        elif command:
            yield Shown(page, command, match[1] if match else needs_of_all)

"""`opsbot eval templates`: the lines of any log file by what they say."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path

from rich.console import Console

from core.errors import OpsbotError
from core.linegroups import Grouped, LineGroups

PIECE_CHARS = 4 << 20


async def eval_templates(log: Path, out: Path) -> int:
    """Group the lines of a log; exit code 0.

    Args:
        log: A text file in any of the formats that pods' logs have, or in none.
        out: Where the CSV goes: `line` (from 1, as the file has them), `template_id`, `template`.

    Raises:
        OpsbotError: The log cannot be read, or the CSV not be written.
    """
    grouped = await asyncio.to_thread(_group, log)
    await asyncio.to_thread(_write, out, grouped)
    told = f"{len(grouped.groups)} lines, {len(grouped.templates)} templates."
    Console(stderr=True).print(told, highlight=False)
    return 0


def _group(log: Path) -> Grouped:
    groups = LineGroups()
    try:
        with log.open(encoding="utf-8", errors="replace", newline="\n") as file:
            while piece := file.read(PIECE_CHARS):
                groups.feed(piece)
    except OSError as error:
        raise OpsbotError(
            f"group the lines of {log}", f"it cannot be read ({error.strerror})", "Name a text file"
        ) from error
    return groups.finish()


def _write(out: Path, grouped: Grouped) -> None:
    try:
        with out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("line", "template_id", "template"))
            for number, group in enumerate(grouped.groups, start=1):
                writer.writerow((number, group + 1, grouped.templates[group]))
    except OSError as error:
        raise OpsbotError(
            f"write {out}", f"it cannot be written ({error.strerror})", "Name a file in a folder"
        ) from error

"""Files and progress of `opsbot eval`: rows that come in, runs that go out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from core.errors import OpsbotError

# Marks of secrets need no secrecy here, and a fixed key gives one text everywhere.
REDACTION_KEY = sha256(b"opsbot eval").digest()


def check_out(out: Path) -> None:
    """Tell before the work, not after it, that a run cannot be written. Raises OpsbotError."""
    if not out.absolute().parent.is_dir():
        raise OpsbotError(
            f"write the run {out}", "its folder does not exist", "Make the folder first."
        )


def read_rows(path: Path, what: str, example: str) -> list[tuple[int, dict[str, Any]]]:
    """JSON objects of a file, one a line, with the lines' numbers; blank lines are passed over.

    Args:
        path: The file.
        what: What a row is, in the plural: "questions".
        example: A row, for who gives an empty file.

    Raises:
        OpsbotError: The file cannot be read, holds no row, or a line is no JSON object, or has no
            id of its own; the line's number is told.
    """
    asked = f"read the {what} of {path}"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        wrong = "it is not UTF-8" if isinstance(error, UnicodeError) else _reason(error)
        raise OpsbotError(asked, wrong, "Check its path.") from error
    rows: dict[str | int, tuple[int, dict[str, Any]]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = _row(line, asked, number)
        if row["id"] in rows:
            wrong = f"line {number} has the id {row['id']!r} again"
            raise OpsbotError(asked, wrong, "Give every row its own.")
        rows[row["id"]] = number, row
    if not rows:
        raise OpsbotError(asked, f"it holds no {what}", f"Write rows such as {example}.")
    return list(rows.values())


def _row(line: str, asked: str, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        wrong = f"line {number} is no JSON"
        raise OpsbotError(asked, wrong, "Write one JSON object a line.") from error
    if not isinstance(row, dict):
        wrong = f"line {number} is no JSON object"
        raise OpsbotError(asked, wrong, "Write one JSON object a line.")
    if not isinstance(row.get("id"), str | int):
        raise OpsbotError(asked, f"line {number} has no id", 'Give every row an "id".')
    return row


def write_run(out: Path, rows: Iterable[dict[str, object]]) -> None:
    """Write a run as JSON lines. Raises OpsbotError."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OpsbotError(
            f"write the run {out}",
            _reason(error),
            "Choose another file with --out.",
        ) from error


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()

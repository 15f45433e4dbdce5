"""The `.env` file: new values in their places, all else as it was.

Read by the parser that the settings are read by; written at once, and for its owner alone.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from core.errors import SettingsError

_PLAIN = re.compile(r"[A-Za-z0-9_./:@,+=-]*")
_SHOWN = re.compile(r"#\s*([A-Z][A-Z0-9_]*)=")


def merged(text: str, values: Mapping[str, str]) -> str:
    """The file's text with these values.

    A value replaces the one that stands there; else it goes under the comment that shows its
    name, as `.env.example` has them; else to the end.

    Args:
        text: The file as it is, comments included.
        values: By the settings' names.
    """
    bindings = list(parse_stream(StringIO(text)))
    # Of two lines with one name the last counts.
    last = {row.key: number for number, row in enumerate(bindings) if row.key in values}
    missing = {name: value for name, value in values.items() if name not in last}
    lines: list[str] = []
    for number, row in enumerate(bindings):
        original = row.original.string
        if row.key is not None and last.get(row.key) == number:
            lines.append(_leading(original) + _line(row.key, values[row.key]))
            continue
        for line in original.splitlines(keepends=True):
            lines.append(line if line.endswith("\n") else f"{line}\n")
            shown = _SHOWN.match(line) if row.key is None else None
            if shown and shown[1] in missing:
                lines.append(_line(shown[1], missing.pop(shown[1])))
    return "".join([*lines, *(_line(name, value) for name, value in missing.items())])


def _leading(original: str) -> str:
    """The blank lines that the parser counts to the binding after them."""
    return original[: len(original) - len(original.lstrip())]


def _line(name: str, value: str) -> str:
    if not _PLAIN.fullmatch(value):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        value = f"'{escaped}'"
    return f"{name}={value}\n"


def read_env(path: Path) -> str:
    """The file's text; that of `.env.example` beside it where there is none yet, or ''.

    Raises:
        SettingsError: It cannot be read.
    """
    for one in (path, path.with_name(".env.example")):
        try:
            return one.read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise _unusable("read", one, error) from error
    return ""


def write_env(path: Path, text: str) -> None:
    """Replace the file at once; only its owner may read it, as it holds secrets.

    Raises:
        SettingsError: It cannot be written; then it is as it was.
    """
    target = path.resolve()  # a link stays a link
    try:
        descriptor, name = tempfile.mkstemp(prefix=".env-", dir=target.parent)  # mode 600
    except OSError as error:
        raise _unusable("write", path, error) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _unusable("write", path, error) from error


def _unusable(verb: str, path: Path, error: Exception) -> SettingsError:
    return SettingsError(
        f"{verb} {path}",
        getattr(error, "strerror", None) or "it is no UTF-8 text",
        "Check the path and its permissions.",
    )

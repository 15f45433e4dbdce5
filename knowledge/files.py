"""Files on disk as entries: the shared part of every source that reads files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from knowledge.documents import Entry, Listing, UnreadableError

LARGEST_FILE_BYTES = 2_000_000
_IGNORED = frozenset({".git", "node_modules", "__pycache__", ".venv"})


def entry_of(path: Path, name: str) -> Entry:
    """An entry whose stamp is made of size and modification time. Raises OSError."""
    status = path.stat()
    return Entry(
        name,
        f"{status.st_size}:{status.st_mtime_ns}",
        datetime.fromtimestamp(status.st_mtime, UTC),
    )


def list_folder(folder: Path, suffixes: frozenset[str]) -> Listing:
    """All files of these suffixes below a folder, symlinks followed, each real folder once."""
    if not folder.is_dir():
        return Listing((), ((str(folder), "the folder does not exist"),), is_complete=False)
    entries: list[Entry] = []
    problems: list[tuple[str, str]] = []
    for path in _walk(folder, problems):
        if path.suffix.lower() not in suffixes:
            continue
        name = path.relative_to(folder).as_posix()
        try:
            entries.append(entry_of(path, name))
        except OSError as error:
            problems.append((name, _why(error)))
    return Listing(tuple(sorted(entries, key=lambda entry: entry.path)), tuple(problems))


def list_glob(pattern: str) -> Listing:
    """All files that match; no match is a problem, and nothing counts as vanished then."""
    entries: list[Entry] = []
    problems: list[tuple[str, str]] = []
    for name in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207  (absolute patterns too)
        path = Path(name)
        try:
            if path.is_file():
                entries.append(entry_of(path, path.as_posix()))
        except OSError as error:
            problems.append((name, _why(error)))
    if not entries:
        problems.append((pattern, "no file matches"))
    return Listing(tuple(entries), tuple(problems), is_complete=bool(entries))


def read_text(path: Path) -> str:
    r"""A file's text as UTF-8, line ends made "\\n". Raises UnreadableError."""
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            megabytes = LARGEST_FILE_BYTES / 1e6
            raise UnreadableError(f"larger than {megabytes:g} MB")
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableError(_why(error)) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError("not UTF-8 text") from error
    if "\0" in text:
        raise UnreadableError("binary, not text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _walk(folder: Path, problems: list[tuple[str, str]]) -> Iterator[Path]:
    seen: set[str] = set()

    def report(error: OSError) -> None:
        name = os.path.relpath(error.filename or folder, folder)
        problems.append((name, _why(error)))

    for where, folders, files in os.walk(folder, followlinks=True, onerror=report):
        real = os.path.realpath(where)
        if real in seen:
            problems.append((os.path.relpath(where, folder), "a link to a folder listed already"))
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if name not in _IGNORED)
        yield from (Path(where) / name for name in sorted(files))

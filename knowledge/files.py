"""Files on disk as entries: the shared part of every source that reads files.

Names and texts come from outside: nothing here trusts a link, a size, an encoding or a file's kind.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from knowledge.documents import Entry, Listing, UnreadableError

LARGEST_FILE_BYTES = 2_000_000
_IGNORED = frozenset({".git", "node_modules", "__pycache__", ".venv"})
_ANY_DEPTH = "**"


def entry_of(path: Path, name: str) -> Entry:
    """An entry whose stamp is made of size and modification time.

    Raises:
        OSError: It is not there, or is no regular file: to read a pipe would wait for ever.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, "not a regular file")
    return Entry(
        name,
        f"{status.st_size}:{status.st_mtime_ns}",
        datetime.fromtimestamp(status.st_mtime, UTC),
    )


def list_folder(
    folder: Path, suffixes: frozenset[str], *, keeps_within: Path | None = None
) -> Listing:
    """All files of these suffixes below a folder, symlinks followed, each real folder once.

    Args:
        folder: Where to begin.
        suffixes: With the dot, lower case.
        keeps_within: Links that lead out of this folder are named and not followed: what somebody
            else wrote must not make us read our own machine's files.
    """
    if not folder.is_dir():
        return Listing((), ((str(folder), "the folder does not exist"),), is_complete=False)
    entries: list[Entry] = []
    problems: list[tuple[str, str]] = []
    for path in _walk(folder, problems, keeps_within):
        if path.suffix.lower() not in suffixes:
            continue
        name = path.relative_to(folder).as_posix()
        _take(path, name, entries, problems, keeps_within)
    return Listing(tuple(sorted(entries, key=lambda entry: entry.path)), tuple(problems))


def list_glob(pattern: str) -> Listing:
    """All files that match; no match is a problem, and nothing counts as vanished then.

    "**" stands for any number of folders; links are followed, each real folder once.
    """
    entries: list[Entry] = []
    problems: list[tuple[str, str]] = []
    if _ANY_DEPTH in Path(pattern).parts:
        paths = list(_walk_pattern(Path(pattern), problems))
    else:
        paths = [Path(name) for name in sorted(glob.glob(pattern))]  # noqa: PTH207  (absolute too)
    for path in paths:
        if not path.is_dir():
            _take(path, path.as_posix(), entries, problems)
    if not entries:
        problems.append((pattern, "no file matches"))
    return Listing(tuple(entries), tuple(problems), is_complete=bool(entries))


def read_text(path: Path, most_bytes: int = LARGEST_FILE_BYTES) -> str:
    r"""A regular file's text as UTF-8, line ends made "\\n".

    Raises:
        UnreadableError: It cannot be read, is too large, or is no UTF-8 text; says which.
    """
    try:
        entry_of(path, path.name)
        with path.open("rb") as file:
            # A file may be longer than its size says, or grow while it is read.
            data = file.read(most_bytes + 1)
    except OSError as error:
        raise UnreadableError(why(error)) from error
    if len(data) > most_bytes:
        raise UnreadableError(f"larger than {most_bytes / 1e6:g} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError("not UTF-8 text") from error
    if "\0" in text:
        raise UnreadableError("binary, not text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def why(error: OSError) -> str:
    """An operating system's reason in a few words, without the path."""
    return (error.strerror or type(error).__name__).lower()


def _take(
    path: Path,
    name: str,
    entries: list[Entry],
    problems: list[tuple[str, str]],
    keeps_within: Path | None = None,
) -> None:
    shown = _printable(name)
    if shown != name:
        problems.append((shown, "its name is not UTF-8 text"))
        return
    if keeps_within is not None and path.is_symlink() and not _is_within(path, keeps_within):
        problems.append((name, "a link that leads out of the checkout"))
        return
    try:
        entries.append(entry_of(path, name))
    except OSError as error:
        problems.append((name, why(error)))


def _is_within(path: Path, folder: Path) -> bool:
    real, home = os.path.realpath(path), os.path.realpath(folder)
    return os.path.commonpath([real, home]) == home


def _printable(name: str) -> str:
    """A name as text: bytes that are no UTF-8 stand in a path as halves of characters."""
    return os.fsencode(name).decode("utf-8", "replace")


def _walk(
    folder: Path, problems: list[tuple[str, str]], keeps_within: Path | None = None
) -> Iterator[Path]:
    seen: set[str] = set()

    def report(error: OSError) -> None:
        name = os.path.relpath(error.filename or folder, folder)
        problems.append((_printable(name), why(error)))

    for where, folders, files in os.walk(folder, followlinks=True, onerror=report):
        real = os.path.realpath(where)
        wrong = ""
        if real in seen:
            wrong = "a link to a folder listed already"
        elif keeps_within is not None and not _is_within(Path(where), keeps_within):
            wrong = "a link that leads out of the checkout"
        if wrong:
            problems.append((_printable(os.path.relpath(where, folder)), wrong))
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if name not in _IGNORED)
        yield from (Path(where) / name for name in sorted(files))


def _walk_pattern(pattern: Path, problems: list[tuple[str, str]]) -> Iterator[Path]:
    """What a pattern with "**" matches. The library's own search runs round in loops of links."""
    depth = pattern.parts.index(_ANY_DEPTH)
    rest = pattern.parts[depth:]
    for base in sorted(glob.glob(str(Path(*pattern.parts[:depth])))):  # noqa: PTH207  (see above)
        for path in _walk(Path(base), problems):
            if _fits(path.relative_to(base).parts, rest):
                yield path


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == _ANY_DEPTH:
        for skip in range(len(parts) + 1):
            if _fits(parts[skip:], pattern[1:]):
                return True
            if skip < len(parts) and parts[skip].startswith("."):
                return False
        return False
    if not parts or (parts[0].startswith(".") and not pattern[0].startswith(".")):
        return False
    return fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])

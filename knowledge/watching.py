"""Which files behind the sources changed since they were last looked at.

Files are compared by size and time of change, every few seconds: that works on every file system,
network folders and containers' mounts included, where notifications of the kernel get lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge.files import list_folder, list_glob

_SUFFIXES = frozenset({".md", ".markdown", ".mdx", ".yaml", ".yml", ".csv"})


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file. `what` is "added", "changed" or "removed"."""

    what: str
    path: str


def stamps(uris: Iterable[str]) -> dict[str, str]:
    """Path → stamp of every file behind the sources that are files; blocks.

    Args:
        uris: As configured: "markdown:runbooks", "csv-logs:logs/*.csv".
    """
    found: dict[str, str] = {}
    for uri in uris:
        place = uri.partition(":")[2].strip()
        if not place or "://" in place:  # a server's content is read at every run instead
            continue
        folder = Path(place)
        if folder.is_dir():
            listing = list_folder(folder, _SUFFIXES)
            found |= {f"{place.rstrip('/')}/{each.path}": each.stamp for each in listing.entries}
        else:
            found |= {each.path: each.stamp for each in list_glob(place).entries}
    return found


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[FileChange, ...]:
    """What happened between two looks, by path."""
    kinds = dict.fromkeys(now.keys() - before.keys(), "added")
    kinds |= dict.fromkeys(before.keys() - now.keys(), "removed")
    kinds |= {path: "changed" for path in now.keys() & before.keys() if now[path] != before[path]}
    return tuple(FileChange(kinds[path], path) for path in sorted(kinds))

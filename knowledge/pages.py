"""What a page's name, its title and the links of others tell of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

_WORD = re.compile(r"[a-z0-9]+")
_CAMEL = re.compile(r"\b[A-Za-z]*[a-z0-9][A-Z][A-Za-z0-9]*\b")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LINK = re.compile(r"\]\(([^)\s]+)")
_SUFFIX = re.compile(r"\.(?:md|markdown|mdx|html)$")
# These stand for the folder they are in.
_FOLDER_PAGES = frozenset({"_index", "index", "readme"})
_STOP_WORDS = frozenset(
    """
    a an and are as at be by for from how in is it not of on or that the this to too was what why
    with you your
    """.split()  # noqa: SIM905  (reads better than twenty quotes)
)
# Shorter names ("index", "redis") are shared by pages that have nothing else in common.
_SHORTEST_SHARED_NAME = 7
_MATCHING_PARTS = 2


class PageKey(NamedTuple):
    """One page: where it comes from and its path there. A tuple, for it is hashed all the time."""

    origin: str
    path: str


def words_of(text: str) -> frozenset[str]:
    """The different words of a text, plural folded; CamelCase words whole and in parts."""
    parts = [part for word in _CAMEL.findall(text) for part in _PART.findall(word)]
    return _folded(f"{text} {' '.join(parts)}")


@lru_cache(maxsize=8192)
def name_words(name: str) -> frozenset[str]:
    """The different words of a page's title or name, CamelCase taken apart."""
    return _folded(_CAMEL.sub(lambda word: " ".join(_PART.findall(word[0])), name))


def _folded(text: str) -> frozenset[str]:
    return frozenset(
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
        for word in _WORD.findall(text.lower())
        if word not in _STOP_WORDS
    )


def share(name: frozenset[str], words: frozenset[str]) -> float:
    """The share of a name's words that stand in a question."""
    return len(name & words) / len(name) if name else 0.0


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """How far two names hold the same words: 1 for all of them, 0 for none."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


@lru_cache(maxsize=8192)
def parts_of(path: str) -> tuple[str, ...]:
    """A path's folders and name, lower case, without suffix; an index page is its folder."""
    parts = [part for part in _SUFFIX.sub("", path.lower()).split("/") if part not in {"", "."}]
    if len(parts) > 1 and parts[-1] in _FOLDER_PAGES:
        parts.pop()
    return tuple(parts)


@lru_cache(maxsize=8192)
def name_of(path: str) -> str:
    """A page's file name without suffix, as it is written; its folder's for an index page."""
    parts = _SUFFIX.sub("", path).split("/")
    if len(parts) > 1 and parts[-1].lower() in _FOLDER_PAGES:
        parts.pop()
    return parts[-1]


def linked_pages(
    texts: Sequence[tuple[PageKey, str]], pages: Iterable[PageKey]
) -> list[set[PageKey]]:
    """For each text of a page, which of the given other pages it links to.

    Links of a site's own kind ("/docs/concepts/x/") fit a page when their last two parts do;
    relative ones are followed from the page they stand on.
    """
    by_name: dict[str, list[tuple[PageKey, tuple[str, ...]]]] = {}
    for page in pages:
        parts = parts_of(page.path)
        if parts:
            by_name.setdefault(parts[-1], []).append((page, parts))
    found: list[set[PageKey]] = []
    for source, text in texts:
        targets = {_target(link, source, by_name) for link in set(_LINK.findall(text))}
        found.append({page for page in targets if page is not None and page != source})
    return found


def _target(
    link: str, source: PageKey, by_name: Mapping[str, Sequence[tuple[PageKey, tuple[str, ...]]]]
) -> PageKey | None:
    place = re.split(r"[#?]", link, maxsplit=1)[0].rstrip("/")
    if not place or place.startswith("mailto:"):
        return None
    wanted = [part for part in parts_of(place) if part != ".."]
    if not wanted:
        return None
    top = source.path.split("/", 1)[0]
    best: PageKey | None = None
    best_fit = (0, False)
    for page, parts in by_name.get(wanted[-1], ()):
        count = _common_tail(parts, wanted)
        is_near = page.origin == source.origin and page.path.split("/", 1)[0] == top
        fits = count >= _MATCHING_PARTS or (len(wanted) == 1 and is_near)
        if fits and (count, is_near) > best_fit:
            best, best_fit = page, (count, is_near)
    return best


def _common_tail(left: Sequence[str], right: Sequence[str]) -> int:
    count = 0
    for one, other in zip(reversed(left), reversed(right), strict=False):
        if one != other:
            break
        count += 1
    return count


def same_names(pages: Iterable[PageKey]) -> list[list[PageKey]]:
    """Groups of pages with one and the same telling name: two teams' runbooks for one alert."""
    groups: dict[str, list[PageKey]] = {}
    for page in pages:
        name = name_of(page.path).lower()
        if len(name) >= _SHORTEST_SHARED_NAME:
            groups.setdefault(name, []).append(page)
    return [group for group in groups.values() if len(group) > 1]

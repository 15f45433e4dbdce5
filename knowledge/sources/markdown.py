"""Markdown folders: runbooks, incident reports, configuration, policies."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from knowledge.documents import Listing
from knowledge.files import list_folder
from knowledge.markdownpages import Pages, PageSource

SUFFIXES = frozenset({".md", ".markdown", ".mdx"})


class MarkdownSource(PageSource):
    """Every Markdown file below one folder.

    Args:
        place: The folder.
        link_template: See `knowledge.links`; a page's own `url` counts more.
    """

    def __init__(self, place: str, link_template: str = "") -> None:
        super().__init__(f"markdown:{place}", Pages(place, link_template))

    def listing(self) -> Listing:
        """The files there now; a missing folder or a broken link is a problem of the listing."""
        return with_link(list_folder(Path(self.pages.folder), SUFFIXES), self.pages.link_template)


def with_link(listing: Listing, template: str) -> Listing:
    """Another template makes other documents of the same files, so the stamps tell it too."""
    if not template:
        return listing
    mark = hashlib.sha256(template.encode()).hexdigest()[:8]
    entries = [replace(entry, stamp=f"{entry.stamp}:{mark}") for entry in listing.entries]
    return replace(listing, entries=tuple(entries))

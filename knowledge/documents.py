"""What a source yields: documents, the list of them before they are read, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from knowledge.links import fill_anchor


@dataclass(frozen=True, slots=True)
class Document:
    """One text of a source, before it is cut into chunks.

    Attributes:
        source: The kind of source, as in `Passage.source`: "markdown", "csv-logs", "graph", …
        path: Where it stands inside its source, with forward slashes.
        title: What a person would call it.
        text: Markdown or plain text, front matter removed, not yet redacted.
        url: A web address a reader can open, or "".
        updated_at: When the source was last changed, aware UTC.
        kind: What it is to an ops team: "runbook", "incident", "policy", … or "".
        is_whole: Index it as one chunk, because its maker cut it already.
        link: The address again, with `{anchor}` where a heading's anchor belongs; or "".
    """

    source: str
    path: str
    title: str
    text: str
    url: str = ""
    updated_at: datetime | None = None
    namespace: str = ""
    service: str = ""
    team: str = ""
    kind: str = ""
    is_whole: bool = False
    link: str = ""

    def url_of(self, heading: str) -> str:
        """The address of one heading of the document, as near as its link allows."""
        return fill_anchor(self.link, heading) if self.link else self.url


@dataclass(frozen=True, slots=True)
class Entry:
    """Something a source can load. `stamp` differs whenever the content may have changed."""

    path: str
    stamp: str
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source holds right now.

    Attributes:
        entries: What can be loaded.
        problems: (path, why) of what cannot.
        is_complete: False when the source itself could not be listed: then nothing of it counts
            as vanished.
    """

    entries: tuple[Entry, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    is_complete: bool = True


class UnreadableError(Exception):
    """One entry cannot be used; the text says why in a few words. Never ends an index run."""


class Loader(Protocol):
    """Reads entries. Blocks."""

    def load(self, entry: Entry) -> Sequence[Document]:
        """The documents of one entry. Raises UnreadableError."""
        ...


class Source(Loader, Protocol):
    """A place documents come from. All calls block and run in threads."""

    @property
    def uri(self) -> str:
        """As configured: "markdown:runbooks"."""
        ...

    @property
    def kind(self) -> str:
        """`Passage.source` of what it yields."""
        ...

    def listing(self) -> Listing:
        """What is there now. Never raises: what fails is a problem of the listing."""
        ...

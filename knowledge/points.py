"""From the documents of an entry to the points of a vector store. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self
from uuid import NAMESPACE_URL, uuid5

from core.redact import Redactor
from knowledge.chunks import HEADING_JOIN, Chunk, chunk_markdown
from knowledge.documents import Document, Entry
from knowledge.ports import Point

Value = str | int | float | bool | None

# Absent means empty; a scope asks for pages of no namespace or team, so these two always stand.
_NEVER_LEFT_OUT = frozenset({"namespace", "team"})


class Edition(NamedTuple):
    """What each point knows of the whole entry that it came from.

    One field of the payload, as text: every field of every point costs time to write and to scan.

    Attributes:
        stamp: Of the entry.
        content: Hash of all that its documents hold.
        points: How many it has.
    """

    stamp: str
    content: str
    points: int

    def __str__(self) -> str:
        """As it is stored."""
        return f"{self.points} {self.content} {self.stamp}"

    @classmethod
    def read(cls, stored: object) -> Self | None:
        """From the field of a payload; None when no edition stands in it."""
        points, _, rest = str(stored).partition(" ")
        content, _, stamp = rest.partition(" ")
        return cls(stamp, content, int(points)) if points.isdecimal() else None


def make_points(
    uri: str, entry: Entry, documents: Sequence[Document], redactor: Redactor
) -> tuple[Point, ...]:
    """The points of one entry: redacted, cut into chunks, each once, with their payload.

    Args:
        uri: Of the source.
        entry: Of that source.
        documents: What it holds.
        redactor: Takes secrets out of titles and texts.
    """
    content = hashlib.sha256()
    # The same words twice on a page are found as well by one point.
    made: dict[str, tuple[str, dict[str, Value]]] = {}
    position = 0
    for document in documents:
        title = redactor.redact(document.title)
        text = redactor.redact(document.text)
        labels = _labels(document)
        for part in (document.path, title, text, *labels.values(), document.link):
            content.update(part.encode() + b"\0")
        shared = {
            **labels,
            "source": document.source,
            "path": document.path,
            "title": title,
            "updated_at": document.updated_at.isoformat() if document.updated_at else "",
            "origin": uri,
            "entry": entry.path,
        }
        chunks = (Chunk("", title, text),) if document.is_whole else chunk_markdown(text, title)
        for chunk in chunks:
            whole = chunk.text
            digest = hashlib.sha256(whole.encode()).hexdigest()
            key = str(uuid5(NAMESPACE_URL, f"{uri}\0{document.path}\0{digest}"))
            payload: dict[str, Value] = {
                **shared,
                "url": document.url_of(chunk.heading.rpartition(HEADING_JOIN)[2]),
                "heading": chunk.heading,
                "context_chars": len(whole) - len(chunk.body),
                "position": position,
            }
            made.setdefault(key, (whole, payload))
            position += 1
    edition = str(Edition(entry.stamp, content.hexdigest()[:32], len(made)))
    return tuple(
        Point(key, text, {**_filled(payload), "edition": edition})
        for key, (text, payload) in made.items()
    )


def _filled(payload: Mapping[str, Value]) -> dict[str, Value]:
    return {
        name: value for name, value in payload.items() if value != "" or name in _NEVER_LEFT_OUT
    }


def _labels(document: Document) -> dict[str, str]:
    return {
        "namespace": document.namespace,
        "service": document.service,
        "team": document.team,
        "kind": document.kind,
        "url": document.url,
    }

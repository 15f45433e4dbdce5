"""From the documents of an entry to the points of a vector store. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from uuid import NAMESPACE_URL, uuid5

from core.redact import Redactor
from knowledge.chunks import HEADING_JOIN, Chunk, chunk_markdown
from knowledge.documents import Document, Entry
from knowledge.ports import Point


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
    cut: list[tuple[Document, str, Chunk]] = []
    content = hashlib.sha256()
    for document in documents:
        title = redactor.redact(document.title)
        text = redactor.redact(document.text)
        for part in (document.path, title, text, *_labels(document).values(), document.link):
            content.update(part.encode() + b"\0")
        chunks = (Chunk("", title, text),) if document.is_whole else chunk_markdown(text, title)
        cut += [(document, title, chunk) for chunk in chunks]
    points: dict[str, Point] = {}
    for position, (document, title, chunk) in enumerate(cut):
        digest = hashlib.sha256(chunk.text.encode()).hexdigest()
        key = str(uuid5(NAMESPACE_URL, f"{uri}\0{document.path}\0{digest}"))
        payload: dict[str, str | int | float | bool | None] = {
            **_labels(document),
            "url": document.url_of(chunk.heading.rpartition(HEADING_JOIN)[2]),
            "source": document.source,
            "path": document.path,
            "title": title,
            "heading": chunk.heading,
            "context_chars": len(chunk.text) - len(chunk.body),
            "updated_at": document.updated_at.isoformat() if document.updated_at else None,
            "position": position,
            "origin": uri,
            "entry": entry.path,
            "stamp": entry.stamp,
            "content": content.hexdigest()[:32],
        }
        # The same words twice on a page are found as well by one point.
        points.setdefault(key, Point(key, chunk.text, payload))
    count: Mapping[str, int] = {"points": len(points)}
    return tuple(
        Point(point.id, point.text, {**point.payload, **count}) for point in points.values()
    )


def _labels(document: Document) -> dict[str, str]:
    return {
        "namespace": document.namespace,
        "service": document.service,
        "team": document.team,
        "kind": document.kind,
        "url": document.url,
    }

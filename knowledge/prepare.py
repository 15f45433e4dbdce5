"""From the entries of a source to points: read, redacted, cut. Blocks: in a thread or a process.

What crosses to another process (see `knowledge.processes`) is plain values: no code travels.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from core.redact import Redactor
from knowledge.documents import Entry, Loader, UnreadableError
from knowledge.markdownpages import Pages
from knowledge.points import Edition, make_points
from knowledge.ports import Point

# In front of each message between two processes stands its length.
LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Prepared:
    """One entry, read.

    Attributes:
        documents: How many it has.
        points: Of all of them; None when its content is what the store has.
        problem: Why it cannot be used, or "".
    """

    documents: int
    points: tuple[Point, ...] | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """Entries to prepare, with all that it takes.

    Attributes:
        pages: Loads them.
        uri: Of their source.
        key: The redactor's.
        entries: To load.
        hashes: Path → content hash, of entries that the store holds as a whole.
    """

    pages: Pages
    uri: str
    key: bytes
    entries: tuple[Entry, ...]
    hashes: Mapping[str, str]


def prepare(
    loader: Loader,
    uri: str,
    redactor: Redactor,
    entries: Sequence[Entry],
    hashes: Mapping[str, str],
) -> list[Prepared]:
    """Each entry's points, in order; an entry that cannot be used has none and a problem."""
    prepared = []
    for entry in entries:
        try:
            documents = loader.load(entry)
        except UnreadableError as error:
            prepared.append(Prepared(0, (), str(error)))
            continue
        points = make_points(uri, entry, documents, redactor)
        # Touched, cloned anew, or the log only grew by lines of a known kind: same content.
        edition = Edition.read(points[0].payload["edition"]) if points else None
        is_same = edition is not None and hashes.get(entry.path) == edition.content
        prepared.append(Prepared(len(documents), None if is_same else points))
    return prepared


def do(job: Job) -> list[Prepared]:
    """What `prepare` gives for the entries of a job."""
    return prepare(job.pages, job.uri, Redactor(job.key), job.entries, job.hashes)


def framed(message: object) -> bytes:
    """A message as it travels."""
    data = msgspec.msgpack.encode(message)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def serve() -> None:
    """Do jobs from standard input until it is closed; the whole life of a process."""
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    while length := incoming.read(LENGTH_BYTES):
        data = incoming.read(int.from_bytes(length, "big"))
        outgoing.write(framed(do(msgspec.msgpack.decode(data, type=Job))))
        outgoing.flush()

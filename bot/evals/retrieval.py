"""`opsbot eval`: measures the bot's parts on questions whose answers are known.

What is measured is what the bot does; only the cut at "not found" is left out, so that every
question gives a ranking. Progress goes to standard error.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.console import Console

from bot.bars import Show, progress_bars
from bot.evals.files import REDACTION_KEY, check_out, read_rows, write_run
from bot.settings import Settings, load_settings
from core.answers import Scope
from core.clock import SystemClock
from core.errors import OpsbotError, SettingsError
from core.redact import Redactor
from knowledge import chunks, markdownpages, points, sparse
from knowledge.index import IndexProgress
from knowledge.library import Library
from knowledge.minilm import MiniLmEmbedder
from knowledge.ports import Embedder, VectorStore
from knowledge.reading import read_question
from knowledge.retrieve import LEG_LIMIT, rank, search
from knowledge.store_edge import EdgeStore
from knowledge.vector_cache import CachedEmbedder

# A scorer looks at ten; twice as many cost nothing.
PAGES_A_QUESTION = 20
# What decides what is in an index. When its code changes, an old one measures nothing.
_INDEX_CODE = (chunks, markdownpages, points, sparse)


@dataclass(frozen=True, slots=True)
class EvalQuestion:
    """One row of a questions file: its id, as it stands there, and the text to send."""

    id: str | int
    text: str


async def eval_retrieval(corpus: Path, questions: Path, out: Path, field: str) -> int:
    """Rank the corpus' pages for every question; exit code 0.

    Args:
        corpus: Folder of Markdown pages; the run names them relative to it.
        questions: JSON lines with `id` and `field`.
        out: Where the run goes: JSON lines of `id` and `pages`, best first, each once.
        field: The field that holds what to send.

    Raises:
        OpsbotError: A file or field is missing, or the index cannot be built.
    """
    asked = await asyncio.to_thread(check_files, corpus, questions, out, field)
    settings = load_settings()
    with progress_bars() as show:
        async with open_index(corpus, settings, show) as (_, store, embedder):
            rows = [row async for row in _ranked(asked, store, embedder, show)]
    write_run(out, rows)
    Console(stderr=True).print(f"{len(rows)} questions ranked.", highlight=False)
    return 0


def check_files(corpus: Path, questions: Path, out: Path, field: str) -> list[EvalQuestion]:
    """All that can be wrong is told before minutes go into an index."""
    if not corpus.is_dir():
        raise OpsbotError(
            f"measure on the corpus {corpus}", "it is no folder", "Give a folder of Markdown pages."
        )
    check_out(out)
    return read_questions(questions, field)


def read_questions(path: Path, field: str) -> list[EvalQuestion]:
    """The questions of a file of JSON lines; blank lines are passed over.

    Raises:
        OpsbotError: The file cannot be read, holds no question, or a line is not as it should be;
            the line's number is told.
    """
    rows = read_rows(path, "questions", '{"id": "1", "query": "…"}')
    return [_question(row, field, f"read the questions of {path}", number) for number, row in rows]


def _question(row: dict[str, Any], field: str, asked: str, number: int) -> EvalQuestion:
    text = row.get(field)
    if not isinstance(text, str):
        known = ", ".join(name for name, value in row.items() if isinstance(value, str))
        raise OpsbotError(
            asked,
            f"line {number} has no text in its field {field!r}",
            f"Choose another one with --field; it has {known}.",
        )
    return EvalQuestion(row["id"], text)


def index_folder(data_folder: Path, corpus: Path) -> Path:
    """Where a corpus' index is kept: never the bot's own, and a new one when its code changes."""
    code = sha256("".join(inspect.getsource(module) for module in _INDEX_CODE).encode())
    place = sha256(os.fsencode(corpus.resolve())).hexdigest()[:12]
    return data_folder / "eval" / f"{place}-{code.hexdigest()[:12]}"


@asynccontextmanager
async def open_index(
    corpus: Path, settings: Settings, show: Show
) -> AsyncIterator[tuple[Library, VectorStore, Embedder | None]]:
    """An index of the corpus as it is now; what is there of an earlier run is kept."""
    folder = index_folder(settings.opsbot_data_dir.expanduser().absolute(), corpus)
    for old in folder.parent.glob(f"{folder.name.partition('-')[0]}-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    embedder = _embedder(settings, folder.parent)
    name, size = (embedder.name, embedder.size) if embedder else ("none", 1)
    store = await EdgeStore.open(folder, name, size)
    library = Library(
        [f"markdown:{corpus}"], store, embedder, Redactor(REDACTION_KEY), SystemClock(), UTC
    )
    try:
        await library.start()
        report = await library.index(show)
        await library.fill_dense(show)
        for path, why in report.problems:
            Console(stderr=True).print(f"Not read: {path}: {why}", markup=False, highlight=False)
        yield library, store, embedder
    finally:
        await library.close()


def _embedder(settings: Settings, folder: Path) -> Embedder | None:
    if settings.embed_model == "none":
        return None
    if settings.embed_model == "minilm":
        # Nobody waits for an answer here, so every core may help.
        embedder = MiniLmEmbedder(threads=os.cpu_count() or 1)
        # What a change of code leaves as it was is not worth minutes again.
        return CachedEmbedder(embedder, folder / f"vectors-{embedder.name}.db")
    raise SettingsError(
        "measure retrieval",
        f"EMBED_MODEL is {settings.embed_model}",
        "Set it to minilm or none: measuring works without a server.",
    )


async def _ranked(
    asked: Sequence[EvalQuestion], store: VectorStore, embedder: Embedder | None, show: Show
) -> AsyncIterator[dict[str, object]]:
    clock = SystemClock()
    for number, question in enumerate(asked, 1):
        reading = read_question(question.text, (), (), clock.now(), UTC)
        legs = await search(store, embedder, reading.search_text, Scope())
        if legs.failure is not None:
            raise legs.failure
        # Passages may share a page, so all of them are needed for enough pages.
        passages = await asyncio.to_thread(rank, legs, reading, 2 * LEG_LIMIT)
        pages = dict.fromkeys(str(passage.hit.payload["path"]) for passage in passages)
        yield {"id": question.id, "pages": list(pages)[:PAGES_A_QUESTION]}
        show(IndexProgress("ranking", "questions", number, len(asked)))

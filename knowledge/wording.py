"""Words the cause and the fix of a digest's findings by a model, checked against their evidence."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.answers import GenerationOptions, Lookup, Passage
from core.digests import Wording
from core.findings import Finding
from knowledge.check import check
from knowledge.models import EXTRACTIVE, Models
from knowledge.ports import Model, ModelUnavailableError
from knowledge.prompting import render
from knowledge.structured import BadReplyError, complete_json

_log = logging.getLogger(__name__)

_MARK = re.compile(r"\s*\[\d+\]")
_ANSWER_TOKENS = 300
_LONGEST_CHARS = 600


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model is asked for; see `prompts/wording.md`."""

    cause: str = ""
    suggestion: str = ""

    def __post_init__(self) -> None:
        if not self.cause.strip() and not self.suggestion.strip():
            raise ValueError("both fields are empty")


@dataclass(frozen=True, slots=True)
class WordingLimits:
    """How long and how much.

    Attributes:
        total_seconds: For all items of a digest together; what is not worded then stays unworded.
        passages: Beside the finding itself.
    """

    total_seconds: float = 60.0
    passages: int = 3


class ModelWordsmith:
    """Implements `digest.ports.Wordsmith`.

    One call an item: a small model keeps ten problems apart badly, and what is done when time runs
    out is done.
    """

    def __init__(
        self,
        models: Models,
        limits: WordingLimits = WordingLimits(),
        nonce: Callable[[], str] = lambda: secrets.token_hex(6),
    ) -> None:
        self._models = models
        self._limits = limits
        self._nonce = nonce
        self._name = EXTRACTIVE

    @property
    def model(self) -> str:
        """The model that worded the last digest, or "extractive"."""
        return self._name

    async def word(
        self, items: Sequence[tuple[Finding, Lookup]]
    ) -> tuple[Mapping[str, Wording], str]:
        """Wordings by finding identity, and a note: '' or why some are missing. Never raises."""
        choice = await self._models.current()
        self._name = choice.name
        if choice.model is None or not items:
            # Answering without a model is a way to run the bot; only one that was named is missed.
            is_missed = bool(items) and self._models.config.model not in {"auto", EXTRACTIVE}
            return {}, choice.note if is_missed else ""
        done: dict[str, Wording] = {}
        note = ""
        try:
            async with asyncio.timeout(self._limits.total_seconds):
                for finding, lookup in items:
                    wording = await self._one(choice.model, finding, lookup)
                    if wording is not None:
                        done[finding.identity] = wording
        except TimeoutError:
            note = "The model ran out of time"
        except ModelUnavailableError as error:
            _log.warning("the model was lost: %s", error)
            self._models.lost()
            note = "The model did not answer"
        if not done:
            self._name = EXTRACTIVE
        missing = len(items) - len(done)
        if not missing:
            return done, ""
        reason = note or "The model said nothing that the evidence bears out"
        return done, f"{reason}; {missing} of {len(items)} items stand without its words."

    async def _one(self, model: Model, finding: Finding, lookup: Lookup) -> Wording | None:
        passages = (as_passage(finding), *lookup.passages[: self._limits.passages])
        rendered = render(
            "wording",
            question=finding.title,
            passages=passages,
            nonce=self._nonce(),
            room_tokens=max(256, model.context_tokens - _ANSWER_TOKENS),
        )
        if not rendered.passages:
            return None
        options = GenerationOptions(max_tokens=_ANSWER_TOKENS, stream=False)
        try:
            async with self._models.line.join(is_patient=True) as place:
                await place.reached()
                reply = await complete_json(model, rendered.prompt, Reply, options)
        except BadReplyError as error:
            _log.info("no usable wording for %s: %s", finding.identity, error)
            return None
        cause, suggestion = (
            _checked(text, rendered.passages, finding.title)
            for text in (reply.cause, reply.suggestion)
        )
        return Wording(cause, suggestion) if cause or suggestion else None


def as_passage(finding: Finding) -> Passage:
    """A finding as the first passage of its own evidence."""
    proof = [f"{evidence.field}: {evidence.value}" for evidence in finding.evidence]
    lines = [
        finding.title,
        f"{finding.reason} on {finding.involved}, owner {finding.owner}",
        f"seen {finding.count} times",
        *proof,
        *finding.log_lines,
    ]
    return Passage(
        id=finding.identity,
        source="cluster",
        title=str(finding.involved),
        location=f"{finding.involved.kind}/{finding.involved.namespace}/{finding.involved.name}",
        text="\n".join(lines),
        namespace=finding.involved.namespace,
        service=finding.owner.name,
        kind=finding.involved.kind,
        is_fact=True,
    )


def _checked(text: str, passages: Sequence[Passage], title: str) -> str:
    """The text without what its evidence does not carry, and without citation marks."""
    said = " ".join(text.split())[:_LONGEST_CHARS]
    return _MARK.sub("", check(said, passages, title).text).replace("\n", " ").strip()

"""The class of an error text: rules decide, and a model where they leave it open.

It is asked where two classes are told by words that weigh the same, or where no rule holds; it
chooses a name and words nothing.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.answers import GenerationOptions, Passage
from knowledge.models import EXTRACTIVE, Models
from knowledge.ports import Model, ModelUnavailableError
from knowledge.problems import PROBLEMS, Match, Problem, matches
from knowledge.prompting import render
from knowledge.structured import BadReplyError, complete_json

_log = logging.getLogger(__name__)

_ANSWER_TOKENS = 60


@dataclass(frozen=True, slots=True)
class Choice:
    """What the model is asked for; see `prompts/classify.md`."""

    problem: str

    def __post_init__(self) -> None:
        if self.problem not in PROBLEMS:
            raise ValueError(f"{self.problem[:40]!r} is none of the names")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A class and how it came about.

    Attributes:
        words: The text's words that decided, or '' where only the model did.
        others: Classes that weighed the same.
        model: Who chose, or "extractive" where the rules did.
    """

    problem: Problem
    words: str = ""
    others: tuple[str, ...] = ()
    model: str = EXTRACTIVE


class Classifier:
    """Tells classes.

    Args:
        models: Asked for what the rules leave open.
        nonce: Random for each prompt, see `knowledge.prompting`.
    """

    def __init__(
        self, models: Models, nonce: Callable[[], str] = lambda: secrets.token_hex(6)
    ) -> None:
        self._models = models
        self._nonce = nonce

    async def decide(self, text: str, options: GenerationOptions) -> tuple[Verdict | None, str]:
        """The class of a redacted text, None for unknown; and a note on a model that failed."""
        found = matches(text)
        if len(found) == 1:
            return _by_rule(found), ""
        chosen, note = await self._chosen(text, found, options)
        return chosen or (_by_rule(found) if found else None), note

    async def _chosen(
        self, text: str, found: Sequence[Match], options: GenerationOptions
    ) -> tuple[Verdict | None, str]:
        """The model's choice among the classes that the rules left open."""
        choice = await self._models.current(options.model)
        if choice.model is None:
            return None, ""
        open_names = [match.rule.problem for match in found] or list(PROBLEMS)
        try:
            name = await self._ask(choice.model, text, open_names, options)
        except ModelUnavailableError as error:
            _log.warning("the model was lost: %s", error)
            self._models.lost(options.model)
            return None, "The model did not answer; only the rules decided."
        if name not in open_names:
            return None, ""
        words = next((match.words for match in found if match.rule.problem == name), "")
        others = tuple(other for other in open_names if other != name) if found else ()
        return Verdict(PROBLEMS[name], words, others, choice.name), ""

    async def _ask(
        self, model: Model, text: str, names: Sequence[str], options: GenerationOptions
    ) -> str:
        passage = Passage("text", "asked", "The error text", "question", text)
        rendered = render(
            "classify",
            question="\n".join(f"- {name}: {PROBLEMS[name].meaning}" for name in names),
            passages=(passage,),
            nonce=self._nonce(),
            room_tokens=max(256, model.context_tokens - _ANSWER_TOKENS),
        )
        options = replace(options, max_tokens=_ANSWER_TOKENS, temperature=0.0)
        try:
            return (await complete_json(model, rendered.prompt, Choice, options)).problem
        except BadReplyError as error:
            _log.info("the model chose no class: %s", error)
            return ""


def _by_rule(found: Sequence[Match]) -> Verdict:
    first, *others = found
    problem = PROBLEMS[first.rule.problem]
    return Verdict(problem, first.words, tuple(match.rule.problem for match in others))

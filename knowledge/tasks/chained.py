"""A task that is a question of one form: its argument is read strictly, the chain answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from core.answers import AnswerEvent, Done, Inquiry, Scope
from core.questions import Reading
from knowledge.chain import RagChain
from knowledge.models import EXTRACTIVE


@dataclass(frozen=True, slots=True)
class Asked:
    """A task's argument, read.

    Attributes:
        reading: Its question is the whole sentence that the argument stands for.
        is_exact: Looked up, not worded: no model could make it truer.
        note: A sentence for the reader if nothing is found, or ''.
    """

    reading: Reading
    is_exact: bool = False
    note: str = ""


ReadArgument = Callable[[str, Scope], Awaitable[Asked]]


class ChainedTask:
    """Implements `knowledge.ports.Answerer`.

    Args:
        chain: Answers.
        read: Turns the argument into a question; raises RequestError for one it cannot use.
    """

    def __init__(self, chain: RagChain, read: ReadArgument) -> None:
        self._chain = chain
        self._read = read

    async def stream(self, inquiry: Inquiry) -> AsyncGenerator[AnswerEvent, None]:
        """As the chain's, for what the argument stands for.

        Raises:
            RequestError: The argument cannot be used.
        """
        asked = await self._read(inquiry.question, inquiry.scope)
        options = inquiry.options
        if asked.is_exact:
            options = replace(options, model=EXTRACTIVE)
        whole = replace(inquiry, question=asked.reading.question, options=options)
        async with aclosing(self._chain.stream(whole, asked.reading)) as events:
            async for event in events:
                if not isinstance(event, Done):
                    yield event
                    continue
                answer = replace(event.answer, question=inquiry.question)
                if asked.note and not answer.is_grounded:
                    answer = replace(answer, notes=(*answer.notes, asked.note))
                yield Done(answer)

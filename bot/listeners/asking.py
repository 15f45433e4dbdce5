"""What asks: written down before Slack hears that it arrived, forgotten once its asker was told.

So a process may be killed at any moment: the next one tells the askers that they have to ask again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from bot.edge import Edge
from bot.interrupted import Underway
from core.answers import OpenAnswer

Json = dict[str, Any]
OPENED = "opsbot_opened"


@dataclass(frozen=True, slots=True)
class Question:
    """A delivery that asks.

    Attributes:
        keys: What makes it the same as another; '' for none.
        answer: Its answer, of which nothing is shown yet.
    """

    keys: tuple[str, ...]
    answer: OpenAnswer


def listen(
    register: Callable[..., Callable[..., Any]],
    edge: Edge,
    read: Callable[[Json, str], Question | None],
    answer: Callable[[Json, str, Underway], Awaitable[None]],
) -> None:
    """Answer what asks, each once.

    Args:
        register: Of Bolt: `app.command("/k8s")` and its like, which is given a middleware besides.
        edge: Takes it.
        read: Gives the question of a payload; None where it asks nothing. Is told our user's id.
        answer: Answers it, and tells the asker whatever becomes of it.
    """

    async def take(
        ack: AsyncAck,
        body: Json,
        context: AsyncBoltContext,
        next: Callable[[], Awaitable[None]],  # noqa: A002  (Bolt's name)
    ) -> None:
        question = read(body, context.bot_user_id or "")
        with edge.intake.confirming():
            context[OPENED] = question and await edge.take(question.keys, question.answer)
        await ack()  # empty: words here may appear after those of a quick reply
        await next()

    async def run(body: Json, context: AsyncBoltContext) -> None:
        opened: Underway | None = context[OPENED]
        if opened is not None:
            await edge.intake.pause()
            await answer(body, context.bot_user_id or "", opened)
            # Not where it fails, before `failures` told of it, and not where it is cancelled:
            # nobody knows then what was told.
            await opened.end()

    register(middleware=[take])(run)

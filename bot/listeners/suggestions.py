"""Buttons with questions that the runbooks answer: under help, greetings and empty answers."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.access import ASK
from bot.answering import Ask
from bot.blocks.suggestions import SUGGESTION_ACTIONS
from bot.edge import Edge
from bot.listeners.clicks import Button, Click, listen, unless_private
from bot.replies import Opening


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to them."""
    button = Button(ASK, _ask, unless_private, is_answer=True)
    listen(app, edge, dict.fromkeys(SUGGESTION_ACTIONS, button))


async def _ask(click: Click) -> None:
    """Answer in place of a message that one person sees, or in the thread of one that all see."""
    answering = click.edge.answering
    if click.body["container"].get("is_ephemeral"):
        await answering.by_reply(click.value, click.asker, click.reply(), opening=Opening.IN_PLACE)
        return
    await answering.in_thread(
        Ask(
            question=click.value,
            asker=click.asker,
            thread_ts=click.thread_ts,
            bot_user=click.bot_user,
            has_history=False,
            announces=True,
        )
    )

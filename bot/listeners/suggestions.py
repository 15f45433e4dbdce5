"""Buttons with questions that the runbooks answer: under help, greetings and empty answers."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.access import ASK
from bot.answering import Ask
from bot.blocks.suggestions import SUGGESTION_ACTIONS
from bot.edge import Edge
from bot.interrupted import Underway
from bot.listeners.clicks import AskingButton, Click, listen_to_questions, unless_private
from bot.replies import Opening


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to them."""
    button = AskingButton(ASK, _ask, unless_private)
    listen_to_questions(app, edge, dict.fromkeys(SUGGESTION_ACTIONS, button))


async def _ask(click: Click, opened: Underway) -> None:
    """Answer in place of a message that one person sees, or in the thread of one that all see."""
    answering = click.edge.answering
    if click.body["container"].get("is_ephemeral"):
        await answering.by_reply(
            click.value, click.asker, click.reply(), opened, opening=Opening.IN_PLACE
        )
        return
    await answering.in_thread(
        Ask(
            question=click.value,
            asker=click.asker,
            thread_ts=click.thread_ts,
            bot_user=click.bot_user,
            has_history=False,
            announces=True,
        ),
        opened,
    )

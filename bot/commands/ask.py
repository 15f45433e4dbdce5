"""`ask <question>`: an answer for the person who asked, which they may share."""

from __future__ import annotations

from bot.commands.command import Call


async def run(call: Call) -> None:
    """Say that it is being looked into, then replace that by the answer."""
    await call.edge.answering.by_reply(call.argument, call.asker, call.reply, call.opened)

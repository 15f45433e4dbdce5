"""`limits payments`, `errors 5` and the other tasks: answered as `ask` is, by the task's rules."""

from __future__ import annotations

from bot.commands.command import Call


async def run(call: Call) -> None:
    """Say that it is being looked into, then replace that by what the task found."""
    await call.edge.answering.by_reply(
        call.argument, call.asker, call.reply, call.opened, call.name
    )

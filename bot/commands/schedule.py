"""`schedule`: which digests there are, where and when they come, and how the last one went."""

from __future__ import annotations

from bot.blocks.schedule import schedule_message
from bot.commands.command import Call


async def run(call: Call) -> None:
    """List them."""
    await call.reply.send(schedule_message(await call.edge.services.planned()))

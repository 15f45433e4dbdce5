"""`status`: how every part of the bot fares."""

from __future__ import annotations

from bot.blocks.status import status_message
from bot.commands.command import Call


async def run(call: Call) -> None:
    """Look at all parts at once and show them, the broken ones first."""
    services = call.edge.services
    health = await services.health.check()
    await call.reply.send(status_message(health, services.clock.now()))

"""`search <words>`: what stands where, for the person who asked; no model is needed."""

from __future__ import annotations

from bot.blocks import notices
from bot.blocks.search import search_message
from bot.commands.command import Call
from bot.mrkdwn import clip, escape
from knowledge.searchquery import Mistake


async def run(call: Call) -> None:
    """Search and show up to eight hits."""
    services = call.edge.services
    query = services.search.read(call.argument)
    if isinstance(query, Mistake):
        remedy = escape(clip(query.remedy, 300))
        await call.reply.send(notices.hint(f"{escape(clip(query.wrong, 200))}.", f"{remedy}."))
        return
    found = await services.search.find(query, call.asker.scope)
    await call.reply.send(search_message(call.argument, query, found, services.clock.now()))

"""`digest [window]`: what the next digest would say, for the eyes of the person who asked."""

from __future__ import annotations

from datetime import timedelta

from bot.blocks import notices
from bot.blocks.digest import digest_message
from bot.blocks.digest_item import briefs_message
from bot.blocks.digest_table import rest_message
from bot.commands.command import Call
from bot.mrkdwn import clip, code
from core.timerange import parse_duration
from digest.outbox import rest_pages

LONGEST = timedelta(days=7)


async def run(call: Call) -> None:
    """Compose a digest of the window without posting it."""
    command = call.edge.services.limits.command
    window = parse_duration(call.argument) if call.argument else None
    if call.argument and (window is None or not timedelta() < window <= LONGEST):
        await call.reply.send(
            notices.hint(
                f"{code(clip(call.argument, 60))} is not a window I know.",
                f"Up to 7 days, for example {code(f'{command} digest 6h')} or "
                f"{code(f'{command} digest 90m')}.",
            )
        )
        return
    await call.reply.send(notices.progress("Looking at the clusters for a digest…"))
    digest = await call.edge.services.digests.preview(window, call.asker.scope)
    await call.reply.send(digest_message(digest, command, is_preview=True), replaces=True)
    if digest.items:
        await call.reply.send(briefs_message(digest.items))
    # One message only: a command may be answered four times.
    for page in rest_pages(digest)[:1]:
        await call.reply.send(rest_message(page))

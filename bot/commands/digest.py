"""`digest [window]`: what the next digest would say, for the eyes of the person who asked.

`digest weekly` looks back on the digests of seven days instead.
"""

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
WEEKLY = frozenset({"week", "weekly"})


async def run(call: Call) -> None:
    """Compose a digest of the window without posting it."""
    services = call.edge.services
    command = services.limits.command
    if call.argument.strip().lower() in WEEKLY:
        back = await services.look_backs.preview(call.asker.scope)
        await call.reply.send(digest_message(back, command, is_preview=True))
        return
    window = parse_duration(call.argument) if call.argument else None
    if call.argument and (window is None or not timedelta() < window <= LONGEST):
        await call.reply.send(
            notices.hint(
                f"{code(clip(call.argument, 60))} is not a window I know.",
                f"Up to 7 days, for example {code(f'{command} digest 6h')} or "
                f"{code(f'{command} digest 90m')}; {code(f'{command} digest weekly')} looks back.",
            )
        )
        return
    await call.reply.send(notices.progress("Looking at the clusters for a digest…"))
    digest = await services.digests.preview(window, call.asker.scope)
    await call.reply.send(digest_message(digest, command, is_preview=True), replaces=True)
    if digest.items:
        await call.reply.send(briefs_message(digest.items))
    # One message only: a command may be answered four times.
    for page in rest_pages(digest)[:1]:
        await call.reply.send(rest_message(page))

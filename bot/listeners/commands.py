"""The slash command: confirmed empty at once, answered by its `response_url`."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.access import Action
from bot.blocks.parts import Message
from bot.commands.command import Call
from bot.commands.routing import route
from bot.commands.table import ANSWERED, COMMANDS
from bot.edge import Edge
from bot.gate import Visit
from bot.mrkdwn import unescape


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to the configured slash command."""
    limits = edge.services.limits

    async def on_command(ack: AsyncAck, body: dict[str, Any]) -> None:
        # Empty: words in the confirmation may appear after those of a quick reply.
        await ack()
        if not await edge.is_new(f"command:{body['trigger_id']}"):
            return
        reply = edge.reply(str(body["response_url"]))
        routed = route(unescape(str(body.get("text") or "")), COMMANDS, limits)
        visit = Visit(str(body["user_id"]), str(body["channel_id"]), str(body.get("team_id") or ""))
        name = "help" if isinstance(routed, Message) else routed[0].name
        asker = await edge.admit(visit, Action(name), reply.send)
        if asker is None:
            return
        if isinstance(routed, Message):
            await reply.send(routed)
            return
        command, argument = routed
        call = Call(edge, reply, name, argument, asker, COMMANDS)
        if command in ANSWERED:
            await command.run(call)
            return
        with edge.audited(asker, name, argument):
            await command.run(call)

    app.command(limits.command)(on_command)

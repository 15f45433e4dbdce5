"""The slash command: confirmed empty at once, answered by its `response_url`."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.blocks.parts import Message
from bot.commands.command import Call
from bot.commands.routing import route
from bot.commands.table import COMMANDS
from bot.edge import Edge
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
        if isinstance(routed, Message):
            await reply.send(routed)
            return
        command, argument = routed
        await command.run(
            Call(
                edge=edge,
                reply=reply,
                name=command.name,
                argument=argument,
                team=str(body.get("team_id") or ""),
                channel=str(body["channel_id"]),
                user=str(body["user_id"]),
                table=COMMANDS,
            )
        )

    app.command(limits.command)(on_command)

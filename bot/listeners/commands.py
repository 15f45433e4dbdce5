"""The slash command: confirmed empty, answered by its `response_url`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.access import Action
from bot.blocks.parts import Message
from bot.commands.command import Call
from bot.commands.routing import route
from bot.commands.table import ANSWERED, COMMANDS
from bot.edge import Edge
from bot.gate import Visit
from bot.interrupted import Underway, new_answer
from bot.listeners import asking
from bot.listeners.asking import Question
from bot.mrkdwn import unescape


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to the configured slash command."""
    limits = edge.services.limits

    async def answer(body: dict[str, Any], _: str, opened: Underway) -> None:
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
        call = Call(edge, reply, name, argument, asker, COMMANDS, opened)
        if command in ANSWERED:
            await command.run(call)
            return
        with edge.audited(asker, name, argument):
            await command.run(call)

    asking.listen(partial(app.command, limits.command), edge, _read, answer)


def _read(body: Mapping[str, Any], _: str) -> Question:
    answer = new_answer(str(body["channel_id"]), response_url=str(body["response_url"]))
    return Question((f"command:{body['trigger_id']}",), answer)

"""The bot is invited to a channel: it says once what it does there."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot.access import Refused
from bot.blocks.onboarding import onboarding_message
from bot.edge import Edge
from bot.gate import Visit
from bot.notices import SLACK_FAILURES
from core.answers import Scope

log = logging.getLogger(__name__)


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to people and bots joining channels."""

    async def on_joined(
        event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        bot_user = context.bot_user_id or ""
        if not bot_user or event.get("user") != bot_user:
            return
        team, channel = str(body.get("team_id") or ""), str(event["channel"])
        # Slack's word on whether the channel is shared; decided before anything is said in it.
        visit = Visit(bot_user, channel, team, is_shared=bool(body.get("is_ext_shared_channel")))
        verdict = await edge.gate.judge_room(visit)
        if isinstance(verdict, Refused):
            log.info("joined %s, where nothing is said: %s", channel, verdict.reason)
            return
        if await edge.services.greetings.claim(team, channel):
            await _greet(edge, visit, verdict.scope, bot_user)

    app.event("member_joined_channel")(on_joined)


async def _greet(edge: Edge, visit: Visit, scope: Scope, bot_user: str) -> None:
    services = edge.services
    due = [
        each.next_due
        for each in await services.planned()
        if each.channel == visit.channel and each.next_due
    ]
    message = onboarding_message(
        bot_user,
        services.limits.command,
        scope,
        await services.suggestions.questions(scope),
        next_digest=min(due, default=None),
        tells_of_alerts=visit.channel in edge.gate.policy.alert_channels,
        answers_follow_ups=visit.channel in edge.gate.policy.follow_up_channels,
    )
    try:
        await edge.say(visit.channel, message)
    except SLACK_FAILURES as error:
        log.warning("nothing could be said in %s on joining it: %s", visit.channel, error)
        await services.greetings.give_back(visit.team, visit.channel)

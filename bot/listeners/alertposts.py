"""Alerts that other bots post get one reply each: runbook, owner, live facts, similar incidents.

Only in channels that were named for it, only under the alert's first message, and only so often.
The claims that count this are in the database, so replicas share them.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from datetime import timedelta
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot.access import Refused
from bot.alertposts import AlertPost, alert_of
from bot.blocks import notices
from bot.blocks.answer import lay_out
from bot.edge import Edge
from bot.gate import Visit
from bot.listeners.incoming import delivery_keys
from bot.notices import SLACK_FAILURES, new_reference
from bot.thread_tasks import ALERT
from core.answers import Answer, Done, Inquiry, Scope
from core.errors import OpsbotError

log = logging.getLogger(__name__)

# Within so long a channel gets at most `EdgeLimits.alert_replies`, and one line that says so.
STORM = timedelta(minutes=10)


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to alerts; registered before the listener of all messages."""

    async def is_alert(event: dict[str, Any], context: AsyncBoltContext) -> bool:
        is_named = event.get("channel") in edge.gate.policy.alert_channels
        is_own = event.get("user") == context.bot_user_id or event.get("bot_id") == context.bot_id
        return is_named and not is_own and alert_of(event) is not None

    async def on_alert(event: dict[str, Any], body: dict[str, Any]) -> None:
        alert = alert_of(event)
        if alert is not None and await edge.is_new(*delivery_keys(event, body)):
            await _take(edge, event, body, alert)

    app.event("message", matchers=[is_alert])(on_alert)


async def _take(edge: Edge, event: dict[str, Any], body: dict[str, Any], alert: AlertPost) -> None:
    sender, channel = str(event["bot_id"]), str(event["channel"])
    team = str(body.get("team_id") or "")
    visit = Visit(sender, channel, team, is_shared=bool(body.get("is_ext_shared_channel")))
    verdict = await edge.gate.judge_room(visit)
    if isinstance(verdict, Refused):
        edge.services.audit.note(sender, channel, ALERT, f"refused: {verdict.reason}")
        return
    claim = edge.services.deliveries.claim
    place = f"{team}:{channel}"
    if not alert.is_firing or not await claim(f"alert:{place}:{alert.identity}"):
        log.debug("no reply under %s in %s: told before, or over", event["ts"], channel)
        return
    most = edge.services.limits.alert_replies
    # Each reply takes one of so many tokens, which come back one by one.
    for number in range(most):
        if await claim(f"alert-reply:{place}:{number}", STORM):
            await _reply(edge, event, alert, visit, verdict.scope)
            return
    if await claim(f"alert-storm:{place}", STORM):
        minutes = int(STORM.total_seconds() // 60)
        storm = notices.alert_storm(most, minutes, edge.services.limits.command)
        await edge.say(channel, storm)


async def _reply(
    edge: Edge, event: dict[str, Any], alert: AlertPost, visit: Visit, scope: Scope
) -> None:
    services, reference = edge.services, new_reference()
    answer: Answer | None = None
    outcome = "failed"
    try:
        async with asyncio.timeout(services.limits.answer_timeout_seconds):
            answer = await _look_up(edge, alert, scope)
        await services.answers.put(reference, scope, answer)
        layout = lay_out(answer, reference, services.clock.now())
        for message in layout.messages():
            await edge.say(visit.channel, message, str(event["ts"]))
        outcome = "answered" if answer.is_grounded else "not_found"
    except (OpsbotError, TimeoutError, *SLACK_FAILURES):
        # Nobody asked, so nobody waits to be told.
        log.exception("an alert in %s got no reply, ref %s", visit.channel, reference)
    finally:
        services.audit.note(
            visit.user, visit.channel, ALERT, outcome,
            scope=scope, reference=reference, model=answer.model if answer else "",
            question=alert.title,
        )  # fmt: skip


async def _look_up(edge: Edge, alert: AlertPost, scope: Scope) -> Answer:
    inquiry = Inquiry(f"{alert.title}\n{alert.text}", scope=scope)
    async with aclosing(edge.services.tasks[ALERT].stream(inquiry)) as events:
        async for event in events:
            if isinstance(event, Done):
                return event.answer
    raise OpsbotError("look an alert up", "the search ended without a result", "See the log.")

"""The one place where a failed listener becomes words for the person who waits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot.blocks import notices
from bot.edge import Edge
from bot.interrupted import Underway
from bot.listeners.asking import OPENED
from bot.listeners.incoming import is_addressed
from bot.notices import SLACK_FAILURES, SlackError, explain, new_reference
from bot.telemetry.entry import entry_of
from bot.telemetry.errand import errand

log = logging.getLogger(__name__)

# Bolt looks every 10 ms whether a listener has confirmed, and forgets the confirmation of one that
# fails before it looked: Slack would report a timeout beside our notice.
_CONFIRMATION_SECONDS = 0.05


def register(app: AsyncApp, edge: Edge) -> None:
    """Explain every error that a listener raises."""

    async def on_error(error: Exception, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await asyncio.sleep(_CONFIRMATION_SECONDS)
        reference = errand().reference or new_reference()
        edge.services.watch.meter.failed(entry_of(body))
        log.error("a listener failed, ref %s", reference, exc_info=error)
        told = explain(error, reference)
        problem = notices.problem(told.headline, told.remedy, reference)
        opened: Underway | None = context.get(OPENED)
        try:
            response_url = body.get("response_url")
            if response_url:
                await edge.reply(str(response_url)).fail(problem)
            elif _awaits_answer(body.get("event") or {}, opened):
                event = body["event"]
                await edge.say(event["channel"], problem, event.get("thread_ts") or event["ts"])
        except (*SLACK_FAILURES, SlackError) as failure:
            log.warning("ref %s could not be told to anyone: %s", reference, failure)
            if opened is not None:
                await opened.give_back()
            return
        if opened is not None:
            await opened.end()

    app.error(on_error)


def _awaits_answer(event: Mapping[str, Any], opened: Underway | None) -> bool:
    asks = is_addressed(event) or opened is not None
    return bool(asks and event.get("channel") and event.get("ts"))

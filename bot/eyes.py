"""Eyes on the message that asks, for as long as it is being answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.notices import SLACK_FAILURES

log = logging.getLogger(__name__)


@asynccontextmanager
async def eyes(client: AsyncWebClient, channel: str, message_ts: str) -> AsyncIterator[None]:
    """React with eyes, and take them back at the end, if the app may react; '' for no message."""
    if not message_ts:
        yield
        return
    named = {"channel": channel, "timestamp": message_ts, "name": "eyes"}
    adding = asyncio.create_task(_best_effort(lambda: client.reactions_add(**named)), name="eyes")
    try:
        yield
    finally:
        if await adding:
            await _best_effort(lambda: client.reactions_remove(**named))


async def _best_effort(call: Callable[[], Awaitable[Any]]) -> bool:
    try:
        await call()
    except SLACK_FAILURES as error:
        log.debug("left undone: %s", error)
        return False
    return True

"""How an answer's message is known again by a process that did not hear where it stands."""

from __future__ import annotations

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_client import messages_since


def answer_mark(key: str) -> dict[str, Any]:
    """The metadata of an answer's message."""
    return {"event_type": "opsbot_answer", "event_payload": {"key": key}}


async def find_answer(client: AsyncWebClient, channel: str, thread_ts: str, key: str) -> str | None:
    """The ts of the message in a thread in which an answer stands, by its key, or None.

    Raises:
        SlackApiError, aiohttp.ClientError: The thread cannot be read, so nobody knows.
    """
    async for message in messages_since(client, channel, thread_ts, float(thread_ts)):
        tasks = {block.get("task_id") for block in message.get("blocks") or ()}
        # A stream takes no metadata at its beginning, but a task with an id of our own.
        if key in tasks or message.get("metadata") == answer_mark(key):
            return str(message["ts"])
    return None

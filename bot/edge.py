"""What listeners and commands work with."""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.answering import Answering
from bot.replies import Reply
from bot.services import Services


@dataclass(frozen=True, slots=True)
class Edge:
    """The Slack edge: our services, Slack's client, and the one way to answer a question."""

    services: Services
    client: AsyncWebClient
    answering: Answering

    def reply(self, response_url: str, thread_ts: str = "") -> Reply:
        """The way back to a person who typed a command or pressed a button, maybe in a thread."""
        return Reply(response_url, self.client, thread_ts)

    async def is_new(self, *keys: str) -> bool:
        """Claim every key of a delivery; False when any of them was seen before."""
        claims = [await self.services.deliveries.claim(key) for key in keys if key]
        return all(claims)

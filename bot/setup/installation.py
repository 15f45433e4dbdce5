"""What Slack tells of the app as it is installed, for `opsbot setup` and `opsbot doctor`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.channels import channel_ids
from bot.identity import Identity, auth_test, identity_of
from bot.notices import SLACK_FAILURES, slack_error
from bot.slack_client import make_client
from core.clock import Clock, skew_seconds

# Scope → what is missing without it. The test of manifest.yaml compares.
NEEDED_SCOPES = {
    "app_mentions:read": "mentions do not reach the bot",
    "channels:history": "threads of public channels cannot be read",
    "chat:write": "nothing can be posted",
    "commands": "the slash command does not work",
    "groups:history": "threads of private channels cannot be read",
    "im:history": "direct messages do not reach the bot",
    "users:read": "only people in SLACK_ALLOWED_USERS are answered",
}
OPTIONAL_SCOPES = {
    "channels:read": "answers to commands cannot be shared",
    "files:write": "documents come as messages and metrics without a picture",
    "groups:read": "answers to commands cannot be shared in private channels",
    "reactions:write": "nothing shows that a mention was seen",
}


_TIMEOUT = aiohttp.ClientTimeout(total=20, connect=10)


@dataclass(frozen=True, slots=True)
class Installation:
    """The app in its workspace.

    Attributes:
        scopes: What its token was granted.
        clock_skew_seconds: By how much Slack's clock is ahead of ours; None where it did not say.
    """

    identity: Identity
    scopes: frozenset[str]
    clock_skew_seconds: float | None


@asynccontextmanager
async def slack_client(token: str, base_url: str) -> AsyncIterator[AsyncWebClient]:
    """A client for the length of a block."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        yield make_client(token, base_url, session)


async def look_at_app(client: AsyncWebClient, clock: Clock) -> Installation:
    """Ask Slack whose token this is and what it may do.

    Raises:
        SlackError: The token is refused, or Slack cannot be reached.
    """
    told = await auth_test(client)
    headers = {name.lower(): str(value) for name, value in (told.headers or {}).items()}
    scopes = headers.get("x-oauth-scopes", "").split(",")
    return Installation(
        identity_of(told),
        frozenset(scope.strip() for scope in scopes if scope.strip()),
        skew_seconds(headers.get("date", ""), clock.now()),
    )


def without(scopes: Collection[str], wanted: dict[str, str]) -> list[str]:
    """What is missing, a clause a scope: "files:write (documents come as messages)"."""
    return [f"{scope} ({lack})" for scope, lack in wanted.items() if scope not in scopes]


async def try_app_token(client: AsyncWebClient, app_token: str) -> None:
    """Ask for a socket, and open none.

    Raises:
        SlackError: The token is refused or lacks connections:write, or Slack cannot be reached.
    """
    try:
        await client.apps_connections_open(app_token=app_token)
    except SLACK_FAILURES as error:
        raise slack_error(error, "open a socket to Slack") from error


async def try_channel(client: AsyncWebClient, name: str) -> None:
    """Read one message of a channel, which only its members may.

    Args:
        client: With the bot's token.
        name: #name or id.

    Raises:
        OpsbotError: The bot is no member, or the channel cannot be seen.
    """
    try:
        found = await channel_ids(client, [name])
        await client.conversations_history(channel=found[name], limit=1)
    except SLACK_FAILURES as error:
        raise slack_error(error, f"read the channel {name}") from error

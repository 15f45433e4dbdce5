"""Who the bot is in its workspace, without loading Bolt."""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.notices import SLACK_FAILURES, slack_error


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is in its workspace."""

    team: str
    team_name: str
    bot_user: str
    bot_name: str
    bot_id: str


async def sign_in(client: AsyncWebClient) -> Identity:
    """Ask Slack who this token is.

    Raises:
        SlackError: The token is refused, or Slack cannot be reached.
    """
    return identity_of(await auth_test(client))


async def auth_test(client: AsyncWebClient) -> AsyncSlackResponse:
    """Slack's answer about this token, with its headers.

    Raises:
        SlackError: The token is refused, or Slack cannot be reached.
    """
    try:
        return await client.auth_test()
    except SLACK_FAILURES as error:
        raise slack_error(error, "sign in to Slack") from error


def identity_of(told: AsyncSlackResponse) -> Identity:
    """Reads the answer of auth.test."""
    return Identity(
        team=str(told["team_id"]),
        team_name=str(told.get("team") or ""),
        bot_user=str(told["user_id"]),
        bot_name=str(told.get("user") or ""),
        bot_id=str(told.get("bot_id") or ""),
    )

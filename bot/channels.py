"""Channel names as people write them, to the ids that Slack's methods take."""

from __future__ import annotations

import re
from collections.abc import Iterable

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.notices import slack_code
from core.errors import SettingsError

_ID = re.compile(r"[CDG][A-Z0-9]{2,}")


async def channel_ids(client: AsyncWebClient, names: Iterable[str]) -> dict[str, str]:
    """Each given name or id with its id.

    Raises:
        SettingsError: A name is unknown, or the app may not list channels: then ids are needed.
    """
    wanted = {name for name in names if name}
    found = {name: name for name in wanted if _ID.fullmatch(name)}
    missing = wanted - set(found)
    if not missing:
        return found
    known = await _known(client)
    for name in missing:
        plain = name.removeprefix("#")
        if plain not in known:
            raise SettingsError(
                f"find the channel {name}",
                "no channel that the bot can see has that name",
                "Check the name, invite the bot if it is private, or give the channel's id.",
            )
        found[name] = known[plain]
    return found


async def _known(client: AsyncWebClient) -> dict[str, str]:
    """Every channel that the bot can see, private ones where the app may list them."""
    try:
        public = await _listed(client, "public_channel")
    except SlackApiError as error:
        if slack_code(error) != "missing_scope":
            raise
        raise SettingsError(
            "look up a channel by its name",
            "the app lacks the scope channels:read",
            "Give the channel's id (at the bottom of its About tab), or add that scope.",
        ) from error
    try:
        return public | await _listed(client, "private_channel")
    except SlackApiError as error:
        if slack_code(error) != "missing_scope":
            raise
        return public


async def _listed(client: AsyncWebClient, kind: str) -> dict[str, str]:
    known: dict[str, str] = {}
    cursor = ""
    while True:
        page = await client.conversations_list(
            cursor=cursor, limit=1000, exclude_archived=True, types=kind
        )
        known |= {str(channel["name"]): str(channel["id"]) for channel in page["channels"]}
        cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return known

"""Which Slack events are questions of people, and what they ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SLACKBOT = "USLACKBOT"
# A message with files is a message; every other subtype is about messages.
_PLAIN_SUBTYPES = frozenset({None, "file_share"})


def reason_to_ignore(event: Mapping[str, Any], bot_user: str) -> str:
    """Why an event is not a person's message, or ''.

    Bots answering bots have filled threads; an edited question was answered before.
    """
    message: Mapping[str, Any] = event.get("message") or {}
    if event.get("subtype") not in _PLAIN_SUBTYPES:
        return f"subtype {event['subtype']}"
    if event.get("bot_id") or event.get("bot_profile") or message.get("bot_id"):
        return "a bot's post"
    if event.get("user") in {_SLACKBOT, bot_user, None}:
        return "not a person's post"
    if event.get("edited") or event.get("hidden"):
        return "an edit"
    return ""


def is_outsider(event: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether the author belongs to another organisation of a shared channel."""
    home = body.get("team_id")
    teams = {event.get(key) for key in ("team", "user_team", "source_team")} - {None, ""}
    return bool(home) and bool(teams - {home})


def delivery_keys(event: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[str, str]:
    """What makes an event the same as another: its own id, and the message it is about.

    A mention arrives as `app_mention` and as `message`, with two ids for one message.
    """
    place = f"{body.get('team_id', '')}:{event.get('channel', '')}:{event.get('ts', '')}"
    event_id = str(body.get("event_id") or "")
    return (f"event:{event_id}" if event_id else "", f"message:{place}")

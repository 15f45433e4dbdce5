"""Which Slack events are questions of people, whose they are, and where they were asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.gate import Visit

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


def is_addressed(event: Mapping[str, Any]) -> bool:
    """Whether a message is for the bot beyond doubt: it mentions it, or is to it alone."""
    return event.get("type") == "app_mention" or event.get("channel_type") == "im"


def visit_of_event(event: Mapping[str, Any], body: Mapping[str, Any]) -> Visit:
    """Who wrote a message where. Events alone say whether their channel is shared."""
    home = body.get("team_id")
    teams = [event.get(key) for key in ("team", "user_team", "source_team")]
    away = next((team for team in teams if team and team != home), home)
    return Visit(
        user=str(event["user"]),
        channel=str(event["channel"]),
        team=str(away or ""),
        is_shared=bool(body.get("is_ext_shared_channel")),
    )


def visit_of_click(body: Mapping[str, Any]) -> Visit:
    """Who pressed a button or used a shortcut where."""
    return visit_of_view(body, str(body["channel"]["id"]))


def visit_of_view(body: Mapping[str, Any], channel: str) -> Visit:
    """Who sent a modal off; its payload does not say where it was opened."""
    own = body["user"].get("team_id") or (body.get("team") or {}).get("id")
    return Visit(str(body["user"]["id"]), channel, str(own or ""))


def delivery_keys(event: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[str, str]:
    """What makes an event the same as another: its own id, and the message it is about.

    A mention arrives as `app_mention` and as `message`, with two ids for one message.
    """
    place = f"{body.get('team_id', '')}:{event.get('channel', '')}:{event.get('ts', '')}"
    event_id = str(body.get("event_id") or "")
    return (f"event:{event_id}" if event_id else "", f"message:{place}")

"""The events Slack sends an app, built from what happened. Pure; `now_ts` is "seconds.micros"."""

from __future__ import annotations

from typing import Any

from sandbox.slack import world
from sandbox.slack.timeline import Conversation, Message

Json = dict[str, Any]
_MENTION_KEYS = (
    "client_msg_id",
    "user",
    "text",
    "ts",
    "team",
    "blocks",
    "thread_ts",
    "parent_user_id",
    "edited",
    "bot_id",
    "app_id",
    "bot_profile",
    "files",
)
_SUBSCRIPTIONS = {"channel": "message.channels", "group": "message.groups", "im": "message.im"}


def message_subscription(conversation: Conversation) -> str:
    """The subscription that brings messages of this kind of conversation."""
    return _SUBSCRIPTIONS[conversation.kind]


def posted(conversation: Conversation, message: Message) -> Json:
    """A new message."""
    event = message | {"channel": conversation.id, "event_ts": message["ts"]}
    return event | {"channel_type": conversation.kind}


def mentioned(conversation: Conversation, message: Message) -> Json:
    """A message that names the app."""
    event = {key: message[key] for key in _MENTION_KEYS if key in message}
    place = {"channel": conversation.id, "event_ts": message["ts"]}
    return event | place | {"type": "app_mention"}


def changed(conversation: Conversation, message: Message, previous: Message, now_ts: str) -> Json:
    """A message that was edited, or finished streaming."""
    event = {"subtype": "message_changed", "message": message, "previous_message": previous}
    return _hidden(conversation, now_ts) | event


def deleted(conversation: Conversation, message: Message, now_ts: str) -> Json:
    """A message that is gone."""
    event = {"subtype": "message_deleted", "deleted_ts": message["ts"]}
    return _hidden(conversation, now_ts) | event | {"previous_message": message}


def member_joined(conversation: Conversation, user: str, now_ts: str) -> Json:
    """Someone, perhaps the app itself, was added to a channel."""
    return {
        "type": "member_joined_channel",
        "user": user,
        "channel": conversation.id,
        "channel_type": "G" if conversation.kind == "group" else "C",
        "team": world.TEAM_ID,
        "event_ts": now_ts,
    }


def reacted(
    kind: str, conversation: Conversation, message: Message, *, name: str, user: str, now_ts: str
) -> Json:
    """A reaction was added or removed; `kind` is the event's type."""
    return {
        "type": kind,
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": conversation.id, "ts": message["ts"]},
        "item_user": message.get("user"),
        "event_ts": now_ts,
    }


def home_opened(
    conversation: Conversation, user: str, tab: str, view: Json | None, now_ts: str
) -> Json:
    """Someone opened the app's Home or Messages tab."""
    event: Json = {
        "type": "app_home_opened",
        "user": user,
        "channel": conversation.id,
        "tab": tab,
        "event_ts": now_ts,
    }
    return event | ({"view": view} if view is not None and tab == "home" else {})


def session_stopped(conversation: Conversation, user: str, thread_ts: str, now_ts: str) -> Json:
    """Someone pressed Stop beside a running answer."""
    return {
        "type": "agent_session_stopped",
        "user": user,
        "channel": conversation.id,
        "thread_ts": thread_ts,
        "event_ts": now_ts,
    }


def _hidden(conversation: Conversation, now_ts: str) -> Json:
    return {
        "type": "message",
        "hidden": True,
        "channel": conversation.id,
        "channel_type": conversation.kind,
        "ts": now_ts,
        "event_ts": now_ts,
    }

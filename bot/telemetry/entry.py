"""By what way something reaches the bot."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Entry(StrEnum):
    """How something reaches the bot."""

    COMMAND = "command"
    MENTION = "mention"
    ACTION = "action"
    SHORTCUT = "shortcut"
    VIEW = "view"
    EVENT = "event"
    ALERT = "alert"


_ENTRIES = {
    "block_actions": Entry.ACTION,
    "message_action": Entry.SHORTCUT,
    "shortcut": Entry.SHORTCUT,
    "view_submission": Entry.VIEW,
    "view_closed": Entry.VIEW,
}


def entry_of(body: Mapping[str, Any]) -> Entry:
    """How a delivery of Slack came in."""
    if "command" in body:
        return Entry.COMMAND
    event = body.get("event") or {}
    if event.get("type") == "app_mention" or event.get("channel_type") == "im":
        return Entry.MENTION
    return _ENTRIES.get(str(body.get("type")), Entry.EVENT)

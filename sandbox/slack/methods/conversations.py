"""conversations.*, users.* and usergroups.*: who and what there is, and what was said."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from sandbox.slack import world
from sandbox.slack.errors import SlackError
from sandbox.slack.methods.call import Call, Json
from sandbox.slack.methods.chat import readable
from sandbox.slack.timeline import between

_TYPES = {"public_channel": "channel", "private_channel": "group", "im": "im"}


def history(call: Call) -> Json:
    """conversations.history: newest first, without replies."""
    call.needed("channel")
    conversation = call.conversation()
    if world.BOT_USER_ID not in conversation.members:
        raise SlackError("not_in_channel")
    messages = _in_range(call, conversation.top_level())
    page, cursor = _page(call, messages[::-1])
    rows = [readable(message, call) for message in page]
    return {"messages": rows, "pin_count": 0} | _more(cursor)


def replies(call: Call) -> Json:
    """conversations.replies: the parent first, on every page, then replies, oldest first."""
    call.needed("channel", "ts")
    conversation = call.conversation()
    if world.BOT_USER_ID not in conversation.members:
        raise SlackError("not_in_channel")
    parent, *rest = conversation.thread(call.text("ts"))
    page, cursor = _page(call, _in_range(call, rest))
    rows = [readable(message, call) for message in (parent, *page)]
    return {"messages": rows} | _more(cursor)


def info(call: Call) -> Json:
    """conversations.info."""
    call.needed("channel")
    return {"channel": call.conversation().to_slack()}


def list_conversations(call: Call) -> Json:
    """conversations.list."""
    asked = call.text("types", "public_channel").split(",")
    unknown = [kind for kind in asked if kind not in (*_TYPES, "mpim")]
    if unknown:
        raise SlackError("invalid_types")
    kinds = {_TYPES.get(kind) for kind in asked}
    rows = [
        conversation
        for conversation in call.workspace.conversations.values()
        if conversation.kind in kinds
        and (conversation.kind == "channel" or world.BOT_USER_ID in conversation.members)
        and not (call.flag("exclude_archived") and conversation.is_archived)
    ]
    page, cursor = _page(call, rows)
    objects = [row.to_slack() for row in page]
    return {"channels": objects, "response_metadata": {"next_cursor": cursor}}


def members(call: Call) -> Json:
    """conversations.members."""
    call.needed("channel")
    page, cursor = _page(call, sorted(call.conversation().members))
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def open_conversation(call: Call) -> Json:
    """conversations.open: a direct message with one user."""
    users = [user for user in call.text("users").split(",") if user]
    if not users and call.text("channel"):
        conversation = call.conversation()
    elif len(users) == 1:
        conversation = call.workspace.open_dm(users[0])
    else:
        raise SlackError("invalid_arguments", ["[ERROR] one user; groups are not built here"])
    full = conversation.to_slack()
    short = {"id": conversation.id}
    return {"channel": full if call.flag("return_im") else short}


def user_info(call: Call) -> Json:
    """users.info."""
    call.needed("user")
    return {"user": call.workspace.user(call.text("user")).to_slack()}


def group_members(call: Call) -> Json:
    """usergroups.users.list."""
    call.needed("usergroup")
    members = call.workspace.groups.get(call.text("usergroup"))
    if members is None:
        raise SlackError("no_such_subteam")
    return {"users": list(members)}


def _in_range(call: Call, messages: Sequence[Json]) -> list[Json]:
    return between(
        messages,
        oldest=call.text("oldest"),
        latest=call.text("latest"),
        inclusive=call.flag("inclusive"),
    )


def _page(call: Call, rows: Sequence[Any]) -> tuple[list[Any], str]:
    limit = max(1, min(call.number("limit", 100), 999))
    try:
        start = int(base64.b64decode(call.text("cursor"), validate=True) or 0)
    except (binascii.Error, ValueError):
        raise SlackError("invalid_cursor") from None
    end = start + limit
    cursor = base64.b64encode(str(end).encode()).decode() if end < len(rows) else ""
    return list(rows[start:end]), cursor


def _more(cursor: str) -> Json:
    more: Json = {"has_more": bool(cursor)}
    return more | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})

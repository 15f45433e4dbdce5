"""The messages of one conversation, oldest first, with timestamps that never repeat."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack import world
from sandbox.slack.errors import SlackError

Message = dict[str, Any]
_REACTION_LIMIT = 23


@dataclass(slots=True)
class Conversation:
    """A channel, private channel or direct message.

    Attributes:
        kind: "channel", "group" or "im", as the `channel_type` of events has it.
        members: User ids.
        messages: Slack message objects by ts, replies among them.
    """

    id: str
    name: str
    kind: str = "channel"
    purpose: str = ""
    members: set[str] = field(default_factory=set)
    is_archived: bool = False
    is_ext_shared: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    _last_micros: int = 0

    def next_ts(self, now_seconds: float) -> str:
        """A timestamp later than all before it in this conversation."""
        self._last_micros = max(int(now_seconds * 1_000_000), self._last_micros + 1)
        seconds, micros = divmod(self._last_micros, 1_000_000)
        return f"{seconds}.{micros:06d}"

    def find(self, ts: str) -> Message:
        """The message of this ts; `message_not_found` otherwise."""
        try:
            return self.messages[ts]
        except KeyError:
            raise SlackError("message_not_found") from None

    def add(self, message: Message) -> None:
        """Append a message, and count it with its parent when it is a reply."""
        self.messages[message["ts"]] = message
        parent = self._parent(message)
        if parent is not None:
            parent.setdefault("thread_ts", parent["ts"])
            message["parent_user_id"] = parent.get("user", "")
            self._count_replies(parent)

    def remove(self, ts: str) -> Message:
        """Delete a message and count its thread again."""
        message = self.find(ts)
        del self.messages[ts]
        parent = self._parent(message)
        if parent is not None:
            self._count_replies(parent)
        return message

    def parent_of(self, message: Message) -> Message | None:
        """The message this one replies to, or None."""
        return self._parent(message)

    def thread(self, ts: str) -> list[Message]:
        """The thread a message stands in: the parent first, then its replies."""
        found = self.messages.get(ts)
        if found is None:
            raise SlackError("thread_not_found")
        root = found.get("thread_ts", ts)
        return [m for m in self.messages.values() if root in (m["ts"], m.get("thread_ts"))]

    def top_level(self) -> list[Message]:
        """Messages outside threads, and thread parents, oldest first."""
        return [m for m in self.messages.values() if m.get("thread_ts", m["ts"]) == m["ts"]]

    def to_slack(self) -> dict[str, Any]:
        """The conversation as `conversations.info` shows it to the app."""
        is_im = self.kind == "im"
        base: dict[str, Any] = {
            "id": self.id,
            "created": 1790000000,
            "is_archived": self.is_archived,
            "is_im": is_im,
            "is_ext_shared": self.is_ext_shared,
            "is_shared": self.is_ext_shared,
            "is_org_shared": False,
            "context_team_id": world.TEAM_ID,
        }
        if is_im:
            other = next(iter(self.members - {world.BOT_USER_ID}))
            return base | {"user": other, "is_user_deleted": False}
        private = self.kind == "group"
        return base | {
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": not private,
            "is_group": private,
            "is_private": private,
            "is_mpim": False,
            "is_general": self.id == "CGENERAL",
            "is_member": world.BOT_USER_ID in self.members,
            "creator": world.DEFAULT_USER_ID,
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {"value": self.purpose, "creator": "", "last_set": 0},
            "num_members": len(self.members),
        }

    def _parent(self, message: Message) -> Message | None:
        root = message.get("thread_ts")
        return self.messages.get(root) if root and root != message["ts"] else None

    def _count_replies(self, parent: Message) -> None:
        replies = [
            m
            for m in self.messages.values()
            if m.get("thread_ts") == parent["ts"] and m is not parent
        ]
        users = list(dict.fromkeys(m["user"] for m in replies if m.get("user")))
        parent |= {
            "reply_count": len(replies),
            "reply_users": users,
            "reply_users_count": len(users),
            "latest_reply": replies[-1]["ts"] if replies else parent["ts"],
        }


def between(
    messages: Iterable[Message], *, oldest: str = "", latest: str = "", inclusive: bool = False
) -> list[Message]:
    """Messages in a range of timestamps, as `oldest`, `latest` and `inclusive` say."""

    def fits(message: Message) -> bool:
        ts = float(message["ts"])
        low, high = float(oldest or 0), float(latest or "inf")
        return low <= ts <= high if inclusive else low < ts < high

    return [message for message in messages if fits(message)]


def public(message: Message, *, with_metadata: bool) -> Message:
    """A copy for a reader, with app metadata only when it was asked for."""
    return {key: value for key, value in message.items() if with_metadata or key != "metadata"}


def ids(prefix: str, first: int = 1) -> Iterator[str]:
    """Endless ids: prefix and a number, with enough digits to look like Slack's."""
    return (f"{prefix}{number:08d}" for number in itertools.count(first))


def add_reaction(message: Message, name: str, user: str) -> None:
    """Add a user's reaction, or raise what Slack answers."""
    reactions: list[dict[str, Any]] = message.setdefault("reactions", [])
    row = next((row for row in reactions if row["name"] == name), None)
    if row is None:
        if len(reactions) >= _REACTION_LIMIT:
            raise SlackError("too_many_emoji")
        row = {"name": name, "users": [], "count": 0}
        reactions.append(row)
    if user in row["users"]:
        raise SlackError("already_reacted")
    row["users"].append(user)
    row["count"] += 1


def remove_reaction(message: Message, name: str, user: str) -> None:
    """Take a user's reaction back, or raise what Slack answers."""
    reactions: list[dict[str, Any]] = message.get("reactions", [])
    row = next((r for r in reactions if r["name"] == name and user in r["users"]), None)
    if row is None:
        raise SlackError("no_reaction")
    row["users"].remove(user)
    row["count"] -= 1
    if not row["users"]:
        reactions.remove(row)

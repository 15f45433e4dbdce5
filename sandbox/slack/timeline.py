"""The messages of one conversation, oldest first, with timestamps that never repeat."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack.errors import SlackError

Message = dict[str, Any]


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


def ids(prefix: str) -> Iterator[str]:
    """Endless ids: prefix and a number, with enough digits to look like Slack's."""
    return (f"{prefix}{number:08d}" for number in itertools.count(1))

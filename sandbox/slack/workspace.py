"""What a Slack workspace knows: people, conversations, messages, files, views.

`Workspace` does no I/O. Whoever wants to know of changes subscribes: the page's feed to
`Change`s, the delivery to Slack events for the app. It is longer than others because all state
changes in this one place; what events look like, and how threads and reactions count, stands in
modules of its own.
"""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.slack import app_events, world
from sandbox.slack.clock import WorkspaceClock
from sandbox.slack.entities import Entities, message_entities, rich_text
from sandbox.slack.errors import SlackError
from sandbox.slack.things import Change, File, OpenView, Stream
from sandbox.slack.timeline import Conversation, Message, add_reaction, ids, remove_reaction

Json = dict[str, Any]
TEXT_CHARACTERS = 40_000


class Workspace:
    """The state of one workspace, in memory.

    Args:
        clock: Workspace time.
        rules: Slack's periods and counts.
        app: How the app is installed.
    """

    def __init__(
        self,
        clock: WorkspaceClock | None = None,
        rules: world.Rules | None = None,
        app: world.AppProfile | None = None,
    ) -> None:
        self.clock = clock or WorkspaceClock()
        self.rules = rules or world.Rules()
        self.app = app or world.AppProfile()
        self.base_url = ""
        self._installed = self.app
        self._watchers: list[Callable[[Change], None]] = []
        self._event_watchers: list[Callable[[Json], None]] = []
        self._begin()

    def _begin(self) -> None:
        self.users: dict[str, world.User] = {user.id: user for user in world.USERS}
        everyone = {user.id for user in world.USERS if user.id != "USLACKBOT"}
        self.conversations: dict[str, Conversation] = {
            channel_id: Conversation(channel_id, name, "channel", purpose, set(everyone))
            for channel_id, name, purpose in world.CHANNELS
        }
        self.ephemerals: dict[str, list[Message]] = {}
        self.files: dict[str, File] = {}
        self.streams: dict[tuple[str, str], Stream] = {}
        self.statuses: dict[tuple[str, str], tuple[str, float]] = {}
        self.views: list[OpenView] = []
        self.homes: dict[str, Json] = {}
        self.groups: dict[str, list[str]] = {}
        self._link_names: set[tuple[str, str]] = set()
        self._file_ids, self._view_ids = ids("F"), ids("V")
        # Slack never gives an id again; an app that outlives this workspace takes one that comes
        # back for an event that was delivered twice.
        self._event_ids = ids("Ev", time.time_ns() // 1_000_000)

    def reset(self) -> None:
        """Forget everything that happened; connections stay."""
        self.app = self._installed
        self._begin()
        self.tell("reset", {})

    # Watching

    def watch(self, watcher: Callable[[Change], None]) -> None:
        """Call `watcher` for every change a page should show."""
        self._watchers.append(watcher)

    def watch_events(self, watcher: Callable[[Json], None]) -> None:
        """Call `watcher` with every Slack event the app has subscribed to."""
        self._event_watchers.append(watcher)

    def tell(self, kind: str, data: Json, user: str = "") -> None:
        """Announce a change."""
        for watcher in self._watchers:
            watcher(Change(kind, data, user))

    def emit(self, event: Json, subscription: str) -> None:
        """Hand an event to the app if it has subscribed to it."""
        if subscription in self.app.events:
            for watcher in self._event_watchers:
                watcher(event)

    def new_event_id(self) -> str:
        """A globally unique event id."""
        return next(self._event_ids)

    def new_view_id(self) -> str:
        """A unique view id."""
        return next(self._view_ids)

    # People and conversations

    @property
    def bot(self) -> world.User:
        """The app's bot user."""
        return self.users[world.BOT_USER_ID]

    def user_ids(self) -> dict[str, str]:
        """User ids by name."""
        return {user.name: user.id for user in self.users.values()}

    def channel_ids(self) -> dict[str, str]:
        """Channel ids by name."""
        return {c.name: c.id for c in self.conversations.values() if c.kind != "im"}

    def user(self, user_id: str) -> world.User:
        """The user of this id; `user_not_found` otherwise."""
        try:
            return self.users[user_id]
        except KeyError:
            raise SlackError("user_not_found") from None

    def conversation(self, channel: str) -> Conversation:
        """The conversation of this id; `channel_not_found` otherwise."""
        try:
            return self.conversations[channel]
        except KeyError:
            raise SlackError("channel_not_found") from None

    def open_dm(self, user_id: str) -> Conversation:
        """The direct message between the bot and a user, made when there is none."""
        user = self.user(user_id)
        channel_id = f"D{user.id[1:]}"
        if channel_id not in self.conversations:
            members = {user.id, world.BOT_USER_ID}
            dm = Conversation(channel_id, user.name, "im", "", members)
            self.conversations[channel_id] = dm
            self.tell("conversation", dm.to_slack(), user.id)
        return self.conversations[channel_id]

    def member_joined(self, conversation: Conversation, user: world.User) -> None:
        """Add a member and tell the app."""
        conversation.members.add(user.id)
        self.tell("conversation", conversation.to_slack())
        event = app_events.member_joined(conversation, user.id, self.now_ts())
        self.emit(event, "member_joined_channel")

    def member_left(self, conversation: Conversation, user: world.User) -> None:
        """Remove a member."""
        conversation.members.discard(user.id)
        self.tell("conversation", conversation.to_slack())

    # Messages

    def post(
        self,
        conversation: Conversation,
        author: world.User,
        text: str,
        *,
        blocks: Iterable[Json] | None = None,
        thread_ts: str = "",
        extra: Mapping[str, Any] | None = None,
        link_names: bool = False,
    ) -> Message:
        """Post a message and tell the app of it.

        Args:
            conversation: Where to.
            author: A person, or a bot, whose messages carry `bot_id` and `bot_profile`.
            text: Slack mrkdwn; cut off above 40,000 characters.
            blocks: Checked blocks with ids; a person's message gets its rich text when None.
            thread_ts: The thread's parent, or "".
            extra: Further fields, such as `metadata` and `files`.
            link_names: Whether bare `@names` in `text` notify.

        Returns:
            The stored message object.
        """
        message = self._new_message(conversation, author, text[:TEXT_CHARACTERS], blocks)
        if thread_ts:
            message["thread_ts"] = thread_ts
        message |= extra or {}
        conversation.add(message)
        if link_names:
            self._link_names.add((conversation.id, message["ts"]))
        self.tell_message("message", conversation, message)
        parent = conversation.parent_of(message)
        if parent is not None:
            self.tell_message("message_changed", conversation, parent)
        self._emit_in(conversation, app_events.posted(conversation, message))
        self._emit_mention(conversation, message)
        return message

    def edit(
        self, conversation: Conversation, message: Message, changes: Json, *, editor: str
    ) -> Message:
        """Change a message in place and tell the app of it (`message_changed`, hidden)."""
        previous = dict(message)
        message |= changes
        message["edited"] = {"user": editor, "ts": self.now_ts()}
        self.tell_message("message_changed", conversation, message)
        self.emit_changed(conversation, message, previous)
        if not message.get("bot_id"):
            self._emit_mention(conversation, message)
        return message

    def emit_changed(self, conversation: Conversation, message: Message, previous: Message) -> None:
        """Send the app a `message_changed` event."""
        event = app_events.changed(conversation, message, previous, self.now_ts())
        self._emit_in(conversation, event)

    def delete(self, conversation: Conversation, ts: str) -> None:
        """Delete a message and tell the app of it."""
        message = conversation.remove(ts)
        self.tell("message_deleted", {"channel": conversation.id, "ts": ts})
        parent = conversation.parent_of(message)
        if parent is not None:
            self.tell_message("message_changed", conversation, parent)
        self._emit_in(conversation, app_events.deleted(conversation, message, self.now_ts()))

    def post_ephemeral(
        self,
        conversation: Conversation,
        recipient: str,
        text: str,
        *,
        author: world.User | None = None,
        blocks: Iterable[Json] | None = None,
        thread_ts: str = "",
    ) -> Message:
        """Show one user a message that no history has."""
        message = self._new_message(
            conversation, author or self.bot, text[:TEXT_CHARACTERS], blocks
        )
        message |= {"is_ephemeral": True, "channel": conversation.id, "recipient": recipient}
        if thread_ts:
            message["thread_ts"] = thread_ts
        self.ephemerals.setdefault(recipient, []).append(message)
        self.tell("ephemeral", message, recipient)
        return message

    def find_ephemeral(self, user: str, channel: str, ts: str) -> Message | None:
        """An ephemeral message on a user's screen, or None."""
        for message in self.ephemerals.get(user, ()):
            if (message["channel"], message["ts"]) == (channel, ts):
                return message
        return None

    def change_ephemeral(self, message: Message, changes: Json) -> None:
        """Replace parts of an ephemeral message."""
        message |= changes
        self.tell("ephemeral", message, message["recipient"])

    def delete_ephemeral(self, message: Message) -> None:
        """Take an ephemeral message off its reader's screen."""
        self.ephemerals[message["recipient"]].remove(message)
        data = {"channel": message["channel"], "ts": message["ts"]}
        self.tell("ephemeral_deleted", data, message["recipient"])

    def tell_message(self, kind: str, conversation: Conversation, message: Message) -> None:
        """Announce a message to those who may read it."""
        data = {"channel": conversation.id, "message": message}
        others = conversation.members - {world.BOT_USER_ID}
        self.tell(kind, data, next(iter(others)) if conversation.kind == "im" else "")

    def react(self, conversation: Conversation, ts: str, name: str, user: str) -> None:
        """Add a user's reaction."""
        message = conversation.find(ts)
        add_reaction(message, name, user)
        self._reacted("reaction_added", conversation, message, name, user)

    def unreact(self, conversation: Conversation, ts: str, name: str, user: str) -> None:
        """Take a user's reaction back."""
        message = conversation.find(ts)
        remove_reaction(message, name, user)
        self._reacted("reaction_removed", conversation, message, name, user)

    def entities(self, conversation: Conversation, message: Message) -> Entities:
        """The entities of a message, wherever they stand in it."""
        link_names = (conversation.id, message["ts"]) in self._link_names
        return message_entities(message, self.user_ids(), link_names=link_names)

    def notified(self, conversation: Conversation, message: Message) -> list[str]:
        """Ids of users and user groups whom a message notifies; the author is never among them."""
        found = self.entities(conversation, message)
        users = found.users | (conversation.members if found.broadcasts else set())
        people = {user for user in users if user != message.get("user") and user in self.users}
        return sorted(people) + sorted(found.groups)

    # Streams and status

    def is_streaming(self, conversation: Conversation, ts: str) -> bool:
        """Whether a message is still growing; Slack ends streams some minutes after their start."""
        stream = self.streams.get((conversation.id, ts))
        if stream is None or not stream.is_open:
            return False
        return self.clock.now() - stream.started_at < self.rules.stream_lifetime_seconds

    def check_not_streaming(self, conversation: Conversation, ts: str) -> None:
        """Answer `streaming_state_conflict` while a message grows; end an outlived stream."""
        if self.is_streaming(conversation, ts):
            raise SlackError("streaming_state_conflict")
        if self.streams.pop((conversation.id, ts), None):
            conversation.find(ts)["streaming_state"] = "completed"

    def tell_status(self, conversation: Conversation, thread_ts: str, status: str) -> None:
        """Show "opsbot is …" beside a thread; "" takes it away."""
        key = (conversation.id, thread_ts)
        if not status and key not in self.statuses:
            return
        expires_at = self.clock.now() + self.rules.status_lifetime_seconds
        self.statuses.pop(key, None)
        if status:
            self.statuses[key] = (status, expires_at)
        data = {"channel": conversation.id, "thread_ts": thread_ts, "status": status}
        seconds = self.rules.status_lifetime_seconds / self.clock.speed
        self.tell("status", data | {"lifetime_seconds": seconds})

    # Files and views

    def new_file(self, name: str, length: int, alt_text: str) -> File:
        """Register a file whose bytes will follow."""
        file = File(next(self._file_ids), name, length, alt_text)
        self.files[file.id] = file
        return file

    def open_views(self, user: str) -> list[OpenView]:
        """A user's modals, the lowest first."""
        return [row for row in self.views if row.user == user]

    def add_user(self, user: world.User) -> world.User:
        """Add a person to the workspace, or a stranger with another team's id."""
        self.users[user.id] = user
        return user

    def replace_app(self, **changes: Any) -> None:
        """Change how the app is installed, until the next reset."""
        self.app = dataclasses.replace(self.app, **changes)

    def _new_message(
        self,
        conversation: Conversation,
        author: world.User,
        text: str,
        blocks: Iterable[Json] | None,
    ) -> Message:
        message: Message = {
            "type": "message",
            "user": author.id,
            "ts": conversation.next_ts(self.clock.now()),
            "text": text,
            "team": author.team_id,
        }
        if author.is_bot:
            message |= {
                "bot_id": author.bot_id,
                "app_id": author.app_id,
                "bot_profile": author.bot_profile(),
            }
        else:
            message["client_msg_id"] = str(uuid.uuid4())
            blocks = rich_text(text) if blocks is None else blocks
        if blocks is not None:
            message["blocks"] = list(blocks)
        return message

    def now_ts(self) -> str:
        """Workspace time as events carry it."""
        return f"{self.clock.now():.6f}"

    def _emit_in(self, conversation: Conversation, event: Json) -> None:
        if world.BOT_USER_ID in conversation.members:
            self.emit(event, app_events.message_subscription(conversation))

    def _emit_mention(self, conversation: Conversation, message: Message) -> None:
        """Tell the app that it was named: not in direct messages, and not by itself."""
        if conversation.kind == "im" or world.BOT_USER_ID not in conversation.members:
            return
        is_own = message.get("user") == world.BOT_USER_ID
        if not is_own and world.BOT_USER_ID in self.entities(conversation, message).users:
            self.emit(app_events.mentioned(conversation, message), "app_mention")

    def _reacted(
        self, kind: str, conversation: Conversation, message: Message, name: str, user: str
    ) -> None:
        self.tell_message("message_changed", conversation, message)
        event = app_events.reacted(
            kind, conversation, message, name=name, user=user, now_ts=self.now_ts()
        )
        self.emit(event, kind)

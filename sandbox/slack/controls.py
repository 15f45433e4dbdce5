"""What a person or a test can do to the workspace; the control API and the page both use it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.slack import app_events, world
from sandbox.slack.dispatcher import Dispatcher
from sandbox.slack.elements import pressed, view_state
from sandbox.slack.entities import compose, rich_text
from sandbox.slack.errors import ControlError, SlackError
from sandbox.slack.faults import Faults
from sandbox.slack.interactions import Interactions
from sandbox.slack.recorder import Recorder
from sandbox.slack.things import OpenView
from sandbox.slack.timeline import Conversation, Message
from sandbox.slack.workspace import Workspace

Json = dict[str, Any]
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


@dataclass(frozen=True, slots=True)
class Controls:
    """Everything outside the app's own reach. A `ControlError` names a wrong field."""

    workspace: Workspace
    interactions: Interactions
    dispatcher: Dispatcher
    faults: Faults
    recorder: Recorder

    # Looking things up

    def user(self, name: str, field: str = "user") -> world.User:
        """A user by id or name."""
        users = self.workspace.users
        user = users.get(name) or users.get(
            self.workspace.user_ids().get(name.removeprefix("@").lower(), "")
        )
        if user is None:
            raise ControlError(field, f"there is no user {name!r}", sorted(users))
        return user

    def conversation(self, name: str, user: world.User | None = None) -> Conversation:
        """A channel by name or id; "@opsbot" is the user's direct message with the bot."""
        if name.removeprefix("@") == world.BOT_NAME or name == world.BOT_USER_ID:
            return self.workspace.open_dm((user or self.user(world.DEFAULT_USER_ID)).id)
        channels = self.workspace.channel_ids()
        found = self.workspace.conversations.get(channels.get(name.removeprefix("#"), name))
        if found is None:
            allowed = [*channels, f"@{world.BOT_NAME}"]
            raise ControlError("channel", f"there is no channel {name!r}", allowed)
        return found

    def message(self, conversation: Conversation, ts: str, field: str = "message_ts") -> Message:
        """A message by ts."""
        message = conversation.messages.get(ts)
        if message is None:
            wrong = f"#{conversation.name} has no message {ts!r}"
            raise ControlError(field, wrong, "a ts that /_control/messages shows")
        return message

    # Doing

    def say(self, channel: str, user: str, text: str, thread_ts: str = "") -> Message:
        """Post as a person, through the composer: names and addresses become tokens."""
        author = self.user(user)
        conversation = self.conversation(channel, author)
        if not text.strip():
            raise ControlError("text", "a message needs words", "any text")
        if conversation.is_archived:
            raise ControlError("channel", f"#{conversation.name} is archived", "a live channel")
        if thread_ts:
            parent = self.message(conversation, thread_ts, "thread_ts")
            thread_ts = parent.get("thread_ts", thread_ts)
        words = compose(text, self.workspace.user_ids(), self.workspace.channel_ids())
        extra = {"subtype": "bot_message"} if author.is_bot else {}
        return self.workspace.post(conversation, author, words, thread_ts=thread_ts, extra=extra)

    def post_as_bot(
        self, channel: str, user: str, text: str, parts: Json, thread_ts: str = ""
    ) -> Message:
        """Post as another app's bot, as it stands: nothing is composed, `parts` are its fields."""
        author = self.user(user)
        if not author.is_bot:
            bots = [each.name for each in self.workspace.users.values() if each.is_bot]
            raise ControlError("user", f"{author.name} is a person", bots)
        conversation = self.conversation(channel, author)
        extra = {"subtype": "bot_message", **parts}
        return self.workspace.post(
            conversation, author, text, thread_ts=thread_ts, extra=extra, blocks=parts.get("blocks")
        )

    def edit(self, channel: str, user: str, ts: str, text: str) -> Message:
        """Edit one's own message."""
        author = self.user(user)
        conversation = self.conversation(channel, author)
        message = self.message(conversation, ts, "ts")
        if message.get("user") != author.id:
            raise ControlError("user", "only the author may edit", [str(message.get("user"))])
        words = compose(text, self.workspace.user_ids(), self.workspace.channel_ids())
        changes = {"text": words, "blocks": rich_text(words)}
        return self.workspace.edit(conversation, message, changes, editor=author.id)

    def delete(self, channel: str, user: str, ts: str) -> None:
        """Delete a message."""
        conversation = self.conversation(channel, self.user(user))
        self.message(conversation, ts, "ts")
        self.workspace.delete(conversation, ts)

    def react(self, channel: str, user: str, ts: str, name: str, *, remove: bool) -> None:
        """Add or take back a person's reaction."""
        author = self.user(user)
        conversation = self.conversation(channel, author)
        self.message(conversation, ts)
        change = self.workspace.unreact if remove else self.workspace.react
        try:
            change(conversation, ts, name.strip(":"), author.id)
        except SlackError as error:
            raise ControlError("name", error.code, "a reaction that changes something") from error

    async def command(self, channel: str, user: str, command: str, text: str) -> Json:
        """Run a slash command and wait for the app's confirmation."""
        known = [row.name for row in self.workspace.app.commands]
        if command not in known:
            raise ControlError("command", f"{command} is not a valid command", known)
        author = self.user(user)
        conversation = self.conversation(channel, author)
        return await self.interactions.command(conversation, author, command, text.strip())

    async def act(
        self, channel: str, user: str, message_ts: str, action_id: str, value: str | None
    ) -> Json:
        """Use a button or menu of a message, ephemeral ones included."""
        author = self.user(user)
        conversation = self.conversation(channel, author)
        message = self.workspace.find_ephemeral(author.id, conversation.id, message_ts)
        message = message or self.message(conversation, message_ts)
        action = pressed(message.get("blocks") or (), action_id, value)
        return await self.interactions.action(conversation, author, message, action)

    async def act_at_home(self, user: str, action_id: str, value: str | None) -> Json:
        """Use a button or menu of the app's Home tab."""
        author = self.user(user)
        view = self.workspace.homes.get(author.id)
        if view is None:
            raise ControlError("user", f"{author.name} has no Home tab yet", "open it first")
        action = pressed(view["blocks"], action_id, value)
        return await self.interactions.home_action(author, view, action)

    async def shortcut(self, user: str, callback_id: str, channel: str, message_ts: str) -> Json:
        """Use a message shortcut, or a global one when no message is given."""
        author = self.user(user)
        kind = "message" if message_ts else "global"
        known = [row.callback_id for row in self.workspace.app.shortcuts if row.kind == kind]
        if self.workspace.app.shortcuts and callback_id not in known:
            raise ControlError("callback_id", f"no {kind} shortcut {callback_id!r}", known)
        if not message_ts:
            return await self.interactions.global_shortcut(author, callback_id)
        conversation = self.conversation(channel, author)
        message = self.message(conversation, message_ts)
        return await self.interactions.message_shortcut(conversation, author, message, callback_id)

    async def view(self, user: str, view_id: str, action: str, values: Json) -> Json:
        """Submit or close a modal; the uppermost one when no id is given."""
        author = self.user(user)
        opened = self._opened(author, view_id)
        if action == "close":
            return await self.interactions.close(author, opened)
        if action != "submit":
            raise ControlError("action", f"cannot {action!r} a modal", ["submit", "close"])
        state = view_state(opened.view, values)
        result = await self.interactions.submit(author, opened, state)
        is_open = any(row is opened for row in self.workspace.views)
        return result | {"errors": opened.errors if is_open else {}}

    def _opened(self, user: world.User, view_id: str) -> OpenView:
        shown = self.workspace.open_views(user.id)
        for opened in reversed(shown):
            if view_id in ("", opened.view["id"]):
                return opened
        ids = [opened.view["id"] for opened in shown]
        raise ControlError("view_id", f"{user.name} has no such modal open", ids)

    def home(self, user: str, tab: str) -> Json | None:
        """Open the app's Home or Messages tab; returns the Home view that is there already."""
        if tab not in ("home", "messages"):
            raise ControlError("tab", f"there is no tab {tab!r}", ["home", "messages"])
        author = self.user(user)
        conversation = self.workspace.open_dm(author.id)
        view, now_ts = self.workspace.homes.get(author.id), self.workspace.now_ts()
        event = app_events.home_opened(conversation, author.id, tab, view, now_ts)
        self.workspace.emit(event, "app_home_opened")
        return view

    def stop(self, channel: str, user: str, thread_ts: str) -> None:
        """Press Stop on a running answer (`agent_session_stopped`)."""
        author = self.user(user)
        conversation = self.conversation(channel, author)
        self.message(conversation, thread_ts, "thread_ts")
        now_ts = self.workspace.now_ts()
        event = app_events.session_stopped(conversation, author.id, thread_ts, now_ts)
        self.workspace.emit(event, "agent_session_stopped")

    # Arranging

    def invite(self, channel: str, user: str, *, remove: bool) -> list[str]:
        """Add someone to a channel, or take them out; returns who is in it now."""
        person, conversation = self.user(user), self.conversation(channel)
        if conversation.kind == "im":
            raise ControlError("channel", "a direct message has fixed members", "a channel")
        change = self.workspace.member_left if remove else self.workspace.member_joined
        if remove == (person.id in conversation.members):
            change(conversation, person)
        return sorted(conversation.members)

    def arrange_channel(
        self, name: str, *, private: bool, archived: bool, ext_shared: bool
    ) -> Conversation:
        """Make a channel, or change one: whether it is archived, or shared with another team."""
        if not _NAME.fullmatch(name):
            allowed = "lower case letters, digits, '.', '_' and '-', up to 80"
            raise ControlError("name", f"{name!r} cannot name a channel", allowed)
        channel_id = self.workspace.channel_ids().get(name)
        if channel_id is None:
            channel_id = "C" + re.sub(r"[^A-Z0-9]", "", name.upper())
            members = {person.id for person in self.workspace.users.values() if not person.is_bot}
            if channel_id in self.workspace.conversations:
                raise ControlError("name", f"{name!r} is too close to another", "another name")
            kind = "group" if private else "channel"
            made = Conversation(channel_id, name, kind, "", members)
            self.workspace.conversations[channel_id] = made
        conversation = self.workspace.conversations[channel_id]
        conversation.is_archived, conversation.is_ext_shared = archived, ext_shared
        self.workspace.tell("conversation", conversation.to_slack())
        return conversation

    def add_user(
        self, name: str, real_name: str, team_id: str, *, is_restricted: bool
    ) -> world.User:
        """Add a person: a stranger with another team's id, a guest when restricted."""
        if not _NAME.fullmatch(name) or name in self.workspace.user_ids():
            raise ControlError("name", f"{name!r} cannot be added", "a new lower-case name")
        user_id = "U" + re.sub(r"[^A-Z0-9]", "", name.upper())
        if user_id in self.workspace.users:
            raise ControlError("name", f"{name!r} is too close to another", "another name")
        return self.workspace.add_user(
            world.User(
                user_id, name, real_name or name, team_id=team_id, is_restricted=is_restricted
            )
        )

    def restrict(self, user: str, *, is_restricted: bool) -> world.User:
        """Make a guest of a member, or a member of a guest."""
        person = self.user(user)
        return self.workspace.add_user(dataclasses.replace(person, is_restricted=is_restricted))

    def set_group(self, group: str, users: Iterable[str]) -> list[str]:
        """Make a user group of these people, by its id; returns their ids."""
        members = self.workspace.groups[group] = [self.user(user).id for user in users]
        return members

    def reset(self) -> None:
        """A clean workspace; the app stays connected."""
        self.dispatcher.cancel()
        self.faults.clear()
        self.recorder.clear()
        self.interactions.clear()
        self.workspace.reset()

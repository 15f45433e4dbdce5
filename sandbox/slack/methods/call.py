"""One call of a Web API method: its arguments, read as Slack reads them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.slack import world
from sandbox.slack.errors import SlackError
from sandbox.slack.interactions import Interactions
from sandbox.slack.timeline import Conversation
from sandbox.slack.transports import Transport
from sandbox.slack.workspace import Workspace

Json = dict[str, Any]
MARKDOWN_TEXT_CHARACTERS = 12_000


@dataclass(frozen=True, slots=True)
class Call:
    """A decoded call.

    Attributes:
        arguments: By name; form and query values are strings, JSON values have their own types.
    """

    workspace: Workspace
    interactions: Interactions
    transport: Transport
    arguments: Json

    def text(self, name: str, default: str = "") -> str:
        """A string argument."""
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean argument: true, "true", 1 and "1" are true."""
        value = self.arguments.get(name)
        return default if value is None else str(value).lower() in ("true", "1")

    def number(self, name: str, default: int) -> int:
        """A whole-number argument."""
        try:
            return int(self.arguments.get(name, default))
        except (TypeError, ValueError):
            raise SlackError("invalid_arguments", [f"[ERROR] {name} must be an integer"]) from None

    def structure(self, name: str) -> Any:
        """A JSON argument, which may come as a string of JSON; None when missing."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            code = "invalid_blocks_format" if name == "blocks" else "invalid_arguments"
            raise SlackError(code, [f"[ERROR] {name} is not valid JSON"]) from None

    def needed(self, *names: str) -> None:
        """Answer `invalid_arguments` unless all of these are there."""
        missing = [name for name in names if self.arguments.get(name) in (None, "")]
        if missing:
            words = [f"[ERROR] missing required field: {name}" for name in missing]
            raise SlackError("invalid_arguments", words)

    def conversation(self, name: str = "channel", *, writing: bool = False) -> Conversation:
        """The conversation an argument names.

        Args:
            name: The argument.
            writing: For a post: user ids and `#names` are allowed too, and the bot must be a
                member of a channel that is not archived.
        """
        channel = self.text(name)
        if not writing:
            return self._readable(self.workspace.conversation(channel))
        if channel in self.workspace.users:
            return self.workspace.open_dm(channel)
        channel = self.workspace.channel_ids().get(channel.removeprefix("#"), channel)
        conversation = self.workspace.conversation(channel)
        if conversation.is_archived:
            raise SlackError("is_archived")
        is_member = world.BOT_USER_ID in conversation.members
        if not is_member and conversation.kind == "group":
            raise SlackError("channel_not_found")
        if not is_member and "chat:write.public" not in self.workspace.app.scopes:
            raise SlackError("not_in_channel")
        return conversation

    def _readable(self, conversation: Conversation) -> Conversation:
        hidden = conversation.kind != "channel"
        if hidden and world.BOT_USER_ID not in conversation.members:
            raise SlackError("channel_not_found")
        return conversation


@dataclass(frozen=True, slots=True)
class Method:
    """A Web API method.

    Attributes:
        run: Carries the call out.
        scope: The bot scope it needs; "history", "read" and "list" depend on the kind of
            conversation.
        is_app_level: Whether it takes the app-level token instead of the bot's.
    """

    run: Callable[[Call], Json]
    scope: str = ""
    is_app_level: bool = False


_TYPE_SCOPES = {"private_channel": "groups", "im": "im", "mpim": "mpim"}
_KIND_SCOPES = {"channel": "channels", "group": "groups", "im": "im"}


def needed_scope(method: Method, call: Call) -> str:
    """The scope this very call needs, or ""."""
    if method.scope == "list":
        asked = call.text("types", "public_channel").split(",")
        return f"{_TYPE_SCOPES.get(asked[-1], 'channels')}:read"
    if method.scope not in ("history", "read"):
        return method.scope
    conversation = call.workspace.conversations.get(call.text("channel"))
    kind = conversation.kind if conversation else "channel"
    return f"{_KIND_SCOPES[kind]}:{method.scope}"

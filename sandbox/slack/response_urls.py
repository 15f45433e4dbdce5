"""`response_url`: an app's way back to one user, for half an hour and five uses."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sandbox.slack.blocks import check_message, with_ids
from sandbox.slack.errors import SlackError
from sandbox.slack.timeline import Conversation, Message
from sandbox.slack.workspace import Workspace

Json = dict[str, Any]


@dataclass(slots=True)
class ResponseUrl:
    """A way back to one user, for a while and a few uses.

    Attributes:
        source: The message the interaction came from, None for a command.
        latest: The message that was posted through this address last.
    """

    id: str
    conversation: Conversation
    user: str
    expires_at: float
    uses_left: int
    source: Message | None = None
    latest: Message | None = None


class ResponseUrls:
    """Hands out ways back, and carries out what comes over them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._by_id: dict[str, ResponseUrl] = {}

    def clear(self) -> None:
        """Forget all."""
        self._by_id.clear()

    def respond(self, response_id: str, body: Json) -> None:
        """Carry out a POST to a `response_url`; `SlackError` when it is used up or wrong."""
        way_back = self._by_id.get(response_id)
        if way_back is None or way_back.expires_at < self._workspace.clock.now():
            raise SlackError("expired_url", status=404)
        if not way_back.uses_left:
            raise SlackError("used_url", status=404)
        way_back.uses_left -= 1
        if body.get("delete_original") and way_back.source is not None:
            self._delete_source(way_back)
        else:
            self.say(way_back, body)

    def say(self, way_back: ResponseUrl, body: Json) -> None:
        """Show what the app says through a way back, or with its confirmation."""
        text, blocks = str(body.get("text") or ""), body.get("blocks") or None
        if not text and not blocks and not body.get("attachments"):
            # markdown_text is not known here, so a body with nothing else has no text.
            raise SlackError("no_text", status=400)
        if blocks is not None:
            complaints = check_message(blocks)
            if complaints:
                raise SlackError("invalid_blocks", complaints, status=400)
            blocks = with_ids(blocks)
        original = way_back.source or way_back.latest
        if body.get("replace_original") and original is not None:
            self._replace(way_back, original, text, blocks)
            return
        conversation, thread_ts = way_back.conversation, str(body.get("thread_ts") or "")
        if body.get("response_type") == "in_channel":
            way_back.latest = self._workspace.post(
                conversation, self._workspace.bot, text, blocks=blocks, thread_ts=thread_ts
            )
            return
        way_back.latest = self._workspace.post_ephemeral(
            conversation, way_back.user, text, blocks=blocks, thread_ts=thread_ts
        )

    def _replace(
        self, way_back: ResponseUrl, original: Message, text: str, blocks: list[Json] | None
    ) -> None:
        changes = {"text": text, "blocks": blocks or []}
        if original.get("is_ephemeral"):
            if self._workspace.find_ephemeral(
                original["recipient"], original["channel"], original["ts"]
            ):
                self._workspace.change_ephemeral(original, changes)
                return
            raise SlackError("message_not_found", status=404)
        message = way_back.conversation.find(original["ts"])
        self._workspace.edit(way_back.conversation, message, changes, editor=self._workspace.bot.id)

    def _delete_source(self, way_back: ResponseUrl) -> None:
        source = way_back.source
        if source is None:
            return
        if source.get("is_ephemeral"):
            shown = self._workspace.find_ephemeral(way_back.user, source["channel"], source["ts"])
            if shown is not None:
                self._workspace.delete_ephemeral(shown)
        else:
            self._workspace.delete(way_back.conversation, source["ts"])

    def issue(self, conversation: Conversation, user: str, source: Message | None) -> ResponseUrl:
        """A new way back to a user, from a message or from a command."""
        rules = self._workspace.rules
        way_back = ResponseUrl(
            secrets.token_urlsafe(12),
            conversation,
            user,
            self._workspace.clock.now() + rules.response_url_lifetime_seconds,
            rules.response_url_uses,
            source,
        )
        self._by_id[way_back.id] = way_back
        return way_back

    def address(self, way_back: ResponseUrl) -> str:
        """The `response_url` itself."""
        return f"{self._workspace.base_url}/response/{way_back.id}"

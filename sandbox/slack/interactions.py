"""What a person does to the app: commands, buttons, shortcuts and modals."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sandbox.slack import world
from sandbox.slack.blocks import with_ids
from sandbox.slack.dispatcher import Dispatcher
from sandbox.slack.entities import escape
from sandbox.slack.errors import SlackError
from sandbox.slack.response_urls import ResponseUrls
from sandbox.slack.things import OpenView
from sandbox.slack.timeline import Conversation, Message
from sandbox.slack.transports import COMMANDS, INTERACTIVE, Ack
from sandbox.slack.workspace import Workspace

Json = dict[str, Any]


@dataclass(slots=True)
class _Trigger:
    user: str
    expires_at: float
    is_used: bool = False


class Interactions:
    """Builds and delivers interaction payloads, and carries out what the app answers."""

    def __init__(self, workspace: Workspace, dispatcher: Dispatcher) -> None:
        self._workspace = workspace
        self._dispatcher = dispatcher
        self.ways_back = ResponseUrls(workspace)
        self._triggers: dict[str, _Trigger] = {}

    def clear(self) -> None:
        """Forget triggers and response addresses."""
        self.ways_back.clear()
        self._triggers.clear()

    # What people do

    async def command(
        self, conversation: Conversation, user: world.User, command: str, text: str
    ) -> Json:
        """Run a slash command; the user sees Slackbot's note when the app does not confirm."""
        way_back = self.ways_back.issue(conversation, user.id, None)
        name = "directmessage" if conversation.kind == "im" else conversation.name
        payload = {
            "token": world.VERIFICATION_TOKEN,
            "team_id": world.TEAM_ID,
            "team_domain": world.TEAM_DOMAIN,
            "channel_id": conversation.id,
            "channel_name": "privategroup" if conversation.kind == "group" else name,
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": escape(text),
            "api_app_id": world.APP_ID,
            "is_enterprise_install": "false",
            "response_url": self.ways_back.address(way_back),
            "trigger_id": self._new_trigger(user.id),
        }
        ack, seconds = await self._dispatcher.deliver(COMMANDS, command, payload)
        error = ""
        if not ack.ok:
            error = "operation_timeout" if "timeout" in ack.outcome else "dispatch_failed"
            words = f'{command} failed with the error "{error}"'
            slackbot = self._workspace.users["USLACKBOT"]
            self._workspace.post_ephemeral(conversation, user.id, words, author=slackbot)
        elif ack.body:
            self.ways_back.say(way_back, ack.body)
        return _outcome(ack, seconds, error) | {"trigger_id": payload["trigger_id"]}

    async def action(
        self, conversation: Conversation, user: world.User, message: Message, action: Json
    ) -> Json:
        """Press a button, or choose from a menu, in a message."""
        payload = self._interaction("block_actions", user) | {
            "container": {
                "type": "message",
                "message_ts": message["ts"],
                "channel_id": conversation.id,
                "is_ephemeral": bool(message.get("is_ephemeral")),
            },
            "channel": {"id": conversation.id, "name": _channel_name(conversation)},
            "state": {"values": {}},
            "response_url": self.ways_back.address(
                self.ways_back.issue(conversation, user.id, message)
            ),
            "actions": [action | {"action_ts": f"{self._workspace.clock.now():.6f}"}],
        }
        if "thread_ts" in message:
            payload["container"]["thread_ts"] = message["thread_ts"]
        if not message.get("is_ephemeral"):
            payload["message"] = message
        return await self._interact("block_actions", payload)

    async def home_action(self, user: world.User, view: Json, action: Json) -> Json:
        """Press a button, or choose from a menu, on the app's Home tab.

        Slack names no channel then, and gives no `response_url`.
        """
        payload = self._interaction("block_actions", user) | {
            "container": {"type": "view", "view_id": view["id"]},
            "view": view,
            "actions": [action | {"action_ts": f"{self._workspace.clock.now():.6f}"}],
        }
        return await self._interact("block_actions", payload)

    async def message_shortcut(
        self, conversation: Conversation, user: world.User, message: Message, callback_id: str
    ) -> Json:
        """Use a message shortcut."""
        way_back = self.ways_back.issue(conversation, user.id, message)
        payload = self._interaction("message_action", user) | {
            "callback_id": callback_id,
            "channel": {"id": conversation.id, "name": _channel_name(conversation)},
            "message": message,
            "message_ts": message["ts"],
            "action_ts": f"{self._workspace.clock.now():.6f}",
            "response_url": self.ways_back.address(way_back),
        }
        return await self._interact("message_action", payload)

    async def global_shortcut(self, user: world.User, callback_id: str) -> Json:
        """Use a global shortcut."""
        payload = self._interaction("shortcut", user) | {
            "callback_id": callback_id,
            "action_ts": f"{self._workspace.clock.now():.6f}",
        }
        return await self._interact("shortcut", payload)

    async def submit(self, user: world.User, opened: OpenView, values: Json) -> Json:
        """Submit a modal; the app's confirmation may keep, replace or close it."""
        opened.view["state"] = {"values": values}
        payload = self._interaction("view_submission", user) | {
            "view": opened.view,
            "response_urls": [],
        }
        ack, seconds = await self._dispatcher.deliver(INTERACTIVE, "view_submission", payload)
        if ack.ok:
            self._after_submission(user, opened, ack.body)
        else:
            opened.errors = {"": "We had some trouble connecting. Try again?"}
            self.show(opened)
        return _outcome(ack, seconds)

    async def close(self, user: world.User, opened: OpenView) -> Json:
        """Close a modal; the app hears of it when it asked to (`notify_on_close`)."""
        self.take_away(opened)
        if not opened.view.get("notify_on_close"):
            return {"acked": True, "error": "", "ack_seconds": 0.0}
        payload = self._interaction("view_closed", user) | {
            "view": opened.view,
            "is_cleared": False,
        }
        return await self._interact("view_closed", payload)

    # Modals

    def show(self, opened: OpenView) -> None:
        """Put a modal on its user's screen, or bring it up to date."""
        if not any(row is opened for row in self._workspace.views):
            self._workspace.views.append(opened)
        data = {"view": opened.view, "errors": opened.errors}
        self._workspace.tell("view", data, opened.user)

    def take_away(self, opened: OpenView) -> None:
        """Take a modal off its user's screen."""
        self._workspace.views = [row for row in self._workspace.views if row is not opened]
        self._workspace.tell("view_closed", {"view_id": opened.view["id"]}, opened.user)

    def new_view(self, view: Json, **changes: Any) -> Json:
        """The view object Slack makes of an app's view."""
        view_id = self._workspace.new_view_id()
        stored: Json = {
            "id": view_id,
            "team_id": world.TEAM_ID,
            "app_id": world.APP_ID,
            "app_installed_team_id": world.TEAM_ID,
            "bot_id": world.BOT_ID,
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "state": {"values": {}},
            "root_view_id": view_id,
            "previous_view_id": None,
            "clear_on_close": False,
            "notify_on_close": False,
            "close": None,
            "submit": None,
        }
        stored |= view | {"blocks": with_ids(view["blocks"]), "hash": secrets.token_hex(8)}
        return stored | changes

    def take_trigger(self, trigger_id: str) -> str:
        """Use a trigger up; returns the user whose screen it opens."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.is_used:
            raise SlackError("exchanged_trigger_id")
        if trigger.expires_at < self._workspace.clock.now():
            raise SlackError("expired_trigger_id")
        trigger.is_used = True
        return trigger.user

    def _after_submission(self, user: world.User, opened: OpenView, answer: Json) -> None:
        what = answer.get("response_action")
        if what == "errors":
            opened.errors = dict(answer.get("errors") or {})
            self.show(opened)
        elif what == "update":
            opened.errors = {}
            opened.view = self.new_view(answer["view"], id=opened.view["id"])
            self.show(opened)
        elif what == "push":
            view = self.new_view(answer["view"], previous_view_id=opened.view["id"])
            self.show(OpenView(user.id, view))
        elif what == "clear":
            for row in self._workspace.open_views(user.id):
                self.take_away(row)
        else:
            self.take_away(opened)

    def _new_trigger(self, user: str) -> str:
        trigger_id = f"{int(self._workspace.clock.now())}.{secrets.token_hex(12)}"
        lifetime = self._workspace.rules.trigger_lifetime_seconds
        self._triggers[trigger_id] = _Trigger(user, self._workspace.clock.now() + lifetime)
        return trigger_id

    def _interaction(self, kind: str, user: world.User) -> Json:
        return {
            "type": kind,
            "token": world.VERIFICATION_TOKEN,
            "api_app_id": world.APP_ID,
            "team": {"id": world.TEAM_ID, "domain": world.TEAM_DOMAIN},
            "enterprise": None,
            "is_enterprise_install": False,
            "user": {
                "id": user.id,
                "username": user.name,
                "name": user.name,
                "team_id": user.team_id,
            },
            "trigger_id": self._new_trigger(user.id),
        }

    async def _interact(self, what: str, payload: Json) -> Json:
        ack, seconds = await self._dispatcher.deliver(INTERACTIVE, what, payload)
        return _outcome(ack, seconds) | {"trigger_id": payload["trigger_id"]}


def _channel_name(conversation: Conversation) -> str:
    return "directmessage" if conversation.kind == "im" else conversation.name


def _outcome(ack: Ack, seconds: float, error: str = "") -> Json:
    return {
        "acked": ack.ok,
        "error": error or ("" if ack.ok else ack.outcome),
        "ack_seconds": round(seconds, 4),
    }

"""The control API over HTTP: `/_control/*`, documented in docs/sandbox.md.

It is longer than others: one route after the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.slack import world
from sandbox.slack.controls import Controls
from sandbox.slack.errors import ControlError, SlackError
from sandbox.slack.fields import Fields
from sandbox.slack.timeline import Message
from sandbox.slack.transports import HttpTransport, SocketTransport

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ControlRoutes:
    """HTTP for `Controls`: fields in, JSON out, 400 with the field's name when one is wrong."""

    controls: Controls

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to the application."""
        posts = {
            "action": self._action,
            "app": self._app,
            "channel": self._channel,
            "clock": self._clock,
            "command": self._command,
            "delete": self._delete,
            "edit": self._edit,
            "faults": self._faults,
            "bot_message": self._bot_message,
            "home": self._home,
            "home_action": self._home_action,
            "invite": self._invite,
            "message": self._message,
            "reaction": self._reaction,
            "reset": self._reset,
            "shortcut": self._shortcut,
            "stop": self._stop,
            "user": self._user,
            "usergroup": self._usergroup,
            "view": self._view,
        }
        gets = {
            "calls": self._calls,
            "deliveries": self._deliveries,
            "ephemerals": self._ephemerals,
            "faults": self._pending_faults,
            "messages": self._messages,
            "notifications": self._notifications,
            "state": self._state,
        }
        routes = [web.post(f"/_control/{name}", _from_body(run)) for name, run in posts.items()]
        routes += [web.get(f"/_control/{name}", _from_query(run)) for name, run in gets.items()]
        return routes

    async def _message(self, fields: Fields) -> Json:
        channel, user = fields.text("channel"), fields.text("user", world.DEFAULT_USER_ID)
        text, thread_ts = fields.text("text"), fields.optional("thread_ts") or ""
        fields.done()
        message = self.controls.say(channel, user, text, thread_ts)
        return {"ts": message["ts"], "message": message}

    async def _bot_message(self, fields: Fields) -> Json:
        channel, user = fields.text("channel"), fields.text("user", "alerts")
        text, thread_ts = fields.text("text", ""), fields.optional("thread_ts") or ""
        parts = fields.structure("parts")
        fields.done()
        message = self.controls.post_as_bot(channel, user, text, parts, thread_ts)
        return {"ts": message["ts"], "message": message}

    async def _edit(self, fields: Fields) -> Json:
        channel, user = fields.text("channel"), fields.text("user", world.DEFAULT_USER_ID)
        ts, text = fields.text("ts"), fields.text("text")
        fields.done()
        return {"message": self.controls.edit(channel, user, ts, text)}

    async def _delete(self, fields: Fields) -> Json:
        channel, user = fields.text("channel"), fields.text("user", world.DEFAULT_USER_ID)
        ts = fields.text("ts")
        fields.done()
        self.controls.delete(channel, user, ts)
        return {}

    async def _reaction(self, fields: Fields) -> Json:
        channel, user = fields.text("channel"), fields.text("user", world.DEFAULT_USER_ID)
        ts, name = fields.text("message_ts"), fields.text("name")
        remove = fields.flag("remove")
        fields.done()
        self.controls.react(channel, user, ts, name, remove=remove)
        return {}

    async def _command(self, fields: Fields) -> Json:
        channel, user = fields.text("channel"), fields.text("user", world.DEFAULT_USER_ID)
        command, text = fields.text("command"), fields.text("text", "")
        fields.done()
        return await self.controls.command(channel, user, command, text)

    async def _action(self, fields: Fields) -> Json:
        channel, user = fields.text("channel"), fields.text("user", world.DEFAULT_USER_ID)
        ts, action_id = fields.text("message_ts"), fields.text("action_id")
        value = fields.optional("value")
        fields.done()
        return await self.controls.act(channel, user, ts, action_id, value)

    async def _shortcut(self, fields: Fields) -> Json:
        user, callback_id = fields.text("user", world.DEFAULT_USER_ID), fields.text("callback_id")
        channel, ts = fields.optional("channel") or "", fields.optional("message_ts") or ""
        fields.done()
        return await self.controls.shortcut(user, callback_id, channel, ts)

    async def _view(self, fields: Fields) -> Json:
        user, view_id = fields.text("user", world.DEFAULT_USER_ID), fields.text("view_id", "")
        action, values = fields.text("action", "submit"), fields.structure("values")
        fields.done()
        return await self.controls.view(user, view_id, action, values)

    async def _home(self, fields: Fields) -> Json:
        user, tab = fields.text("user", world.DEFAULT_USER_ID), fields.text("tab", "home")
        fields.done()
        return {"view": self.controls.home(user, tab)}

    async def _home_action(self, fields: Fields) -> Json:
        user, action_id = fields.text("user", world.DEFAULT_USER_ID), fields.text("action_id")
        value = fields.optional("value")
        fields.done()
        return await self.controls.act_at_home(user, action_id, value)

    async def _stop(self, fields: Fields) -> Json:
        channel, user = fields.text("channel"), fields.text("user", world.DEFAULT_USER_ID)
        thread_ts = fields.text("thread_ts")
        fields.done()
        self.controls.stop(channel, user, thread_ts)
        return {}

    async def _invite(self, fields: Fields) -> Json:
        channel, user = fields.text("channel"), fields.text("user")
        remove = fields.flag("remove")
        fields.done()
        return {"members": self.controls.invite(channel, user, remove=remove)}

    async def _channel(self, fields: Fields) -> Json:
        name = fields.text("name").removeprefix("#")
        private, archived = fields.flag("is_private"), fields.flag("is_archived")
        ext_shared = fields.flag("is_ext_shared")
        fields.done()
        made = self.controls.arrange_channel(
            name, private=private, archived=archived, ext_shared=ext_shared
        )
        return {"channel": made.to_slack()}

    async def _user(self, fields: Fields) -> Json:
        name, real_name = fields.text("name"), fields.text("real_name", "")
        team_id = fields.text("team_id", world.TEAM_ID)
        is_restricted = fields.flag("is_restricted")
        fields.done()
        made = self.controls.add_user(name, real_name, team_id, is_restricted=is_restricted)
        return {"user": made.to_slack()}

    async def _usergroup(self, fields: Fields) -> Json:
        group, users = fields.text("id"), fields.strings("users")
        fields.done()
        return {"users": self.controls.set_group(group, users or ())}

    async def _app(self, fields: Fields) -> Json:
        """Change the installation: scopes, subscriptions, request URL."""
        workspace = self.controls.workspace
        for name in ("scopes", "events"):
            values = fields.strings(name)
            if values is not None:
                workspace.replace_app(**{name: frozenset(values)})
        url, verified = fields.optional("request_url"), None
        fields.done()
        transport = self.controls.dispatcher.transport
        if url is not None:
            if not isinstance(transport, HttpTransport):
                raise ControlError("request_url", "the app uses Socket Mode", "HTTP delivery")
            transport.request_url = url
            verified = await transport.verify()
        app = {"scopes": sorted(workspace.app.scopes), "events": sorted(workspace.app.events)}
        return app | ({} if verified is None else {"verified": verified})

    async def _clock(self, fields: Fields) -> Json:
        clock = self.controls.workspace.clock
        advance, speed = fields.number("advance_seconds", 0), fields.number("speed", clock.speed)
        fields.done()
        if speed <= 0:
            raise ControlError("speed", "time cannot stand still", "above 0")
        clock.set_speed(speed)
        clock.advance(advance)
        return {"now": clock.now(), "speed": clock.speed}

    async def _faults(self, fields: Fields) -> Json:
        clear, rows = fields.flag("clear"), fields.rest()
        if clear:
            self.controls.faults.clear()
        if rows.get("kind") == "disconnect":
            reason = str(rows.get("reason", "warning"))
            await self.controls.dispatcher.disconnect(reason)
        elif rows or not clear:
            self.controls.faults.add(rows)
        return {"faults": self.controls.faults.pending()}

    async def _reset(self, fields: Fields) -> Json:
        fields.done()
        self.controls.reset()
        return {}

    # Looking

    async def _messages(self, fields: Fields) -> Json:
        """Messages of a channel, oldest first, replies among them, or those of one thread."""
        name = fields.text("channel")
        user = self.controls.user(fields.text("user", world.DEFAULT_USER_ID))
        thread_ts = fields.text("thread_ts", "")
        fields.done()
        conversation = self.controls.conversation(name, user)
        messages: list[Message] = list(conversation.messages.values())
        if thread_ts:
            self.controls.message(conversation, thread_ts, "thread_ts")
            messages = conversation.thread(thread_ts)
        return {"channel": conversation.id, "messages": messages}

    async def _ephemerals(self, fields: Fields) -> Json:
        user = self.controls.user(fields.text("user", world.DEFAULT_USER_ID))
        fields.done()
        return {"messages": self.controls.workspace.ephemerals.get(user.id, [])}

    async def _notifications(self, fields: Fields) -> Json:
        """Who was notified by what, and which links hide where they lead."""
        name = fields.text("channel", "")
        fields.done()
        workspace = self.controls.workspace
        chosen = [self.controls.conversation(name)] if name else workspace.conversations.values()
        rows = []
        for conversation in chosen:
            for message in conversation.messages.values():
                notified = workspace.notified(conversation, message)
                hidden = workspace.entities(conversation, message).hidden_links()
                row = {"channel": conversation.id, "ts": message["ts"], "user": message["user"]}
                if notified or hidden:
                    rows.append(row | {"notified": notified, "hidden_links": hidden})
        return {"notifications": rows}

    async def _calls(self, fields: Fields) -> Json:
        method = fields.text("method", "")
        fields.done()
        return {"calls": self.controls.recorder.calls_json(method)}

    async def _deliveries(self, fields: Fields) -> Json:
        fields.done()
        return {"deliveries": self.controls.recorder.attempts_json()}

    async def _pending_faults(self, fields: Fields) -> Json:
        fields.done()
        return {"faults": self.controls.faults.pending()}

    async def _state(self, fields: Fields) -> Json:
        """All a page needs to begin."""
        fields.done()
        workspace, transport = self.controls.workspace, self.controls.dispatcher.transport
        now = workspace.clock.now()
        return {
            "connected": transport.connected,
            "delivery": "socket" if isinstance(transport, SocketTransport) else "http",
            "team": {"id": world.TEAM_ID, "name": world.TEAM_NAME},
            "bot": world.BOT_USER_ID,
            "me": world.DEFAULT_USER_ID,
            "now": now,
            "channels": [
                row.to_slack() | {"members": sorted(row.members)}
                for row in workspace.conversations.values()
            ],
            "users": [user.to_slack() for user in workspace.users.values()],
            "commands": [
                {"name": row.name, "description": row.description, "usage_hint": row.usage_hint}
                for row in workspace.app.commands
            ],
            "shortcuts": [
                {"name": row.name, "callback_id": row.callback_id, "kind": row.kind}
                for row in workspace.app.shortcuts
            ],
            "modals": [
                {"user": row.user, "view": row.view, "errors": row.errors}
                for row in workspace.views
            ],
            "homes": workspace.homes,
            "statuses": [
                {"channel": channel, "thread_ts": ts, "status": status}
                for (channel, ts), (status, expires_at) in workspace.statuses.items()
                if expires_at > now
            ],
        }


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Run = Callable[[Fields], Awaitable[Json]]


def _from_body(run: Run) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        body: Any = {}
        if request.can_read_body:
            try:
                body = await request.json()
            except ValueError:
                return _refusal(ControlError("body", "is not valid JSON", "a JSON object"))
        if not isinstance(body, dict):
            return _refusal(ControlError("body", "is not a JSON object", "a JSON object"))
        return await _answer(run, body)

    return handle


def _from_query(run: Run) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await _answer(run, dict(request.query))

    return handle


async def _answer(run: Run, values: Mapping[str, Any]) -> web.StreamResponse:
    try:
        return web.json_response({"ok": True, **await run(Fields(values))})
    except ControlError as error:
        return _refusal(error)
    except SlackError as error:
        return _refusal(ControlError("request", error.code, "what Slack allows"))


def _refusal(error: ControlError) -> web.Response:
    return web.json_response(error.body(), status=400)

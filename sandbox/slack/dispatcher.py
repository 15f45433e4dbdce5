"""Gets events, commands and interactions to the app: envelopes, order, retries, bookkeeping."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from sandbox.slack import world
from sandbox.slack.faults import Faults
from sandbox.slack.recorder import Attempt, Recorder
from sandbox.slack.transports import EVENTS, Ack, SocketTransport, Transport
from sandbox.slack.workspace import Workspace

Json = dict[str, Any]


class Dispatcher:
    """Delivers over one transport, and owns the tasks that retry.

    Args:
        workspace: Its events are delivered; its clock and rules time the retries.
        transport: How the app is reached.
        faults: Scripted failures.
        recorder: Gets every attempt.
    """

    def __init__(
        self, workspace: Workspace, transport: Transport, faults: Faults, recorder: Recorder
    ) -> None:
        self.workspace = workspace
        self.transport = transport
        self._faults = faults
        self._recorder = recorder
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: Json | None = None
        workspace.watch_events(self.deliver_event)

    def deliver_event(self, event: Json) -> None:
        """Wrap an event and deliver it in the background, with retries."""
        envelope = self._envelope(event)
        if self._held is not None:
            self._start(envelope)
            self._start(self._held)
            self._held = None
        elif self._faults.take(("reorder_events",)):
            self._held = envelope  # goes out right after the next one
        else:
            self._start(envelope)
            if self._faults.take(("duplicate_event",)):
                self._start(envelope)

    async def deliver(self, kind: str, what: str, payload: Json) -> tuple[Ack, float]:
        """Deliver a command or interaction once; returns the outcome and its seconds."""
        return await self._attempt(kind, what, str(payload.get("trigger_id")), payload)

    async def disconnect(self, reason: str) -> None:
        """Make a Socket Mode app reconnect; nothing over HTTP."""
        if isinstance(self.transport, SocketTransport):
            await self.transport.disconnect(reason)

    def cancel(self) -> None:
        """Drop what is being retried."""
        self._held = None
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """Drop what is being retried and hang up."""
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.transport.close()

    def _start(self, envelope: Json) -> None:
        task = asyncio.create_task(self._retrying(envelope))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _retrying(self, envelope: Json) -> None:
        delays = self.workspace.rules.retry_delays_seconds
        what, key = envelope["event"]["type"], envelope["event_id"]
        reason = ""
        for number in range(len(delays) + 1):
            if number:
                await self.workspace.clock.sleep(delays[number - 1])
            ack, _ = await self._attempt(EVENTS, what, key, envelope, number=number, reason=reason)
            if ack.ok or not ack.may_retry:
                return
            reason = ack.outcome

    async def _attempt(
        self, kind: str, what: str, key: str, payload: Json, *, number: int = 0, reason: str = ""
    ) -> tuple[Ack, float]:
        at, began = self.workspace.clock.now(), time.monotonic()
        ack = await self.transport.send(kind, payload, attempt=number, reason=reason)
        seconds = time.monotonic() - began
        self._recorder.attempts.append(
            Attempt(at, kind, what, key, number, ack.outcome, round(seconds, 4))
        )
        return ack, seconds

    def _envelope(self, event: Json) -> Json:
        channel = event.get("channel") or event.get("item", {}).get("channel", "")
        conversation = self.workspace.conversations.get(channel)
        user = self.workspace.users.get(str(event.get("user")))
        authorization = {
            "enterprise_id": None,
            "team_id": world.TEAM_ID,
            "user_id": world.BOT_USER_ID,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        envelope: Json = {
            "token": world.VERIFICATION_TOKEN,
            "team_id": world.TEAM_ID,
            "api_app_id": world.APP_ID,
            "event": event,
            "type": "event_callback",
            "event_id": self.workspace.new_event_id(),
            "event_time": int(self.workspace.clock.now()),
            "authorizations": [authorization],
            "is_ext_shared_channel": bool(conversation and conversation.is_ext_shared),
            "event_context": f"4-{world.TEAM_ID}-{world.APP_ID}-{channel}",
        }
        if user is not None and user.team_id != world.TEAM_ID:
            envelope["event"] = event | {"user_team": user.team_id, "source_team": user.team_id}
        return envelope

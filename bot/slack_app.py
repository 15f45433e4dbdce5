"""Builds the Bolt app with every listener."""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from slack_bolt.async_app import AsyncApp
from slack_bolt.listener.async_listener_start_handler import AsyncListenerStartHandler
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.answering import Answering
from bot.deliveries import SlackDeliveries
from bot.edge import Edge
from bot.gate import Gate
from bot.listeners import (
    actions,
    alertposts,
    commands,
    digest_actions,
    failures,
    home,
    joining,
    questions,
    quiet,
    shortcuts,
    suggestions,
)
from bot.notices import new_reference
from bot.people import People
from bot.services import Services
from bot.tasks import TaskSet
from bot.telemetry.entry import entry_of
from bot.telemetry.errand import begin
from bot.telemetry.metrics import Meter


def build_slack_app(
    services: Services, client: AsyncWebClient, signing_secret: str | None, tasks: TaskSet
) -> AsyncApp:
    """The Bolt app with all its listeners; it does not listen yet.

    Args:
        services: What listeners may call.
        client: Speaks to Slack.
        signing_secret: Needed for HTTP; without it every HTTP delivery is refused.
        tasks: Gets the task of every listener that runs, so that a stop can wait for it.
    """
    # '' rather than None, for which Bolt would look into the environment.
    app = AsyncApp(name="opsbot", client=client, signing_secret=signing_secret or "")
    app.listener_runner.listener_start_handler = _Tracking(tasks, services.watch.meter)
    people = People(client, services.clock)
    gate = Gate(services.policy, client, people, services.clock)
    deliveries = SlackDeliveries(services.deliveries, services.open_answers, services.clock, tasks)
    edge = Edge(services, client, gate, Answering(services, client, people), deliveries)
    failures.register(app, edge)
    commands.register(app, edge)
    actions.register(app, edge)
    digest_actions.register(app, edge)
    alertposts.register(app, edge)
    questions.register(app, edge)
    shortcuts.register(app, edge)
    suggestions.register(app, edge)
    home.register(app, edge)
    joining.register(app, edge)
    quiet.register(app)
    _hush()
    return app


class _Tracking(AsyncListenerStartHandler):
    """Bolt starts a task a listener and keeps no hold of it; this is called inside that task."""

    def __init__(self, tasks: TaskSet, meter: Meter) -> None:
        self._tasks = tasks
        self._meter = meter

    async def handle(self, request: AsyncBoltRequest, response: BoltResponse | None) -> None:  # noqa: ARG002  (Bolt's signature)
        task = asyncio.current_task()
        if task is None:
            return
        begin(new_reference())
        self._tasks.track(task)
        entry, began = entry_of(request.body), monotonic()
        task.add_done_callback(lambda _: self._meter.took(entry, monotonic() - began))


def _hush() -> None:
    # At DEBUG both libraries log whole requests, tokens of response_url included.
    for name in ("slack_bolt", "slack_sdk"):
        logger = logging.getLogger(name)
        if logger.getEffectiveLevel() < logging.INFO:
            logger.setLevel(logging.INFO)

"""Deliveries that need a confirmation and nothing else."""

from __future__ import annotations

import re

from slack_bolt.async_app import AsyncAck, AsyncApp

_ANY = re.compile(".*")


def register(app: AsyncApp) -> None:
    """Confirm every event and click that no listener before wanted. Registered last."""

    async def on_event() -> None:
        """Somebody joined a channel, or reacted: nothing to do."""

    async def on_action(ack: AsyncAck) -> None:
        # Links are buttons too, and messages of an earlier version offer older ones.
        await ack()

    app.event(_ANY)(on_event)
    app.action(_ANY)(on_action)

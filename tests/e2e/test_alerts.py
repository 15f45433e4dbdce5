"""An alert that another bot posts, on the real program and both transports."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bot.alerts import alertmanager
from tests.e2e.program import running_demo


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_an_alert_gets_its_runbook_owner_facts_and_incident_once(
    tmp_path: Path, mode: str
) -> None:
    folder = tmp_path / "data"
    async with running_demo(folder, SLACK_MODE=mode, SLACK_ALERT_CHANNELS="#incidents") as demo:
        sent = await demo.call("bot_message", {"channel": "incidents", "parts": alertmanager()})
        reply = await demo.until(
            lambda: demo.read("messages", channel="incidents", thread_ts=sent["ts"]),
            lambda message: message["user"] == "UOPSBOT",
        )
        for words in (
            "payments keeps restarting because its container is OOMKilled",
            "payments is owned by team orders",
            "hits checkout directly",
            "INC-2031",
            "payments restarts (OOMKilled) › ",
        ):
            assert words in str(reply["blocks"])
        for status in ("FIRING:2", "RESOLVED"):
            await demo.call(
                "bot_message", {"channel": "incidents", "parts": alertmanager(status=status)}
            )
        # What comes after them is answered, so they were passed over.
        await demo.mention("who owns payments?")
        said = [
            message
            for message in await demo.read("messages", channel="incidents")
            if message["user"] == "UOPSBOT"
        ]
        assert len(said) == 2

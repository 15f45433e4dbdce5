"""The clock, the page's feed, the manifest, and the workspace as a process."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from sandbox.slack import world
from sandbox.slack.clock import WorkspaceClock
from sandbox.slack.control_routes import ControlRoutes
from sandbox.slack.faults import KINDS
from sandbox.slack.feed import Feed
from sandbox.slack.methods.table import METHODS
from sandbox.slack.workspace import Workspace
from tests.sandbox.slack.conftest import Desk

Json = dict[str, Any]
MANIFEST: Json = {
    "features": {
        "slash_commands": [{"command": "/ops", "description": "d", "usage_hint": "u"}],
        "shortcuts": [{"name": "Explain", "type": "message", "callback_id": "explain"}],
    },
    "oauth_config": {"scopes": {"bot": ["chat:write"]}},
    "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}},
}


async def test_sleepers_wake_when_time_is_pushed_forward() -> None:
    clock = WorkspaceClock()
    began = clock.now()
    sleeper = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0)
    clock.advance(1800)
    await asyncio.sleep(0.01)
    assert not sleeper.done()
    clock.advance(1800)
    await sleeper
    assert clock.now() - began >= 3600


async def test_time_can_run_faster() -> None:
    clock = WorkspaceClock(speed=100_000)
    clock.set_speed(1_000_000)
    await clock.sleep(1000)
    assert clock.speed == 1_000_000


def test_a_manifest_grants_only_what_it_says() -> None:
    app = world.AppProfile.from_manifest(MANIFEST)
    assert [row.name for row in app.commands] == ["/ops"]
    assert app.shortcuts == (world.Shortcut("Explain", "explain", "message", ""),)
    assert (app.scopes, app.events) == (frozenset({"chat:write"}), frozenset({"app_mention"}))
    assert world.AppProfile.from_manifest({}) == world.AppProfile((), (), frozenset(), frozenset())


def test_events_nobody_subscribed_to_are_not_sent() -> None:
    workspace = Workspace(app=world.AppProfile.from_manifest(MANIFEST))
    sent: list[Json] = []
    workspace.watch_events(sent.append)
    ops = workspace.conversation("COPS")
    workspace.post(ops, workspace.users["UYOU"], "<@UOPSBOT> hi")
    assert [event["type"] for event in sent] == ["app_mention"]


async def read_change(response: aiohttp.ClientResponse) -> Json:
    async for line in response.content:
        if line.startswith(b"data: "):
            change: Json = json.loads(line[6:])
            return change
    raise AssertionError("the feed ended")


async def test_the_feed_tells_each_reader_what_they_may_see(desk: Desk) -> None:
    url = f"{desk.running.url}/_feed"
    async with (
        desk.session.get(url, params={"user": "UYOU"}) as yours,
        desk.session.get(url, params={"user": "UINES"}) as hers,
    ):
        await desk.client.chat_postEphemeral(channel="COPS", user="UINES", text="psst")
        await desk.client.chat_postMessage(channel="COPS", text="hello")
        assert (await read_change(hers))["kind"] == "ephemeral"
        assert (await read_change(hers))["message"]["text"] == "hello"
        assert (await read_change(yours))["message"]["text"] == "hello"


async def test_a_reader_that_falls_behind_is_let_go() -> None:
    workspace = Workspace()
    feed = Feed(workspace, pending=1, ping_seconds=0.01)
    app = web.Application()
    app.add_routes([web.get("/_feed", feed.serve)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/_feed"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        pinged = [await response.content.readline() for _ in range(3)]
        assert pinged[-1] == b": still here\n"
        for _ in range(3):
            workspace.tell("reset", {})
        rest = await response.content.read()
        assert rest.count(b"data:") == 1
    await runner.cleanup()


async def test_the_page_is_served_with_a_strict_policy(desk: Desk) -> None:
    async with desk.session.get(desk.running.url) as response:
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "opsbot" not in response.headers["Content-Security-Policy"]
        assert "<main" in await response.text()
    async with desk.session.get(f"{desk.running.url}/page/app.js") as response:
        assert response.status == 200


def test_the_page_asks_no_other_host_and_writes_no_markup() -> None:
    page = Path(world.__file__).parent / "page"
    for path in page.iterdir():
        text = path.read_text()
        assert "innerHTML" not in text
        assert "insertAdjacentHTML" not in text
        for address in ("https://", "http://"):
            after = [part[:10] for part in text.split(address)[1:]]
            assert all(part.startswith("www.w3.org") for part in after), (path, after)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_process_says_when_it_is_ready_and_stops_cleanly(
    number: signal.Signals, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(yaml.safe_dump(MANIFEST))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox.slack",
        "--manifest",
        str(manifest),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{ready['url']}/_control/state") as response,
    ):
        state = await response.json()
    assert [row["name"] for row in state["commands"]] == ["/ops"]
    process.send_signal(number)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


def test_every_control_route_is_documented() -> None:
    text = (Path(world.__file__).parents[2] / "docs" / "sandbox.md").read_text()
    routes = ControlRoutes(None).routes()  # type: ignore[arg-type]
    documented = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert {route.path.removeprefix("/_control/") for route in routes} <= documented
    assert all(f"`{kind}`" in text for kind in KINDS)
    assert all(name.split(".")[-1] in text for name in METHODS)


def test_no_event_of_a_later_workspace_has_the_id_of_an_earlier_one() -> None:
    first = Workspace()
    seen = {first.new_event_id() for _ in range(3)}
    time.sleep(0.01)
    assert Workspace().new_event_id() not in seen

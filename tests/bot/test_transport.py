from __future__ import annotations

import logging

import aiohttp
import pytest
from aiohttp import web

from bot.identity import sign_in
from bot.notices import SlackError
from bot.slack_app import build_slack_app
from bot.slack_client import make_client
from bot.tasks import TaskSet
from bot.transport import HttpTransport, SocketTransport
from core.errors import OpsbotError
from sandbox.slack import world
from sandbox.slack.server import run_workspace
from tests.bot.bench import Bench
from tests.bot.fakes import Fakes


async def test_signing_in_tells_who_the_bot_is(bench: Bench) -> None:
    told = await sign_in(bench.client)
    assert (told.team, told.bot_user, told.bot_name) == ("TFENWICK", "UOPSBOT", "opsbot")


async def test_a_refused_bot_token_is_an_error_in_words() -> None:
    async with run_workspace() as running, aiohttp.ClientSession() as session:
        client = make_client("xoxb-wrong", running.api_url, session)
        with pytest.raises(SlackError, match="Slack does not accept the token"):
            await sign_in(client)


async def test_a_refused_app_token_ends_the_start_instead_of_trying_for_ever() -> None:
    async with run_workspace() as running, aiohttp.ClientSession() as session:
        client = make_client(world.BOT_TOKEN, running.api_url, session)
        app = build_slack_app(Fakes().services(), client, None, TaskSet())
        transport = SocketTransport(app, "xapp-wrong", client)
        with pytest.raises(SlackError) as told:
            await transport.start()
        assert told.value.code == "invalid_auth"
        assert not await transport.is_connected()
        await transport.close()


async def test_a_slack_that_is_away_is_an_error_in_words() -> None:
    async with aiohttp.ClientSession() as session:
        client = make_client(world.BOT_TOKEN, "http://127.0.0.1:9/api/", session)
        with pytest.raises(SlackError, match="Slack could not be reached"):
            await sign_in(client)


async def test_the_socket_comes_back_after_a_disconnect(bench: Bench) -> None:
    await bench.running.controls.dispatcher.disconnect("refresh_requested")
    await bench.eventually(lambda: bench.running.connected)
    bench.say("<@UOPSBOT> why?")
    await bench.eventually(bench.own)
    await bench.settle()


async def test_http_serves_other_routes_and_refuses_what_is_not_signed() -> None:
    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async with aiohttp.ClientSession() as session:
        client = make_client(world.BOT_TOKEN, "http://127.0.0.1:9/api/", session)
        app = build_slack_app(Fakes().services(), client, world.SIGNING_SECRET, TaskSet())
        transport = HttpTransport(app, "127.0.0.1", 0, [web.get("/healthz", healthz)])
        assert not await transport.is_connected()
        await transport.start()
        assert await transport.is_connected()
        address = f"http://127.0.0.1:{transport.port}"
        async with session.get(f"{address}/healthz") as response:
            assert await response.text() == "ok"
        async with session.post(f"{address}/slack/events", json={"type": "x"}) as response:
            assert response.status == 401
        second = HttpTransport(app, "127.0.0.1", transport.port)
        with pytest.raises(OpsbotError, match="Choose another HTTP_PORT"):
            await second.start()
        await second.close()
        await transport.close()
        assert transport.port == 0


async def test_http_without_a_signing_secret_refuses_everything() -> None:
    async with aiohttp.ClientSession() as session:
        client = make_client(world.BOT_TOKEN, "http://127.0.0.1:9/api/", session)
        app = build_slack_app(Fakes().services(), client, None, TaskSet())
        transport = HttpTransport(app, "127.0.0.1", 0)
        await transport.start()
        address = f"http://127.0.0.1:{transport.port}/slack/events"
        async with session.post(address, json={"type": "event_callback"}) as response:
            assert response.status in {401, 500}
        await transport.close()


async def test_a_server_error_is_tried_again(bench: Bench) -> None:
    bench.fault(kind="http_error", method="auth.test", status=503)
    assert (await sign_in(bench.client)).team == "TFENWICK"


async def test_a_socket_that_cannot_be_connected_ends_the_start() -> None:
    async def opened(_request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "url": "ws://127.0.0.1:9/"})

    slack = web.Application()
    slack.add_routes([web.post("/api/apps.connections.open", opened)])
    runner = web.AppRunner(slack)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    async with aiohttp.ClientSession() as session:
        client = make_client(world.BOT_TOKEN, address, session)
        app = build_slack_app(Fakes().services(), client, None, TaskSet())
        transport = SocketTransport(app, "xapp", client, connect_seconds=0.1)
        with pytest.raises(SlackError, match="could not be connected"):
            await transport.start()
    await runner.cleanup()


async def test_libraries_are_kept_from_logging_whole_requests() -> None:
    logger = logging.getLogger("slack_sdk")
    before = logger.level
    logger.setLevel(logging.DEBUG)
    async with aiohttp.ClientSession() as session:
        client = make_client(world.BOT_TOKEN, "http://127.0.0.1:9/api/", session)
        build_slack_app(Fakes().services(), client, None, TaskSet())
    assert logger.level == logging.INFO
    logger.setLevel(before)

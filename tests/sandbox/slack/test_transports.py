"""Socket Mode and signed HTTP on the wire, without Bolt in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from sandbox.slack import world
from sandbox.slack.server import run_workspace
from sandbox.slack.transports import sign
from sandbox.slack.workspace import Workspace
from tests.sandbox.slack.conftest import EVERYTHING, RULES, Desk, open_bench, open_desk

Json = dict[str, Any]


async def connect(desk: Desk) -> aiohttp.ClientWebSocketResponse:
    opened = await desk.client.apps_connections_open(app_token=world.APP_TOKEN)
    return await desk.session.ws_connect(str(opened["url"]))


async def test_hello_then_one_envelope_to_one_connection(desk: Desk) -> None:
    one, two = await connect(desk), await connect(desk)
    hello = await one.receive_json()
    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert hello["debug_info"]["approximate_connection_time"] > 0
    assert (await two.receive_json())["num_connections"] == 2
    await desk.say("ops", "first")
    await desk.say("ops", "second")
    envelopes = [await one.receive_json(), await two.receive_json()]
    for socket, envelope in zip((one, two), envelopes, strict=True):
        assert envelope["accepts_response_payload"] is False
        await socket.send_str("not json")
        await socket.send_json({"envelope_id": "unknown"})
        await socket.send_json({"envelope_id": envelope["envelope_id"]})
    assert {row["payload"]["event"]["text"] for row in envelopes} == {"first", "second"}
    await one.close()
    await two.close()


async def test_an_envelope_that_is_not_confirmed_comes_again(desk: Desk) -> None:
    socket = await connect(desk)
    await socket.receive_json()
    await desk.say("ops", "x")
    first = await socket.receive_json()
    again = await socket.receive_json()
    assert first["envelope_id"] != again["envelope_id"]
    assert first["payload"]["event_id"] == again["payload"]["event_id"]
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
    await socket.send_json({"envelope_id": again["envelope_id"]})
    await socket.close()


async def test_tickets_are_single_use_and_connections_are_counted(desk: Desk) -> None:
    opened = await desk.client.apps_connections_open(app_token=world.APP_TOKEN)
    sockets = [await desk.session.ws_connect(str(opened["url"]))]
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await desk.session.ws_connect(str(opened["url"]))
    sockets += [await connect(desk) for _ in range(10)]
    last = await sockets[-1].receive_json()
    assert last == {"type": "disconnect", "reason": "too_many_websockets"}
    for socket in sockets:
        await socket.close()


async def test_a_disconnect_says_why_and_bolt_comes_back() -> None:
    async with open_bench("socket") as bench:
        opened = bench.running.controls.recorder
        await bench.do("faults", kind="disconnect", reason="refresh_requested")
        await bench.until(lambda: len(opened.calls_json("apps.connections.open")) == 2)
        await bench.until(lambda: bench.running.connected)
        bench.app.event("message")(ignore)
        await bench.say("ops", "still there?")
        assert (await bench.attempts(1))[0]["outcome"] == "acked"
        await bench.do("faults", kind="disconnect", reason="link_disabled")


async def ignore(event: Json) -> None:
    """Confirms the event and nothing more."""


class Receiver:
    """An HTTP app that keeps what it gets and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], str]] = []
        self.answer: dict[str, Any] = {}
        self.slow_seconds: list[float] = []

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.text()
        if request.content_type == "application/json":
            payload = json.loads(body)
            if payload["type"] == "url_verification":
                return web.json_response({"challenge": payload["challenge"]})
        self.got.append(({k.lower(): v for k, v in request.headers.items()}, body))
        if self.slow_seconds:
            await asyncio.sleep(self.slow_seconds.pop())
        return web.Response(**self.answer)


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    found = Receiver()
    app = web.Application()
    app.router.add_post("/slack/events", found.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield found, f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    await runner.cleanup()


@pytest.fixture
async def http_desk() -> AsyncIterator[Desk]:
    async with open_desk("http", Workspace(rules=RULES, app=EVERYTHING)) as found:
        yield found


async def deliveries(desk: Desk, number: int) -> list[Json]:
    recorder = desk.running.controls.recorder
    while len(recorder.attempts) < number:  # noqa: ASYNC110  (deliveries have no event)
        await asyncio.sleep(0.005)
    return recorder.attempts_json()


async def test_requests_are_signed(http_desk: Desk, receiver: tuple[Receiver, str]) -> None:
    app, url = receiver
    assert not http_desk.running.connected
    assert await http_desk.running.set_request_url(url)
    assert http_desk.running.connected
    await http_desk.say("ops", "x")
    app.answer = {"text": "It works"}
    await http_desk.do("command", channel="ops", command="/k8s", text="a b")
    await http_desk.do("shortcut", callback_id="report")
    await deliveries(http_desk, 3)
    verifier = SignatureVerifier(world.SIGNING_SECRET)
    for headers, body in app.got:
        assert verifier.is_valid_request(body, headers)
        assert not verifier.is_valid_request(body + " ", headers)
    types = [headers["content-type"] for headers, _ in app.got]
    form = "application/x-www-form-urlencoded"
    assert types == ["application/json", form, form]
    assert app.got[2][1].startswith("payload=%7B")
    (shown,) = await http_desk.ephemerals()
    assert shown["text"] == "It works"


def test_an_old_signature_is_no_longer_valid() -> None:
    verifier = SignatureVerifier(world.SIGNING_SECRET)
    fresh, old = sign("body"), sign("body", at_seconds=1.0)
    assert verifier.is_valid_request("body", fresh)
    assert not verifier.is_valid_request("body", old)


async def test_three_retries_follow_a_failure_and_then_none(
    http_desk: Desk, receiver: tuple[Receiver, str]
) -> None:
    app, url = receiver
    await http_desk.running.set_request_url(url)
    app.answer = {"status": 500}
    await http_desk.say("ops", "x")
    await deliveries(http_desk, 2)
    for seconds, number in ((60, 3), (300, 4), (3600, 4)):
        await http_desk.do("clock", advance_seconds=seconds)
        rows = await deliveries(http_desk, number)
    assert len(rows) == len(app.got) == 4
    retries = [headers.get("x-slack-retry-num") for headers, _ in app.got]
    assert retries == [None, "1", "2", "3"]
    assert app.got[1][0]["x-slack-retry-reason"] == "http_error"


async def test_an_app_can_ask_for_no_retries(
    http_desk: Desk, receiver: tuple[Receiver, str]
) -> None:
    app, url = receiver
    await http_desk.running.set_request_url(url)
    app.answer = {"status": 500, "headers": {"x-slack-no-retry": "1"}}
    await http_desk.say("ops", "x")
    await http_desk.do("clock", speed=1000)
    await deliveries(http_desk, 1)
    await asyncio.sleep(0.05)
    assert len(app.got) == 1


async def test_a_slow_app_gets_http_timeout_as_reason(
    http_desk: Desk, receiver: tuple[Receiver, str]
) -> None:
    app, url = receiver
    await http_desk.running.set_request_url(url)
    app.slow_seconds.append(0.6)
    await http_desk.say("ops", "x")
    rows = await deliveries(http_desk, 2)
    assert [row["outcome"] for row in rows] == ["http_timeout", "acked"]
    assert app.got[1][0]["x-slack-retry-reason"] == "http_timeout"


async def test_nobody_at_the_request_url_is_a_failed_connection(
    http_desk: Desk, unused_tcp_port: int
) -> None:
    await http_desk.say("ops", "before any address is known")
    (row, *_) = await deliveries(http_desk, 1)
    assert row["outcome"] == "connection_failed"
    verified = await http_desk.do("app", request_url=f"http://127.0.0.1:{unused_tcp_port}/")
    assert verified["verified"] is False


async def test_the_request_url_is_challenged_until_it_answers(
    receiver: tuple[Receiver, str],
) -> None:
    _, url = receiver
    workspace = Workspace(rules=RULES)
    changes: list[str] = []
    workspace.watch(lambda change: changes.append(change.kind))
    async with run_workspace(delivery="http", request_url=url, workspace=workspace) as running:
        while not running.connected:  # noqa: ASYNC110  (the challenge has no event)
            await asyncio.sleep(0.005)
        assert "connection" in changes


async def test_socket_mode_is_refused_where_http_is_used(http_desk: Desk) -> None:
    url = f"{http_desk.running.api_url}apps.connections.open"
    headers = {"Authorization": f"Bearer {world.APP_TOKEN}"}
    async with http_desk.session.post(url, headers=headers) as response:
        assert (await response.json())["error"] == "socket_mode_not_enabled"
    async with http_desk.session.get(f"{http_desk.running.url}/socket") as response:
        assert response.status == 404
    await http_desk.do("faults", kind="disconnect")  # means nothing here, and does no harm


async def test_a_request_url_needs_http(desk: Desk) -> None:
    with pytest.raises(TypeError, match="http"):
        await desk.running.set_request_url("http://127.0.0.1/")

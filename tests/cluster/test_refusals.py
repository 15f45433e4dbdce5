"""Why a connection failed, in words that operators know, on connections that really fail."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from cluster.refusals import cause_of


async def cause(url: str) -> str:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.3)) as session:
        with pytest.raises((aiohttp.ClientError, OSError)) as caught:
            async with session.get(url) as response:
                await response.read()
    return cause_of(caught.value)


@pytest.mark.parametrize(
    ("scheme", "reply", "words"),
    [
        ("http", b"", "it was closed early"),
        ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc", "it was closed early"),
        ("http", b"220 smtp ready\r\n\r\n", "it does not speak HTTP as it should"),
        ("https", b"HTTP/1.1 400 Bad Request\r\n\r\n", "its certificate or TLS was not accepted"),
        ("http", None, "no connection in time"),
    ],
)
async def test_what_a_server_does_is_told(scheme: str, reply: bytes | None, words: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        if reply is None:
            await reader.read()
        else:
            writer.write(reply)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await cause(f"{scheme}://127.0.0.1:{port}/") == words


async def test_nobody_there_and_no_such_name_are_told_apart() -> None:
    assert await cause("http://127.0.0.1:1/") == "connection refused"
    resolver = aiohttp.ClientConnectorDNSError
    key = aiohttp.client_reqrep.ConnectionKey("x", 80, False, True, None, None, None)  # noqa: FBT003  (its fields)
    assert cause_of(resolver(key, OSError(-2, "no"))) == "its name cannot be resolved"

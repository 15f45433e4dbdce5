"""Lists whose pages overlap: the next one is asked for while this one is still coming."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from cluster.kinds import BY_NAME
from cluster.listing import Listing, read_list
from core.errors import ClusterError
from tests.cluster.payloads import pod

PODS = BY_NAME["Pod"]


def page(number: int, following: str) -> bytes:
    metadata = {"resourceVersion": "7", "continue": following}
    return json.dumps({"metadata": metadata, "items": [pod(f"pod-{number}")]}).encode()


class Server:
    """Sends pages in pieces of a size, the last piece when `released`.

    Attributes:
        asked: The tokens that were asked for, '' for the first page.
        coming: How many answers are not finished.
        overlapped: Whether a page was asked for while another one was coming.
        last: Raised in place of the last piece of a page.
    """

    def __init__(self, pages: dict[str, bytes], piece_bytes: int = 1_000) -> None:
        self.pages = pages
        self.piece_bytes = piece_bytes
        self.asked: list[str] = []
        self.coming = 0
        self.last: Exception | None = None
        self.overlapped = asyncio.Event()
        self.released = asyncio.Event()

    async def ask(self, query: dict[str, str], see: Callable[[bytes], None]) -> tuple[int, bytes]:
        token = query.get("continue", "")
        self.asked.append(token)
        self.coming += 1
        if self.coming == 2:
            self.overlapped.set()
        try:
            body = self.pages[token]
            for start in range(0, len(body), self.piece_bytes):
                await asyncio.sleep(0)
                see(body[start : start + self.piece_bytes])
            await self.released.wait()
            if self.last:
                raise self.last
            return 200, body
        finally:
            self.coming -= 1

    async def read(self) -> Listing:
        return await read_list(self.ask, PODS, {}, "list pods", "list pods")


def names(listing: Listing) -> list[str]:
    return [item.metadata.name for item in listing.items]


@pytest.mark.parametrize("piece_bytes", [10, 100, 100_000])
async def test_the_next_page_is_asked_for_before_the_rest_of_this_one_has_come(
    piece_bytes: int,
) -> None:
    server = Server({"": page(0, "b"), "b": page(1, "c"), "c": page(2, "")}, piece_bytes)
    reading = asyncio.create_task(server.read())
    async with asyncio.timeout(5):
        await server.overlapped.wait()
    for _ in range(100):
        await asyncio.sleep(0)
    assert server.asked == ["", "b"]  # and no further ahead, whatever waits in memory
    server.released.set()
    assert names(await reading) == ["pod-0", "pod-1", "pod-2"]
    assert server.asked == ["", "b", "c"]


async def test_a_token_that_stands_after_the_items_is_found_when_all_has_come() -> None:
    turned = json.loads(page(0, "b"))
    late = json.dumps({"items": turned["items"] * 9, "metadata": turned["metadata"]}).encode()
    server = Server({"": late, "b": page(1, "")})
    server.released.set()
    assert names(await server.read()) == ["pod-0"] * 9 + ["pod-1"]
    assert server.asked == ["", "b"]


async def test_what_looks_like_a_token_but_is_none_costs_a_request_and_no_more() -> None:
    plain = json.loads(page(0, ""))
    odd = json.dumps({"annotation": {"continue": "x"}} | plain).encode()
    server = Server({"": odd, "x": page(9, "")})
    server.released.set()
    assert names(await server.read()) == ["pod-0"]


async def test_a_list_that_fails_leaves_no_request_behind() -> None:
    server = Server({"": page(0, "b"), "b": page(1, "")})
    server.last = ClusterError("list pods", "the connection broke", "Try again")
    reading = asyncio.create_task(server.read())
    async with asyncio.timeout(5):
        await server.overlapped.wait()
    server.released.set()
    with pytest.raises(ClusterError, match="the connection broke"):
        await reading
    assert server.coming == 0


async def test_reading_that_is_given_up_leaves_no_request_behind() -> None:
    server = Server({"": page(0, "b"), "b": page(1, "")})
    reading = asyncio.create_task(server.read())
    async with asyncio.timeout(5):
        await server.overlapped.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert server.coming == 0

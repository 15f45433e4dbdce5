"""A list of any length, page by page: the next page travels while one is decoded."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from cluster.decode import Page, decode_page
from cluster.kinds import Kind
from cluster.objects import KubeObject
from cluster.refusals import ExpiredError, not_kubernetes, refused
from cluster.sharing import Sharing
from core.errors import ClusterError

T = TypeVar("T", bound=KubeObject)

PAGE_SIZE = 500
BIG_PAGE_BYTES = 200_000  # decoding more than this would hold the event loop for milliseconds
MAX_STARTS = 3
# API servers write a list's metadata before its items.
_HEAD_BYTES = 2_000
_TOKEN = re.compile(rb'"continue":\s*"([^"\\]+)"')

Ask = Callable[[dict[str, str]], Awaitable[tuple[int, bytes]]]


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of one kind.

    Attributes:
        unreadable: How many fitted no struct and are missing.
        version: The resourceVersion from which a watch goes on.
    """

    items: tuple[KubeObject, ...]
    unreadable: int = 0
    version: str = ""


async def read_list(ask: Ask, kind: Kind, query: dict[str, str], asked: str, verb: str) -> Listing:
    """Every object that a query lists.

    A list whose continue token expires half-way (410) starts again from the beginning.

    Args:
        ask: Sends the query of one page; gives status and body.
        kind: What is listed.
        query: Selectors, for every page.
        asked: For errors, what was being done.
        verb: For errors, the right that was needed.

    Raises:
        ClusterError: Refused, not a Kubernetes API, or expired again and again.
    """
    for _ in range(MAX_STARTS):
        try:
            return await _read_once(ask, kind, query, asked, verb)
        except ExpiredError:
            continue
    raise ClusterError(
        asked,
        f"the list expired {MAX_STARTS} times while it was read",
        "Try again; the API is very busy",
    )


async def _read_once(ask: Ask, kind: Kind, query: dict[str, str], asked: str, verb: str) -> Listing:
    def fetch(token: str) -> asyncio.Future[tuple[int, bytes]]:
        more = {"limit": str(PAGE_SIZE)} | ({"continue": token} if token else {})
        return asyncio.ensure_future(ask(query | more))

    items: list[KubeObject] = []
    unreadable = 0
    sharing = Sharing()
    coming = fetch("")
    try:
        while True:
            status, body = await coming
            if status == 410:
                raise ExpiredError(asked)
            if status != 200:
                raise refused(asked, status, body, verb)
            ahead = _next_token(body)
            if ahead:
                coming = fetch(ahead)
            page = await _decode(body, kind.struct, sharing, asked)
            items.extend(page.items)
            unreadable += page.unreadable
            if not page.next_token:
                return Listing(tuple(items), unreadable, page.version)
            if page.next_token != ahead:
                coming.cancel()
                coming = fetch(page.next_token)
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


def _next_token(body: bytes) -> str:
    """The token of the next page, where it stands before the items; else ''."""
    head, found, _ = body[:_HEAD_BYTES].partition(b'"items"')
    match = _TOKEN.search(head) if found else None
    return match[1].decode() if match else ""


async def _decode(body: bytes, struct: type[T], sharing: Sharing, asked: str) -> Page[T]:
    def work() -> Page[T]:
        page = decode_page(body, struct)
        sharing.share(page.items)
        return page

    try:
        if len(body) > BIG_PAGE_BYTES:
            return await asyncio.to_thread(work)
        return work()
    except ValueError as error:
        raise not_kubernetes(asked) from error

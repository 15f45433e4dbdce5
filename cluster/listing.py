"""A list of any length, page by page.

The next page is asked for when the first bytes of one tell its token, so that the API server makes
it while the rest of this one travels and is decoded.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from cluster.decode import Page, decode_leniently, decode_page
from cluster.kinds import Kind
from cluster.objects import KubeObject
from cluster.refusals import ExpiredError, not_kubernetes, refused
from cluster.sharing import Sharing
from core.errors import ClusterError

T = TypeVar("T", bound=KubeObject)

PAGE_SIZE = 500
MAX_STARTS = 3
# API servers write a list's metadata before its items.
_HEAD_BYTES = 2_000
_TOKEN = re.compile(rb'"continue":\s*"([^"\\]+)"')

Ask = Callable[[dict[str, str], Callable[[bytes], None]], Awaitable[tuple[int, bytes]]]


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
        ask: Sends the query of one page; hands over each piece of the body as it comes, and
            gives status and body.
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
    def fetch(token: str) -> _Fetch:
        more = {"limit": str(PAGE_SIZE)} | ({"continue": token} if token else {})
        return _Fetch(ask, query | more)

    items: list[KubeObject] = []
    unreadable = 0
    sharing = Sharing()
    coming = fetch("")
    try:
        while True:
            current, ahead = coming, await coming.ahead
            if ahead:
                coming = fetch(ahead)
            status, body = await current.answer
            if status == 410:
                raise ExpiredError(asked)
            if status != 200:
                raise refused(asked, status, body, verb)
            page = await _decode(body, kind.struct, sharing, asked)
            items.extend(page.items)
            unreadable += page.unreadable
            if not page.next_token:
                return Listing(tuple(items), unreadable, page.version)
            if page.next_token != ahead:
                await coming.stop()
                coming = fetch(page.next_token)
    finally:
        await coming.stop()


class _Fetch:
    """A page on its way.

    Attributes:
        ahead: The token of the next page, as soon as the first bytes tell it; else ''.
        answer: Status and body.
    """

    def __init__(self, ask: Ask, query: dict[str, str]) -> None:
        self.ahead: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.answer = asyncio.ensure_future(ask(query, self._see))
        self.answer.add_done_callback(lambda _: self._tell(""))
        self._head = b""

    def _see(self, piece: bytes) -> None:
        if not self.ahead.done():
            self._head += piece
            if token := _next_token(self._head):
                self._tell(token)
            elif len(self._head) > _HEAD_BYTES:
                self._tell("")

    def _tell(self, token: str) -> None:
        if not self.ahead.done():
            self.ahead.set_result(token)

    async def stop(self) -> None:
        self.answer.cancel()
        await asyncio.gather(self.answer, return_exceptions=True)


def _next_token(begin: bytes) -> str:
    """The token of the next page, where it stands before the items; else ''."""
    head, found, _ = begin[:_HEAD_BYTES].partition(b'"items"')
    match = _TOKEN.search(head) if found else None
    return match[1].decode() if match else ""


async def _decode(body: bytes, struct: type[T], sharing: Sharing, asked: str) -> Page[T]:
    try:
        try:
            # Not in a thread: it would hold the interpreter's lock, and so the event loop, for as
            # long, and its turns for that lock with the download cost another tenth.
            page = decode_page(body, struct)
        except msgspec.ValidationError:
            page = await asyncio.to_thread(decode_leniently, body, struct)
    except ValueError as error:
        raise not_kubernetes(asked) from error
    sharing.share(page.items)
    return page

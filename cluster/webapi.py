"""A JSON API beside the cluster, such as Alertmanager's: its failures become ClusterErrors."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import msgspec

from cluster.refusals import cause_of
from core.errors import ClusterError

MAX_BODY_BYTES = 32 * 1024 * 1024


class BusyError(ClusterError):
    """The API asks to be asked again later (429)."""


@dataclass(frozen=True, slots=True)
class ApiAddress:
    """Where an API answers.

    Attributes:
        name: What messages call it: "Alertmanager".
        url: Its root, with a path where it stands behind one.
        token: Sent as a bearer token; '' for none.
        tenant: Sent as X-Scope-OrgID; '' for none.
    """

    name: str
    url: str
    token: str = ""
    tenant: str = ""
    timeout_seconds: float = 10.0


class WebApi:
    """Asks one API; connections are opened when they are needed."""

    def __init__(self, address: ApiAddress) -> None:
        self._address = address
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self,
        path: str,
        asked: str,
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> tuple[int, object]:
        """Status and decoded body of a GET, or of a POST of a form.

        Only statuses below 500 are given; 4xx with whatever JSON says why.

        Raises:
            ClusterError: Not reached, too slow, not JSON, too long, or failed inside.
            BusyError: Asked too often.
        """
        address = self._address
        if self._session is None:
            headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
            if address.tenant:
                headers["X-Scope-OrgID"] = address.tenant
            self._session = aiohttp.ClientSession(
                headers=headers, timeout=aiohttp.ClientTimeout(total=address.timeout_seconds)
            )
        url = address.url.rstrip("/") + path
        method = "GET" if form is None else "POST"
        try:
            async with self._session.request(method, url, params=query, data=form) as response:
                body = await _bounded(response)
                status = response.status
        except TimeoutError as error:
            raise ClusterError(
                asked,
                f"{address.name} did not answer within {address.timeout_seconds:g} s",
                "Check its load",
            ) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ClusterError(
                asked,
                f"{address.name} cannot be reached: {cause_of(error)}",
                "Check its address, and that this program may connect to it",
            ) from error
        if status in {401, 403}:
            raise ClusterError(
                asked, f"{address.name} does not accept the token ({status})", "Renew the token"
            )
        if status == 429:
            raise BusyError(asked, f"{address.name} is asked too often (429)", "Raise its limits")
        if body is None or status >= 500:
            wrong = "sent more than it should" if body is None else f"answered {status}"
            raise ClusterError(asked, f"{address.name} {wrong}", "See its log")
        try:
            return status, await asyncio.to_thread(msgspec.json.decode, body)
        except msgspec.DecodeError as error:
            raise ClusterError(
                asked,
                f"what answers at its address is not {address.name}",
                "Check the address: it may lead to a login page",
            ) from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _bounded(response: aiohttp.ClientResponse) -> bytes | None:
    """The body, or None where it is longer than anything sensible."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)

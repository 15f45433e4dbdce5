"""What an API server's refusal means, in words for an operator. Pure."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from core.errors import ClusterError

# Addresses inside a cluster are nobody's business in a chat channel, and may carry credentials.
ADDRESS = re.compile(r"\"?https?://[^\s\"]+\"?")


class UnreachableError(ClusterError):
    """The API server cannot be reached or knows us not: nothing else need be tried."""


class ForbiddenError(ClusterError):
    """The bot's role does not grant the right that was needed."""


class ExpiredError(ClusterError):
    """410 Gone: a position in a list or a watch is too old; it has to start again."""

    def __init__(self, asked: str) -> None:
        super().__init__(asked, "the position in the list has expired (410)", "Try again")


class NotServedError(ClusterError):
    """404 for a list: the API server does not know the kind."""


def refused(asked: str, status: int, body: bytes, verb: str) -> ClusterError:
    """The error for a status other than 200; `verb` is the right that was needed."""
    if status == 401:
        return UnreachableError(
            asked, "the API server does not accept the credentials (401)", "Renew the token"
        )
    if status == 403:
        return ForbiddenError(
            asked,
            f"the bot may not {verb} (403)",
            f"Grant its service account the right to {verb}",
        )
    if status == 404:
        return NotServedError(
            asked, "the API server does not know this kind (404)", "Check the cluster's version"
        )
    if status == 429:
        return ClusterError(asked, "the API server is throttling (429)", "Try again later")
    return ClusterError(
        asked, f"the API server answered {status}{_message(body)}", "See the server's log"
    )


def cause_of(error: Exception) -> str:
    """Why no connection came about or lasted, in the words that operators know."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name cannot be resolved"
    if isinstance(error, aiohttp.ClientSSLError):
        return "its certificate or TLS was not accepted"
    if isinstance(error, TimeoutError):
        return "no connection in time"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    if isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError):
        return "it was closed early"
    return "it does not speak HTTP as it should"


@contextmanager
def explained(asked: str, limits: aiohttp.ClientTimeout) -> Iterator[None]:
    """Turn what goes wrong on the way into a ClusterError."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise UnreachableError(
            asked,
            f"the API server cannot be reached: {cause_of(error)}",
            "Check the server's address, certificate and network policies",
        ) from error
    except TimeoutError as error:
        seconds = limits.total or limits.sock_read or 0
        raise ClusterError(
            asked,
            f"no answer within {seconds:g} s",
            "Check the API server's load and the network between",
        ) from error
    except (aiohttp.ClientError, OSError) as error:
        raise ClusterError(
            asked,
            f"the connection to the API server broke: {cause_of(error)}",
            "Try again; check the network between",
        ) from error


def not_kubernetes(asked: str) -> ClusterError:
    """The error for a body that no API server sends."""
    return ClusterError(
        asked,
        "the answer is not what a Kubernetes API sends",
        "Check that the address leads to an API server and not to a proxy's login page",
    )


def _message(body: bytes) -> str:
    """The `message` of a Status object, shortened and without addresses; '' where there is none."""
    try:
        message = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return f": {ADDRESS.sub('an address', str(message))[:200]}"

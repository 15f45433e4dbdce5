"""What an API server's refusal means, in words for an operator. Pure."""

from __future__ import annotations

import json
import re

from core.errors import ClusterError

# Addresses inside a cluster are nobody's business in a chat channel, and may carry credentials.
ADDRESS = re.compile(r"\"?https?://[^\s\"]+\"?")


class UnreachableError(ClusterError):
    """The API server cannot be reached or knows us not: nothing else need be tried."""


class ExpiredError(ClusterError):
    """410 Gone: a position in a list or a watch is too old; it has to start again."""

    def __init__(self, asked: str) -> None:
        super().__init__(asked, "the position in the list has expired (410)", "Try again")


def refused(asked: str, status: int, body: bytes, verb: str) -> ClusterError:
    """The error for a status other than 200; `verb` is the right that was needed."""
    if status == 401:
        return UnreachableError(
            asked, "the API server does not accept the credentials (401)", "Renew the token"
        )
    if status == 403:
        return ClusterError(
            asked,
            f"the bot may not {verb} (403)",
            f"Grant its service account the right to {verb}",
        )
    if status == 404:
        return ClusterError(
            asked, "the API server does not know this kind (404)", "Check the cluster's version"
        )
    if status == 429:
        return ClusterError(asked, "the API server is throttling (429)", "Try again later")
    return ClusterError(
        asked, f"the API server answered {status}{_message(body)}", "See the server's log"
    )


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

"""Counts calls to Slack where they leave the process: each try, whoever makes it."""

from __future__ import annotations

from types import SimpleNamespace

import aiohttp
from yarl import URL

from bot.telemetry.metrics import Meter

_TOO_MANY = 429


def counting(meter: Meter, api_url: str) -> aiohttp.TraceConfig:
    """For the session that speaks to Slack.

    Args:
        meter: Counts.
        api_url: The Web API's address; what goes elsewhere is a `response_url` or a file.
    """
    api = URL(api_url).path

    def method(url: URL) -> str:
        return url.path.removeprefix(api) if url.path.startswith(api) else "other"

    async def ended(
        _: aiohttp.ClientSession, __: SimpleNamespace, done: aiohttp.TraceRequestEndParams
    ) -> None:
        meter.called_slack(method(done.url), _outcome(done.response.status))

    async def broke(
        _: aiohttp.ClientSession, __: SimpleNamespace, done: aiohttp.TraceRequestExceptionParams
    ) -> None:
        meter.called_slack(method(done.url), "unreachable")

    config = aiohttp.TraceConfig()
    config.on_request_end.append(ended)
    config.on_request_exception.append(broke)
    return config


def _outcome(status: int) -> str:
    if status == _TOO_MANY:
        return "rate_limited"
    if status >= 500:
        return "server_error"
    return "refused" if status >= 400 else "answered"

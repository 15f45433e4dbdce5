"""Errors from a Loki, for pods whose logs the cluster need not be asked for, or has no longer.

First the lines that look like errors are counted by container; then the lines of the worst are
fetched, page by page, and searched like any log.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from cluster.webapi import ApiAddress, BusyError, WebApi
from core.errors import ClusterError
from core.logscan import ErrorKind, LogScan
from core.questions import TimeRange

PAGE_LINES = 5000  # Loki's own upper limit
RETRY_SECONDS = (1.0, 2.0, 4.0)
LABELS = ("namespace", "pod", "container")
# What looks like an error, or like a part of a trace. Whether it is one, core.logformats tells.
LOOKS_BAD = (
    r"(?i:error|err!|fatal|panic|exception|critical|severe|emerg|traceback|out of memory|oom"
    r"|segfault|segmentation fault|level.{1,4}(50|60)\b|\b(err|ftl|crit|alert)\b)"
    r"|\bE\d{4} |\bF\d{4} |[EF]/[^ (]+ *\( *\d+\): | \d+ +\d+ [EF] |^(fail|crit): "
    r"| [CEF]\d? +(\| |([A-Z]{2,}|-) +\[)|\"s\": ?\"[EF]\"|\"(PRIORITY|level)\": ?\"?[0-3]\b"
    r"|^SIG(SEGV|BUS|FPE|ILL|ABRT): |^terminate called|^libc\+\+abi: "
    r"|^\s+(at |File \"|\.\.\. )|^(Caused by|goroutine )"
    rf"|^<({'|'.join(str(number) for number in range(192) if number % 8 < 4)})>"
)


@dataclass(frozen=True, slots=True)
class LokiLimits:
    """How much is fetched: of so many containers, so many lines each."""

    containers: int = 50
    lines_a_container: int = 20_000


@dataclass(frozen=True, slots=True)
class StoredErrors:
    """The errors of one container's log.

    Attributes:
        count: Lines that look like errors, as Loki counted them; not all need be fetched.
        kinds: Empty where what looked like errors is none.
    """

    namespace: str
    pod: str
    container: str
    count: int
    kinds: tuple[ErrorKind, ...]


class _Series(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Stream(msgspec.Struct):
    # With labels or parsing, Loki may add a third part to each pair.
    values: list[list[object]]


_Row = TypeVar("_Row", _Series, _Stream)


class Loki:
    """Asks the HTTP API; only for reading.

    Args:
        address: Its root; `tenant` where it has several.
        selector: Which streams are a cluster's; `$cluster` stands for its name.
        sleep: Waits between attempts; for tests.
    """

    def __init__(
        self,
        address: ApiAddress,
        selector: str,
        limits: LokiLimits | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._api = WebApi(address)
        self._selector = selector
        self._limits = limits or LokiLimits()
        self._sleep = sleep

    async def errors(self, cluster: str, window: TimeRange) -> list[StoredErrors]:
        """The errors of the containers that wrote most lines that look like errors.

        Raises:
            ClusterError: It cannot be asked, or refused a query.
        """
        selector = self._selector.replace("$cluster", cluster)
        found: list[StoredErrors] = []
        for labels, count in await self._counts(selector, window):
            scan = LogScan()
            async for text in self._pages(selector, labels, window):
                await asyncio.to_thread(scan.feed, text)
            kinds = await asyncio.to_thread(scan.finish)
            found.append(StoredErrors(*labels, count, tuple(kinds)))
        return found

    async def _counts(
        self, selector: str, window: TimeRange
    ) -> list[tuple[tuple[str, str, str], int]]:
        seconds = int((window.end - window.start).total_seconds())
        logs = f"{selector} |~ {json.dumps(LOOKS_BAD)} [{seconds}s]"
        by = ", ".join(LABELS)
        query = f"topk({self._limits.containers}, sum by ({by}) (count_over_time({logs})))"
        asked = "count errors in Loki"
        rows = await self._result(
            "/loki/api/v1/query", asked, {"query": query, "time": _nanoseconds(window.end)}, _Series
        )
        counts = [
            ((row.metric["namespace"], row.metric["pod"], row.metric["container"]),
             int(float(row.value[1])))
            for row in rows
            if all(name in row.metric for name in LABELS)
        ]  # fmt: skip
        return sorted(counts, key=lambda item: -item[1])

    async def _pages(
        self, selector: str, labels: tuple[str, str, str], window: TimeRange
    ) -> AsyncIterator[str]:
        """Lines from the oldest on, each with its time before it, as the cluster's API gives them.

        Pages begin with the time at which the last one ended: several lines may have that time.
        """
        matchers = ",".join(
            f"{name}={json.dumps(value)}" for name, value in zip(LABELS, labels, strict=True)
        )
        inner = selector.strip().removeprefix("{").removesuffix("}")
        query = f"{{{inner},{matchers}}} |~ {json.dumps(LOOKS_BAD)}"
        start, end = _nanoseconds(window.start), _nanoseconds(window.end)
        seen: set[tuple[str, str]] = set()
        fetched = 0
        while fetched < self._limits.lines_a_container:
            asked = f"read the log of {labels[0]}/{labels[1]} from Loki"
            parameters = {
                "query": query,
                "start": start,
                "end": end,
                "limit": str(PAGE_LINES),
                "direction": "forward",
            }
            path = "/loki/api/v1/query_range"
            streams = await self._result(path, asked, parameters, _Stream)
            page = sorted(
                ((str(pair[0]), str(pair[1])) for stream in streams for pair in stream.values),
                key=lambda line: int(line[0]),
            )
            new = [line for line in page if line not in seen]
            if new:
                yield "".join(f"{_stamp(time)} {text.rstrip()}\n" for time, text in new)
            if len(page) < PAGE_LINES:
                return
            fetched += len(new)
            last = page[-1][0]
            seen = {line for line in page if line[0] == last}
            # A page of one instant leads nowhere: its further lines cannot be had.
            start = last if new else str(int(last) + 1)

    async def _result(
        self, path: str, asked: str, query: dict[str, str], row: type[_Row]
    ) -> list[_Row]:
        waits = iter(RETRY_SECONDS)
        while True:
            try:
                _, plain = await self._api.ask(path, asked, query=query)
            except BusyError:
                wait = next(waits, None)
                if wait is None:
                    raise
                await self._sleep(wait)
            else:
                return _rows(asked, plain, row)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()


def _rows(asked: str, plain: object, row: type[_Row]) -> list[_Row]:
    try:
        if not isinstance(plain, dict) or plain.get("status") != "success":
            raise ClusterError(asked, "Loki refused the query", "Check LOKI_SELECTOR")
        return msgspec.convert(plain["data"]["result"], list[row])  # type: ignore[valid-type]
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise ClusterError(
            asked, "the answer is none that Loki gives", "Check that LOKI_URL is Loki's root"
        ) from error


def _nanoseconds(moment: datetime) -> str:
    return str(int(moment.timestamp()) * 1_000_000_000)


def _stamp(nanoseconds: str) -> str:
    seconds, rest = divmod(int(nanoseconds), 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"

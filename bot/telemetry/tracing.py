"""Spans of answers for an OpenTelemetry collector, where the settings name one.

OpenTelemetry is imported inside the function that needs it: a bot without traces never loads it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Protocol

from bot.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer as OtelTracer

_FLUSH_SECONDS = 3
_NANO = 1_000_000_000


class Tracer(Protocol):
    """Takes down what was done when, as spans inside each other."""

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[None]:
        """A span as long as the block; those begun inside are its children."""
        ...

    def past(self, name: str, seconds: float, **attributes: str | int) -> None:
        """A span that ends now and began so long ago."""
        ...


class NoTracer:
    """Takes down nothing."""

    @contextmanager
    def span(self, name: str, **attributes: str | int) -> Iterator[None]:  # noqa: ARG002  (the port's)
        """Nothing."""
        yield

    def past(self, name: str, seconds: float, **attributes: str | int) -> None:
        """Nothing."""


class OtlpTracer:
    """Spans by OpenTelemetry. What a span is about is told by its attributes `opsbot.…`."""

    def __init__(self, tracer: OtelTracer) -> None:
        self._tracer = tracer

    @contextmanager
    def span(self, name: str, **attributes: str | int) -> Iterator[None]:
        """A span as long as the block; it has failed where the block raises.

        Of an error only its type is told: its words may quote a question.
        """
        from opentelemetry.trace import StatusCode  # noqa: PLC0415  (see above)

        with self._tracer.start_as_current_span(
            name,
            attributes=_named(attributes),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_status(StatusCode.ERROR, type(error).__name__)
                raise

    def past(self, name: str, seconds: float, **attributes: str | int) -> None:
        """A span that ends now."""
        end = time.time_ns()
        span = self._tracer.start_span(
            name, attributes=_named(attributes), start_time=end - int(seconds * _NANO)
        )
        span.end(end)


@asynccontextmanager
async def tracing(settings: Settings) -> AsyncIterator[Tracer]:
    """The tracer that the settings ask for; what it still holds at the end is sent."""
    url = settings.otel_exporter_otlp_endpoint.rstrip("/")
    if not url:
        yield NoTracer()
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    exporter = OTLPSpanExporter(endpoint=f"{url}/v1/traces", timeout=_FLUSH_SECONDS)
    provider = TracerProvider(
        resource=Resource.create({"service.name": "opsbot"}), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield OtlpTracer(provider.get_tracer("opsbot"))
    finally:
        await asyncio.to_thread(provider.shutdown)


def _named(attributes: dict[str, str | int]) -> dict[str, str | int]:
    return {f"opsbot.{name}": value for name, value in attributes.items()}

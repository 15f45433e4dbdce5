"""Reads back what a meter counted, as a Prometheus would."""

from __future__ import annotations

from bot.telemetry.metrics import Meter


def value(meter: Meter, name: str, **labels: str) -> float:
    """A sample of `opsbot_…`; 0 where there is none."""
    return meter.registry.get_sample_value(f"opsbot_{name}", labels) or 0.0

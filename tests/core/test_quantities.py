from __future__ import annotations

from decimal import Decimal

import pytest

from core.quantities import parse_quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("512Mi", 512 * 1024**2),
        ("0.5Gi", 512 * 1024**2),
        ("512 MiB", 512 * 1024**2),
        ("512M", 512 * 1000**2),
        ("1.5 GB", 1500 * 1000**2),
        ("128974848", 128974848),
        ("500m", "0.5"),
        ("0.5", "0.5"),
        ("2", 2),
        ("2 cores", 2),
        ("1 CPU", 1),
    ],
)
def test_one_quantity_in_any_writing_is_one_number(text: str, value: int | str) -> None:
    assert parse_quantity(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "none", "HPA 3–10", "5 pods", "10s", "1.2.3"])
def test_what_is_no_quantity_is_none(text: str) -> None:
    assert parse_quantity(text) is None

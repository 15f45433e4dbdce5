"""Quantities of CPU and memory as the Kubernetes API and people write them. Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_QUANTITY = re.compile(
    r"(\d+(?:\.\d+)?)\s?(?:([KMGTPE]i)B?|([KMGTPE])B?|cores?|cpus?)?", re.IGNORECASE
)
_POWERS: Final = {letter: power for power, letter in enumerate("kmgtpe", start=1)}


def parse_quantity(text: str) -> Decimal | None:
    """Bytes or cores of "512Mi", "0.5", "500m", "1 core" or "2.4 GiB"; None for anything else.

    "M" counts in thousands and "Mi" in 1024s, as the API does; a lone "m" is a thousandth.
    """
    found = _QUANTITY.fullmatch(text.strip())
    if found is None:
        return None
    number, binary, decimal = found.groups()
    if binary:
        return Decimal(number) * Decimal(1024) ** _POWERS[binary[0].lower()]
    if decimal == "m":
        return Decimal(number) / 1000
    return Decimal(number) * Decimal(1000) ** (_POWERS[decimal.lower()] if decimal else 0)

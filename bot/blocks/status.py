"""The state of every part, the broken ones first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.blocks import parts
from bot.blocks.parts import Message
from bot.mrkdwn import clip, duration, escape
from core.answers import PartHealth, PartState

_BADGES = {PartState.OK: "✅", PartState.DEGRADED: "⚠️", PartState.DOWN: "❌"}
_ORDER = {PartState.DOWN: 0, PartState.DEGRADED: 1, PartState.OK: 2}


def status_message(health: Sequence[PartHealth], now: datetime) -> Message:
    """A headline that answers "does it work?", then a line a part, with what to do about it."""
    ranked = sorted(health, key=lambda part: _ORDER[part.state])
    headline = f"*{_headline(health)}*"
    lines = [_line(part, now) for part in ranked]
    blocks = [parts.section(headline)]
    blocks += [
        parts.section("\n".join(lines[start : start + 6]))  # six long lines fill a section
        for start in range(0, len(lines), 6)
    ]
    return parts.message("\n".join([headline, *lines]), blocks)


def _headline(health: Sequence[PartHealth]) -> str:
    ailing = [part for part in health if part.state is not PartState.OK]
    if not health:
        return "⚠️ No part reports its state"
    if not ailing:
        return "✅ Everything works"
    down = sum(part.state is PartState.DOWN for part in ailing)
    badge = _BADGES[PartState.DOWN if down else PartState.DEGRADED]
    if len(ailing) == len(health):
        return f"{badge} No part is fully working"
    return f"{badge} {len(ailing)} of {len(health)} parts need attention, the rest work"


def _line(part: PartHealth, now: datetime) -> str:
    name = escape(clip(part.part, 80))
    detail = escape(clip(" ".join(part.detail.split()), 160))
    age = duration(now - part.checked_at)
    says = f"{_BADGES[part.state]}  *{name}*  {detail}  ·  checked {age} ago"
    if part.remedy and part.state is not PartState.OK:
        return f"{says}\n        → {escape(clip(' '.join(part.remedy.split()), 200))}"
    return says

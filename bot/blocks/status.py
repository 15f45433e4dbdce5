"""The state of every part, the broken ones first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.blocks import parts
from bot.blocks.parts import Message
from bot.mrkdwn import ago, clip, code, duration, escape
from core.answers import PartHealth, PartState

_BADGES = {PartState.OK: "✅", PartState.DEGRADED: "⚠️", PartState.DOWN: "❌"}
_ORDER = {PartState.DOWN: 0, PartState.DEGRADED: 1, PartState.OK: 2}
# Parts that were looked at within this time were looked at together.
_SAME_CHECK = timedelta(seconds=30)


def status_message(health: Sequence[PartHealth], now: datetime) -> Message:
    """A headline that answers "does it work?", then a line a part, with what to do about it."""
    ranked = sorted(health, key=lambda part: _ORDER[part.state])
    headline = f"*{_headline(health)}*"
    newest = max((part.checked_at for part in health), default=now)
    lines = [_line(part, newest) for part in ranked]
    checked = f"checked {ago(now - newest)}"
    blocks = [parts.section(headline)]
    blocks += [
        parts.section("\n".join(lines[start : start + 6]))  # six long lines fill a section
        for start in range(0, len(lines), 6)
    ]
    blocks.append(parts.context(checked))
    return parts.message("\n".join([headline, *lines, checked]), blocks)


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
    need = "needs" if len(ailing) == 1 else "need"
    return f"{badge} {len(ailing)} of {len(health)} parts {need} attention, the rest works"


def _line(part: PartHealth, newest: datetime) -> str:
    says = f"{_BADGES[part.state]}  {_name(clip(part.part, 100))}"
    detail = " ".join(part.detail.split())
    if detail:
        says = f"{says}  {escape(clip(detail, 300))}"
    behind = newest - part.checked_at
    if behind > _SAME_CHECK:
        says = f"{says}  ·  checked {duration(behind)} before the others"
    if part.remedy and part.state is not PartState.OK:
        return f"{says}\n→ {escape(clip(' '.join(part.remedy.split()), 200))}"
    return says


def _name(name: str) -> str:
    """In bold; as code where signs of its own, as in `csv-logs:*.csv`, would end the bold."""
    return code(name) if set(name) & set("*_~`") else f"*{escape(name)}*"

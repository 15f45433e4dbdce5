"""The digests by channel: when each comes next, and how the last one went."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.blocks import parts
from bot.blocks.parts import Message
from bot.mrkdwn import clip, date, escape
from bot.services import ScheduledDigest
from core.digests import SlotRecord

_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,}")
_SHOWN = 20
_NONE = "No digest is scheduled: set DIGEST_CHANNEL, or `schedules` in the configuration file."


def schedule_message(digests: Sequence[ScheduledDigest]) -> Message:
    """One entry a digest, the next one first."""
    if not digests:
        return parts.message(_NONE, [parts.section(_NONE)])
    ordered = sorted(digests, key=lambda each: (each.next_due is None, each.next_due, each.name))
    entries = [_entry(each) for each in ordered[:_SHOWN]]
    if len(ordered) > _SHOWN:
        entries.append(f"and {len(ordered) - _SHOWN} more")
    return parts.message("\n".join(entries), [parts.section(entry) for entry in entries])


def _entry(digest: ScheduledDigest) -> str:
    following = f"next {date(digest.next_due)}" if digest.next_due else "no next run"
    lines = [f"🗓️ *{escape(digest.name)}* in {_channel(digest.channel)}  ·  {following}"]
    if digest.looks_back_on:
        lines.append(f"Looks back on a week of {escape(digest.looks_back_on)}")
    lines.append(_last(digest.last, is_always_posted=bool(digest.looks_back_on)))
    if digest.teams:
        lines.append(f"Parts of it go to {_teams(digest.teams)}")
    return "\n".join(lines)


def _last(last: SlotRecord | None, *, is_always_posted: bool) -> str:
    if last is None:
        return "Has not run yet"
    run = date(last.end)
    if last.committed_at is None:
        if last.is_held:
            return f"⏳ Being made: the one of {run}"
        return f"⚠️ The one of {run} failed; it is tried again at the next run"
    if not last.posted_ts and not is_always_posted:
        return f"✅ Last {run}, nothing to tell, so nothing was posted"
    return f"✅ Last {run}, posted"


def _teams(teams: Mapping[str, str]) -> str:
    return ", ".join(
        f"{_channel(channel)} ({escape(clip(team, 60))})" for team, channel in teams.items()
    )


def _channel(name: str) -> str:
    """A channel by id as a link, and by name as it is configured."""
    return f"<#{name}>" if _CHANNEL.fullmatch(name) else escape(clip(name, 80))

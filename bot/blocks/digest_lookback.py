"""What a week was like, in one screen."""

from __future__ import annotations

from bot.blocks import parts
from bot.blocks.parts import Block, Message
from bot.mrkdwn import clip, date, duration, escape
from core.digests import Digest
from core.lookback import LookBack, Offender, Tally
from core.sparkline import course

_COLUMNS = (
    {"align": "left"},
    {"align": "left", "is_wrapped": True},
    {"align": "left"},
    {"align": "left"},
    {"align": "left"},
)
_HEAD = ["Times", "Problem", "Workload", "In all", "Team"]


def look_back_message(digest: Digest, back: LookBack, *, is_preview: bool) -> Message:
    """Numbers, what came again, and how much noise became how little; one line for a quiet week.

    Args:
        digest: Its window and where nobody could look.
        back: What it is about.
        is_preview: For one reader's eyes.
    """
    now = back.now
    preview = "Preview: " if is_preview else ""
    period = f"{date(digest.window.start)} → {date(digest.window.end)}"
    unseen = "\n".join(
        f"⚠️ Could not look at {escape(clip(gap.what, 120))}: {escape(clip(gap.why, 200))}"
        for gap in digest.gaps
    )
    if not back.problems:
        line = f"✅ {preview}a quiet week, the digests told nothing  ·  {period}"
        line = f"⚠️ {preview}the week  ·  {period}\n{unseen}" if unseen else line
        return parts.message(line, [parts.section(line)])
    head = f"{preview}The week: {now.began} new problems, {now.over} over, {now.open} still there"
    numbers = "\n".join(line for line in (_lasted(back), _began(back), _noise(back)) if line)
    blocks: list[Block] = [parts.header(head), parts.context(period), parts.section(numbers)]
    again = "*Came again most often*" if back.offenders else "Nothing came again."
    blocks.append(parts.section(again))
    if back.offenders:
        rows = [_HEAD, *(_row(one) for one in back.offenders)]
        blocks.append(parts.table(rows, _COLUMNS))
    footer = f"Taken from what the digest {escape(clip(back.of, 60))} told, no model"
    if not is_preview and digest.error_counts:
        footer += "  ·  a picture of the days in the thread"
    blocks += [parts.context(text) for text in (unseen, footer) if text]
    lines = [f"{one.times}× {escape(clip(one.finding.title, 120))}" for one in back.offenders]
    told = (f"*{head}*", period, numbers, again, *lines, unseen)
    return parts.message("\n".join(text for text in told if text), blocks)


def _lasted(back: LookBack) -> str:
    if back.now.lasted is None:
        return "⏱️ None was over."
    earlier = _earlier(back.before)
    return f"⏱️ Half of them were over within *{duration(back.now.lasted)}*{earlier}"


def _earlier(before: Tally) -> str:
    return f" (the week before: {duration(before.lasted)})" if before.lasted is not None else ""


def _began(back: LookBack) -> str:
    counts = [count for _, count in back.days]
    busiest = max(back.days, key=lambda day: day[1], default=None)
    most = f", most from {date(busiest[0])} ({busiest[1]})" if busiest and busiest[1] else ""
    began = f"{back.now.began} began, the week before {back.before.began}"
    return f"📈 {course(tuple(counts))} {began}{most}"


def _noise(back: LookBack) -> str:
    """How many raw signals the problems were made of."""
    raw = []
    if back.warnings and back.warnings_window is not None:
        kept = back.warnings_window
        raw.append(f"{back.warnings:,} Warning Events (kept for {duration(kept.end - kept.start)})")
    if back.log_lines:
        raw.append(f"{back.log_lines:,} error lines")
    return f"🔇 {' and '.join(raw)} became *{back.problems} problems*" if raw else ""


def _row(one: Offender) -> list[str]:
    owner = one.finding.owner
    place = f"{owner.namespace}/{owner.name}" if owner.namespace else f"{owner.kind} {owner.name}"
    return [
        f"{one.times}×",
        clip(" ".join(one.finding.title.split()), 140),
        clip(place, 100),
        duration(one.lasted),
        clip(one.team, 40),
    ]

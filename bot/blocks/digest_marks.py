"""What people can do about one finding of a digest, and what they did, on the finding's message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.blocks import parts
from bot.blocks.modal import FieldModal
from bot.blocks.parts import Block, Message
from bot.mrkdwn import clip, date, escape, is_web_address, link
from core.digests import DigestItem, Marks, Mute
from core.findings import Severity

EXPLAIN_ACTION = "finding_explain"
MUTE_ACTION = "finding_mute"
UNMUTE_ACTION = "finding_unmute"
KNOWN_ACTION = "finding_known"
ACKNOWLEDGE_ACTION = "finding_acknowledge"
SIMILAR_ACTION = "finding_similar"

# By the value of the menu's option; None is until it gets worse.
MUTES: Mapping[str, timedelta | None] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "worse": None,
}
KNOWN_ISSUE = FieldModal(
    callback_id="finding_known_issue",
    field="known_issue",
    title="Known issue",
    label="A link, or a few words",
    hint="Shown beside this finding in every digest; empty takes it back.",
    max_chars=300,
    submit="Save",
    close="Cancel",
)
_MUTE_WORDS = {"1h": "for 1 hour", "24h": "for 24 hours", "7d": "for 7 days"}
_MARKS_BLOCK = "finding_marks"
_BUTTONS_BLOCK = "finding_buttons"
# After the title and its course.
_MARKS_PLACE = 2


@dataclass(frozen=True, slots=True)
class Told:
    """A finding as a digest told it, short enough for the value of a menu's option."""

    schedule: str
    identity: str
    severity: Severity
    count: int

    def __str__(self) -> str:
        return f"{self.schedule}/{self.identity}/{self.severity}/{self.count}"

    @classmethod
    def of(cls, item: DigestItem, schedule: str) -> Told:
        """What an item of a schedule's digest tells."""
        finding = item.finding
        return cls(schedule, finding.identity, finding.severity, finding.count)

    @classmethod
    def read(cls, text: str) -> Told:
        """Read what `str` wrote; more parts behind it do not matter."""
        schedule, identity, severity, count = text.split("/")[:4]
        return cls(schedule, identity, Severity(severity), int(count))


def marks_line(marks: Marks) -> str:
    """What people said, in escaped mrkdwn on one line; '' where nobody did."""
    said = []
    if marks.acknowledgement is not None:
        seen = marks.acknowledgement
        said.append(f"👀 acknowledged by {_name(seen.name)}, {date(seen.at)}")
    if marks.known_issue is not None:
        said.append(f"📌 known issue: {_issue(marks.known_issue.text)}")
    if marks.mute is not None:
        said.append(f"🔇 muted {mute_words(marks.mute)} by {_name(marks.mute.name)}")
    return "  ·  ".join(said)


def mute_words(mute: Mute) -> str:
    """For how long, in escaped mrkdwn."""
    return f"until {date(mute.until)}" if mute.until is not None else "until it gets worse"


def marks_blocks(marks: Marks) -> list[Block]:
    """A line of what people said, where they did."""
    line = marks_line(marks)
    return [parts.context(line, _MARKS_BLOCK)] if line else []


def buttons(told: Told, explain: str, similar: str, marks: Marks) -> Block:
    """The row of buttons below a finding.

    Args:
        told: Which finding.
        explain: The question of the Explain button.
        similar: What the Similar button looks for.
        marks: What was done already.
    """
    elements = [
        parts.button("Explain", EXPLAIN_ACTION, explain),
        parts.button("Similar", SIMILAR_ACTION, similar),
    ]
    if marks.acknowledgement is None:
        elements.append(parts.button("Acknowledge", ACKNOWLEDGE_ACTION, str(told)))
    known = "Known issue" if marks.known_issue is None else "Edit known issue"
    elements.append(parts.button(known, KNOWN_ACTION, str(told)))
    if marks.mute is None:
        elements.append(_mute_menu(told))
    else:
        elements.append(parts.button("Unmute", UNMUTE_ACTION, str(told)))
    return parts.actions(elements, _BUTTONS_BLOCK)


def remarked(message: Mapping[str, Any], told: Told, marks: Marks) -> Message:
    """A finding's message as Slack gave it, with its marks and buttons as they are now."""
    blocks: list[Block] = list(message.get("blocks") or [])
    old = next((block for block in blocks if block.get("block_id") == _MARKS_BLOCK), None)
    row = next((block for block in blocks if block.get("block_id") == _BUTTONS_BLOCK), {})
    values = {each["action_id"]: each.get("value", "") for each in row.get("elements", ())}
    # Without the ids that Slack gave them: it gives new ones, and two of a kind are refused.
    rest = [
        {key: value for key, value in block.items() if key != "block_id"}
        for block in blocks
        if block is not old and block is not row
    ]
    text = str(message.get("text") or "")
    if old is not None:
        text = text.removesuffix("\n" + str(old["elements"][0]["text"]))
    line = marks_line(marks)
    new = buttons(told, values.get(EXPLAIN_ACTION, ""), values.get(SIMILAR_ACTION, ""), marks)
    return parts.message(
        f"{text}\n{line}" if line else text,
        [*rest[:_MARKS_PLACE], *marks_blocks(marks), *rest[_MARKS_PLACE:], new],
    )


def holding(marks: Marks, now: datetime) -> Marks:
    """Without a mute whose time is over."""
    mute = marks.mute
    is_over = mute is not None and mute.until is not None and mute.until <= now
    return Marks(None if is_over else mute, marks.known_issue, marks.acknowledgement)


def chosen_mute(value: str) -> tuple[Told, timedelta | None]:
    """Which finding to mute, and for how long; None: until it gets worse."""
    return Told.read(value), MUTES[value.rpartition("/")[2]]


def muted_line(items: Sequence[DigestItem], shown: int) -> str:
    """What is muted, by workload: counted in full and named as far as it fits. Escaped mrkdwn."""
    if not items:
        return ""
    named = []
    for item in items[:shown]:
        owner, mute = item.finding.owner, item.marks.mute
        name = escape(clip(f"{owner.namespace}/{owner.name}".strip("/"), 80))
        reason = escape(clip(item.finding.reason, 40))
        how = f" {mute_words(mute)}" if mute is not None else ""
        named.append(f"{name} {reason}{how}")
    more = f" and {len(items) - shown} more" if len(items) > shown else ""
    return f"🔇 {len(items)} muted: {', '.join(named)}{more}"


def _mute_menu(told: Told) -> Block:
    options = [
        {
            "text": {"type": "plain_text", "text": _MUTE_WORDS.get(name, "until it gets worse")},
            "value": f"{told}/{name}",
        }
        for name in MUTES
    ]
    return {
        "type": "static_select",
        "action_id": MUTE_ACTION,
        "placeholder": {"type": "plain_text", "text": "Mute…"},
        "options": options,
    }


def _issue(text: str) -> str:
    if is_web_address(text):
        return link(text, clip(text.partition("//")[2], 60))
    return escape(clip(text, 200))


def _name(name: str) -> str:
    return escape(clip(name, 60)) or "somebody"

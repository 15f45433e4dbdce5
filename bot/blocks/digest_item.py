"""One finding in full: the reply in the digest's thread that an engineer acts on."""

from __future__ import annotations

from collections.abc import Sequence

from bot.blocks import parts
from bot.blocks.digest_marks import Told, buttons, marks_blocks, marks_line
from bot.blocks.digest_words import badges, count_and_change
from bot.blocks.parts import Block, Message
from bot.mrkdwn import (
    clip,
    clip_escaped,
    code,
    date,
    duration,
    escape,
    escape_markdown,
    fence,
    link,
)
from core.answers import Confidence
from core.digests import DigestItem, ItemState, Precedent
from core.sparkline import course

_SHOWN_EVIDENCE = 4
_SHOWN_LOG_LINES = 4
_SHOWN_AFFECTED = 8
_LINE_CHARS = 240
_CODE_CHARS = 60
_CERTAINTY = {
    Confidence.CONFIRMED: "confirmed by the evidence",
    Confidence.LIKELY: "likely",
    Confidence.UNKNOWN: "unconfirmed",
}


def item_message(item: DigestItem, schedule: str) -> Message:
    """Title, course, evidence, cause, what to do, one safe command, and what can be done here.

    Args:
        item: Any; one that is over is told in two lines.
        schedule: Whose digest tells it.
    """
    finding = item.finding
    title = f"{badges(item)}  *{escape(clip(_flat(finding.title), 200))}*"
    opening = f"{title}\n{_place(item)}"
    if item.state is ItemState.RESOLVED:
        # What to do about it matters no more.
        over = f"over  ·  first seen {date(item.since)}"
        return parts.message(f"{opening}\n{over}", [parts.section(opening), parts.context(over)])
    course = _course(item)
    evidence, advice, runbook = _evidence(item), _advice(item), _runbook(item)
    before = _before(item.precedent)
    affected = f"*Also affected*  {_names(item.affected)}" if item.affected else ""
    command = f"*Next, read-only*\n{_command(item)}" if item.next_command else ""
    blocks: list[Block] = [
        parts.section(opening),
        parts.context(course),
        *marks_blocks(item.marks),
    ]
    if evidence:
        blocks.append(parts.section(evidence))
    if advice:
        # Runbooks and models write Markdown.
        blocks.append(parts.markdown(escape_markdown(advice)))
    blocks += [parts.context(text) for text in (runbook, before) if text]
    blocks += [parts.section(text) for text in (affected, command) if text]
    told_as = Told.of(item, schedule)
    blocks.append(buttons(told_as, explain_question(item), similar_text(item), item.marks))
    marks = marks_line(item.marks)
    told = (opening, course, evidence, escape(advice), runbook, before, affected, command, marks)
    return parts.message("\n".join(text for text in told if text), blocks)


def briefs_message(items: Sequence[DigestItem]) -> Message:
    """Cause and next step of each item, for a preview, which has no thread."""
    briefs = [_brief(item) for item in items]
    room = parts.MARKDOWN_CHARS // max(1, len(items))
    blocks = [parts.markdown(clip_escaped(escape_markdown(brief), room)) for brief in briefs]
    return parts.message(escape("\n\n".join(briefs)), blocks)


def explain_question(item: DigestItem) -> str:
    """The question that the Explain button asks; it fits into the button's value."""
    finding = item.finding
    owner = finding.owner
    place = f"{owner.namespace}/{owner.name}" if owner.namespace else owner.name
    asked = (
        f"Why does {owner.kind} {place} have {finding.reason}, and what should I do? "
        f"The digest says: {_flat(finding.title)}."
    )
    proof = "; ".join(f"{proof.field}: {_flat(proof.value)}" for proof in finding.evidence[:3])
    asked = f"{asked} Evidence: {proof}" if proof else asked
    # What is folded under it is meant as well.
    hit = ", ".join(finding.members[:_SHOWN_AFFECTED])
    return clip(f"{asked} Also hit: {hit}" if hit else asked, 1_500)


def similar_text(item: DigestItem) -> str:
    """What the Similar button looks for: the error's own words."""
    finding = item.finding
    words = (finding.reason, _flat(finding.title), *map(_flat, finding.log_lines[:1]))
    return clip(" ".join(word for word in words if word), 500)


def _brief(item: DigestItem) -> str:
    """Markdown, not yet escaped."""
    lines = [f"{badges(item)} **{clip(_flat(item.finding.title), 200)}**"]
    if item.cause:
        lines.append(f"- {clip(_flat(item.cause), 300)} _({_CERTAINTY[item.confidence]})_")
    elif item.finding.evidence:
        proof = item.finding.evidence[0]
        lines.append(f"- `{clip(proof.field, 100)}` {clip(_flat(proof.value), 200)}")
    if item.suggestion:
        lines.append(f"- → {clip(_flat(item.suggestion), 400)}")
    if item.next_command:
        command = clip(_flat(item.next_command), 300).replace("`", "'")
        lines.append(f"- `{command}`")
    return "\n".join(lines)


def _place(item: DigestItem) -> str:
    owner = item.finding.owner
    facts = [code(clip(str(owner), 160))]
    if owner.cluster:
        facts.append(f"cluster {escape(clip(owner.cluster, 60))}")
    if item.finding.node:
        facts.append(f"on {escape(clip(item.finding.node, 60))}")
    if item.team:
        on_call = f", {escape(clip(item.on_call, 80))}" if item.on_call else ""
        facts.append(f"team {escape(clip(item.team, 60))}{on_call}")
    return "  ·  ".join(facts)


def _course(item: DigestItem) -> str:
    finding = item.finding
    facts = [f"{item.state.value} since {date(item.since)}", f"seen {count_and_change(item)}"]
    if item.is_unmuted:
        facts.insert(0, "🔔 no longer muted")
    bars = course(item.buckets)
    if bars:
        facts.append(bars)
    facts.append(f"last {date(finding.last_seen)}")
    return "  ·  ".join(facts)


def _evidence(item: DigestItem) -> str:
    finding = item.finding
    lines = [
        f"•  {code(clip(proof.field, 100))}  {_value(clip(_flat(proof.value), _LINE_CHARS))}"
        for proof in finding.evidence[:_SHOWN_EVIDENCE]
    ]
    if finding.log_lines:
        log = "\n".join(
            clip(line.rstrip(), _LINE_CHARS) for line in finding.log_lines[:_SHOWN_LOG_LINES]
        )
        lines.append(fence(log))
    if finding.members:
        lines.append(f"•  and {len(finding.members)} more: {_names(finding.members)}")
    return "\n".join(["*Evidence*", *lines]) if lines else ""


def _value(value: str) -> str:
    """A short value as code; a sentence as prose, for code does not wrap well."""
    return code(value) if len(value) <= _CODE_CHARS else escape(value)


def _advice(item: DigestItem) -> str:
    """Cause and suggestion, in Markdown, not yet escaped."""
    paragraphs = []
    if item.cause:
        certainty = _CERTAINTY[item.confidence]
        paragraphs += [f"**Probable cause** ({certainty})", clip(_flat(item.cause), 500)]
    if item.suggestion:
        paragraphs += ["**What to do**", clip(_flat(item.suggestion), 600)]
    return "\n\n".join(paragraphs)


def _runbook(item: DigestItem) -> str:
    if item.runbook is None:
        return ""
    title = clip(_flat(item.runbook.title or item.runbook.location), 120)
    return f"📖 Runbook: {link(item.runbook.url, title)}"


def _before(precedent: Precedent | None) -> str:
    """What was like it, when, and what helped then; in one line of escaped mrkdwn."""
    if precedent is None:
        return ""
    title = clip(_flat(precedent.title), 120)
    told = [f"🕘 Seen before: {link(precedent.url, title)}"]
    if precedent.happened_at is not None:
        lasted = f", for {duration(precedent.lasted)}" if precedent.lasted else ""
        told.append(f"{date(precedent.happened_at)}{lasted}")
    if precedent.helped:
        told.append(f"helped then: {escape(clip(_flat(precedent.helped), 300))}")
    return "  ·  ".join(told)


def _command(item: DigestItem) -> str:
    return fence(clip(item.next_command, 900))


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(escape(clip(name, 80)) for name in names[:_SHOWN_AFFECTED])
    left = len(names) - _SHOWN_AFFECTED
    return f"{shown} and {left} more" if left > 0 else shown


def _flat(text: str) -> str:
    return " ".join(text.split())

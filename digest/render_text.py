"""A digest as plain Markdown: for the terminal, and as the text beside Slack's blocks."""

from __future__ import annotations

from datetime import datetime, tzinfo

from core.digests import Digest, DigestItem, ItemState
from core.sparkline import course


def header(digest: Digest) -> str:
    """One line: "3 new, 1 regressed, 4 ongoing, 2 resolved", or that it is quiet.

    With gaps it never says that all is well.
    """
    parts = [f"{count} {state}" for state, count in digest.totals]
    if parts:
        return ", ".join(parts)
    if digest.gaps:
        return "nothing found where the bot could look"
    return "nothing critical"


def render_text(digest: Digest, zone: tzinfo) -> str:
    """The whole digest as Markdown.

    Args:
        digest: A posted one or a preview.
        zone: For the times in it.

    Returns:
        Lines that also read well in a terminal.
    """
    window = f"{_time(digest.window.start, zone)} – {_time(digest.window.end, zone)}"
    names = ", ".join(digest.clusters) or "no cluster could be read"
    lines = [f"**Digest: {header(digest)}**", f"{window} · {names}"]
    for number, item in enumerate(digest.items, start=1):
        lines += ["", *_item(number, item, zone)]
    if not digest.items:
        lines += ["", _quiet(digest)]
    if digest.rest:
        lines += ["", "Also found:"]
        lines += [f"- {_rest(item)}" for item in digest.rest]
    if digest.resolved:
        lines += ["", "Resolved:"]
        lines += [f"- {_flat(item.finding.title)}" for item in digest.resolved]
    for heading, items in (("Comes and goes", digest.flapping), ("Muted", digest.muted)):
        if items:
            lines += ["", f"{heading}: {'; '.join(_flat(item.finding.title) for item in items)}."]
    footer = _footer(digest)
    if footer:
        lines += ["", *footer]
    return "\n".join(lines) + "\n"


def _item(number: int, item: DigestItem, zone: tzinfo) -> list[str]:
    finding = item.finding
    change = f" ({item.count_change:+d})" if item.count_change else ""
    seen = f"{finding.owner} in {finding.owner.cluster} · seen {finding.count}×{change}"
    when = f"since {_time(item.since, zone)}, last {_time(finding.last_seen, zone)}"
    lines = [
        f"{number}. **{_flat(finding.title)}** [{finding.severity}, {item.state}]",
        f"   {seen} · {when}",
    ]
    bars = course(item.buckets)
    if bars:
        lines.append(f"   {bars}")
    owner = " · ".join(part for part in (item.team, item.on_call) if part)
    if owner:
        lines.append(f"   Owner: {owner}")
    if item.affected:
        lines.append(f"   Affects: {', '.join(item.affected[:8])}")
    if finding.evidence:
        proof = finding.evidence[0]
        lines.append(f"   Evidence: {proof.field} = {_flat(proof.value)}")
    if item.cause:
        lines.append(f"   Cause ({item.confidence}): {_flat(item.cause)}")
    if item.suggestion:
        lines.append(f"   Do: {_flat(item.suggestion)}")
    if item.runbook:
        lines.append(f"   Runbook: {item.runbook.title} ({item.runbook.location})")
    if item.precedent:
        helped = f": {_flat(item.precedent.helped)}" if item.precedent.helped else ""
        lines.append(f"   Seen before: {_flat(item.precedent.title)}{helped}")
    if item.next_command:
        lines.append(f"   Next: `{item.next_command}`")
    return lines


def _rest(item: DigestItem) -> str:
    finding = item.finding
    title = f"{_flat(finding.title)} [{finding.severity}, {item.state}]"
    return f"{title}, {finding.owner}, seen {finding.count}×"


def _quiet(digest: Digest) -> str:
    if digest.gaps:
        return "Nothing critical was found where the bot could look; see the gaps below."
    known = sum(count for state, count in digest.totals if state is not ItemState.RESOLVED)
    return "Nothing critical to list." if known else "Nothing critical."


def _footer(digest: Digest) -> list[str]:
    lines = [
        f"Not read: {gap.what} ({_flat(gap.why)}). {gap.remedy}".rstrip() for gap in digest.gaps
    ]
    lines += digest.notes
    if digest.model != "extractive":
        lines.append(f"Worded by {digest.model}.")
    return lines


def _time(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def _flat(text: str) -> str:
    return " ".join(text.split())

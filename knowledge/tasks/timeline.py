"""A timeline in words: what broke, the change just before, everything in order. Pure.

What stands just before a trouble is called likely and never proven: order in time is all there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from core.answers import Passage
from core.changes import Change, ChangeKind, Timeline, Trouble
from core.findings import ObjectRef
from knowledge.tasks.subject import live_passage

_OF_WORKLOADS = frozenset({ChangeKind.ROLLOUT, ChangeKind.RESTART, ChangeKind.JOB})
MOST_SHOWN = 12
MOST_CHARS = 230
# Events are kept for an hour unless a cluster says otherwise.
_EVENTS_LAST = timedelta(hours=1)
_HINT = "\n← marks what stands just before a trouble: likely behind it, not proven."
UNREAD = "Secrets are not read."
EVENTS_GONE = "What only Events tell (scaling, reboots) is known for about an hour."


def tell(found: Timeline, zone: tzinfo) -> str:
    """The headline with the suspects, then the line of time, the newest at the end."""
    parts = [_headline(found, zone), _suspected(found)]
    rows = _rows(found)
    shown = _shown(rows)
    lines = [f"- {when(row.at, found.seen_at, zone)} {row.text}" for row in shown]
    if lines:
        hidden = len(rows) - len(shown)
        label = f"**In order** (times in {zone_name(found.seen_at, zone)}"
        label += f", {hidden} left out)" if hidden else ")"
        parts.append("\n".join((label, *lines)))
    suspects = [trouble.suspect for trouble in found.troubles]
    if found.before is not None and found.before not in suspects:
        change = found.before
        ago = span(found.seen_at - change.at)
        parts.append(
            f"The last rollout before that was {ago} ago: {_name(found, change)}{_what(change)}."
        )
    is_long = found.seen_at - found.window.start > _EVENTS_LAST
    parts.append(f"_{UNREAD}{' ' + EVENTS_GONE if is_long else ''}_")
    return "\n\n".join(part for part in parts if part)


def _headline(found: Timeline, zone: tzinfo) -> str:
    place = place_of(found.about)
    period = _period(found, zone)
    count = len(found.changes)
    changed = f"{count or 'No'} change{'' if count == 1 else 's'} {period}"
    if not found.troubles and found.gaps:
        # What was not read proves nothing to be absent.
        return f"**{changed} seen in {place}, but not all of it could be read.** [1]"
    if not found.troubles:
        return f"**{changed} in {place}; nothing is broken there now.** [1]"
    if len(found.troubles) == 1:
        trouble = found.troubles[0]
        ago = span(found.seen_at - trouble.at)
        since = when(trouble.at, found.seen_at, zone)
        return f"**{_title(trouble)}, since {since} ({ago} ago).** [1]"
    many = f"{len(found.troubles)} things are broken in {place}; {changed[0].lower()}{changed[1:]}"
    hint = "" if not any(t.suspect for t in found.troubles) else _HINT
    return f"**{many}.** [1]{hint}"


def _period(found: Timeline, zone: tzinfo) -> str:
    """The window in words: "in the last 24 h" up to now, else from when to when."""
    start, end = found.window.start, found.window.end
    if found.seen_at - timedelta(minutes=1) <= end:
        return f"in the last {span(found.seen_at - start)}"
    return f"from {when(start, found.seen_at, zone)} to {when(end, found.seen_at, zone)}"


def _suspected(found: Timeline) -> str:
    """The likely cause of a single trouble; those of several stand in the line of time."""
    if len(found.troubles) != 1:
        return ""
    trouble = found.troubles[0]
    if trouble.suspect is None:
        return "No change that I can see stands just before it."
    gap = gap_before(trouble, trouble.suspect)
    if trouble.suspect.at in found.window:
        return f"**Likely behind it, not proven:** the change marked ←, {gap}."
    return f"**Likely behind it, not proven:** {gap}: {told_change(trouble.suspect)}."


def gap_before(trouble: Trouble, change: Change) -> str:
    """How long a change stands before a trouble: "3 min before"."""
    gap = trouble.at - change.at
    return "at the same moment" if gap < timedelta(seconds=60) else f"{span(gap)} before"


def told_change(change: Change, *, is_whole: bool = True) -> str:
    """A change with its object and who made it: "cart rolled out … (by `helm`)"."""
    what = change.what if is_whole else change.what.partition(": ")[0]
    kind = "" if change.kind in _OF_WORKLOADS else f"{change.object.kind} "
    by = f" (by {_code(change.by)})" if change.by else ""
    return f"{kind}{change.object.name} {_clip(what)}{by}"


@dataclass(frozen=True, slots=True, order=True)
class _Row:
    """A line of the line of time; of one moment the change comes before the trouble."""

    at: datetime
    is_trouble: bool
    text: str
    is_suspect: bool = False


def _shown(rows: Sequence[_Row]) -> list[_Row]:
    """The troubles with their suspects, and of the rest the newest there is room for."""
    rest = [row for row in rows if not (row.is_trouble or row.is_suspect)]
    room = max(0, MOST_SHOWN - (len(rows) - len(rest)))
    kept = rest[len(rest) - room :] if room else []
    return [row for row in rows if row.is_trouble or row.is_suspect or row in kept][
        -2 * MOST_SHOWN :
    ]


def _rows(found: Timeline) -> list[_Row]:
    suspects: dict[int, list[str]] = {}
    for trouble in found.troubles:
        if trouble.suspect is not None:
            names = suspects.setdefault(_key(trouble.suspect), [])
            names.append(trouble.finding.owner.name)
    rows: list[_Row] = []
    for change in found.changes:
        behind = suspects.get(_key(change))
        by = f" · {_code(change.by)}" if change.by else ""
        mark = ""
        if behind:
            mark = " ← likely" if len(found.troubles) == 1 else f" ← likely: {', '.join(behind)}"
        text = f"{_name(found, change)}{_what(change)}{by}{mark}"
        rows.append(_Row(change.at, is_trouble=False, text=text, is_suspect=bool(behind)))
    for trouble in found.troubles:
        # What broke before is broken still.
        if trouble.at < found.window.end:
            text = f"✗ **broke:** {_title(trouble)}{_earlier(found, trouble)}"
            rows.append(_Row(trouble.at, is_trouble=True, text=text))
    return sorted(rows)


def _earlier(found: Timeline, trouble: Trouble) -> str:
    """The suspect of one of several troubles, where the line of time begins after it."""
    suspect = trouble.suspect
    if suspect is None or len(found.troubles) == 1 or suspect.at in found.window:
        return ""
    told = told_change(suspect, is_whole=False)
    return f" ← likely, {gap_before(trouble, suspect)}: {told}"


def _key(change: Change) -> int:
    return hash((change.at, change.kind, change.object.name, change.what))


def _name(found: Timeline, change: Change) -> str:
    """Whose change it is, where it is not that of the object that was asked about."""
    ref = change.object
    if ref.name == found.about.name:
        return ""
    is_workload = ref.kind in {"Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"}
    return f"**{ref.name}** " if is_workload else f"**{ref.kind} {ref.name}** "


def _what(change: Change) -> str:
    return _clip(change.what)


def _title(trouble: Trouble) -> str:
    return _clip(trouble.finding.title)


def _clip(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MOST_CHARS else f"{flat[: MOST_CHARS - 1]}…"


def _code(manager: str) -> str:
    """A field manager's name, which is whatever its client chose to send."""
    return f"`{' '.join(manager.split()).replace('`', chr(39))[:60]}`"


def place_of(about: ObjectRef) -> str:
    """A short name: "shop/payments", "namespace shop", "node worker-2"."""
    if about.kind in {"Namespace", "Node"}:
        return f"{about.kind.lower()} {about.name}"
    return f"{about.namespace}/{about.name}"


def when(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """A time of today as "19:33", else with its day: "Sat 21 Nov 19:33"."""
    local = moment.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return f"{local:%H:%M}"
    return f"{local:%a %-d %b %H:%M}"


def zone_name(now: datetime, zone: tzinfo) -> str:
    """What the zone is called now: "UTC", "CET"."""
    return now.astimezone(zone).tzname() or "local time"


def span(length: timedelta) -> str:
    """A length of time as people say it: "40 s", "25 min", "2 h 57 min", "3 d"."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{hours // 24} d"


def changes_passage(found: Timeline) -> Passage:
    """Every change with its proof, as evidence to be read and cited."""
    lines = [f"Changes of {found.about}, oldest first."]
    for change in found.changes:
        by = f" by {change.by}" if change.by else ""
        proof = "; ".join(f"{item.field}: {item.value}" for item in change.evidence)
        lines.append(f"{change.at:%Y-%m-%d %H:%M} {change.object} {change.what}{by} ({proof}).")
    return live_passage(found.about, "changes", f"Changes of {found.about}", lines, found.seen_at)

"""The steps of an investigation in words, and its report: the verdict first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from enum import StrEnum

from core.answers import Confidence, Passage
from core.changes import Change, ChangeKind, Timeline
from core.inspections import Inspection, LogsRead
from core.questions import Intent, Reading
from knowledge.blocks import BlockKind, blocks
from knowledge.nextcommand import next_command
from knowledge.quoting import fact_lines, line
from knowledge.tasks.subject import live_passage
from knowledge.tasks.timeline import changes_passage, gap_before, span, told_change, when
from knowledge.tasks.verdict import Upstream, Verdict

MOST_CHARS = 120
MOST_FIXES = 3


class Mark(StrEnum):
    """How a step ended: nothing wrong there, something found, could not be looked at."""

    FINE = "✓"
    FOUND = "⚠️"
    UNREAD = "–"


@dataclass(frozen=True, slots=True)
class Step:
    """A step that has ended.

    Attributes:
        name: "status", "events", "logs", "changes", "dependencies" or "runbook".
        text: What it found, in one line.
        passage: What it rests on, to be cited.
    """

    name: str
    mark: Mark
    text: str
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is told at the end.

    Attributes:
        state: How the object stands, in one sentence.
        metric: A series that shows the trouble, if there is one.
        words: What a model said of it, checked, or ''.
        is_ill: Whether something is wrong with the object itself, so that a fix is of use.
        command: A command that only reads and looks at the suspect, or ''.
    """

    state: str
    steps: tuple[Step, ...]
    verdict: Verdict
    reading: Reading
    metric: Passage | None = None
    is_ill: bool = True
    words: str = ""
    command: str = ""


def status_step(found: Inspection) -> Step:
    """How the object stands."""
    if not found.lines:
        return Step("status", Mark.UNREAD, _clip(found.state.rstrip(".")))
    passage = live_passage(found.about, "", str(found.about), found.lines, found.seen_at)
    if not found.findings:
        return Step("status", Mark.FINE, _clip(found.state), passage)
    # The finding leads the report; here stand the numbers.
    start = f"{found.about}: "
    counts = next((text for text in found.lines if text.startswith(start)), "")
    text = counts.removeprefix(start).rstrip(".") or found.findings[0].title
    return Step("status", Mark.FOUND, _clip(text), passage)


def events_step(found: Inspection) -> Step:
    """The newest warning; its words stand in the passage of the status."""
    if not found.lines:
        return Step("events", Mark.UNREAD, "could not be read")
    if not found.events:
        return Step("events", Mark.FINE, "no warnings within what is kept (about an hour)")
    count = len(found.events)
    more = f" (and {count - 1} more)" if count > 1 else ""
    return Step("events", Mark.FOUND, _clip(found.events[0].removeprefix("Event ")) + more)


def logs_step(found: LogsRead, inspection: Inspection) -> Step:
    """The errors, those of the crashed instance first."""
    if not found.read:
        why = found.gaps[0].why if found.gaps else "no container has written one"
        return Step("logs", Mark.UNREAD, _clip(f"none could be read: {why}"))
    lines = [
        f"{item.count} times{' before the restart' if item.is_previous else ''}: {item.text}"
        for item in found.errors
    ]
    if found.last_words:
        lines.append(f"Last line before the end: {found.last_words}")
    about = inspection.about
    passage = live_passage(
        about, "log", f"Log of {about.namespace}/{about.name}", lines, inspection.seen_at
    )
    if found.errors:
        worst = found.errors[0]
        where = "before the restart" if worst.is_previous else "now"
        text = f"`{_code(worst.text)}` ({worst.count}×, {where})"
        more = len(found.errors) - 1
        text += f" and {more} more kind{'' if more == 1 else 's'}" if more else ""
        return Step("logs", Mark.FOUND, text, passage)
    if found.last_words:
        return Step("logs", Mark.FOUND, f"ended with `{_code(found.last_words)}`", passage)
    return Step("logs", Mark.FINE, f"no errors in {found.read} log{'' if found.read == 1 else 's'}")


def changes_step(found: Timeline, zone: tzinfo) -> Step:
    """The suspect, else the newest change."""
    trouble = found.troubles[0] if found.troubles else None
    if trouble is not None and trouble.suspect is not None:
        at = when(trouble.suspect.at, found.seen_at, zone)
        change = told_change(trouble.suspect, is_whole=False)
        told = f"{at}, {gap_before(trouble, trouble.suspect)}: {change}"
        return Step("changes", Mark.FOUND, _clip(told), changes_passage(found))
    acts = [change for change in found.changes if change.kind is not ChangeKind.RESTART]
    if acts:
        ago = span(found.seen_at - acts[-1].at)
        none = "none just before the trouble; " if found.troubles else ""
        text = f"{none}last, {ago} ago: {told_change(acts[-1], is_whole=False)}"
        return Step("changes", Mark.FINE, _clip(text), changes_passage(found))
    if found.gaps:
        return Step(
            "changes", Mark.UNREAD, _clip(f"could not be read in full: {found.gaps[0].why}")
        )
    hours = span(found.seen_at - found.window.start)
    return Step("changes", Mark.FINE, f"none in the last {hours}")


def dependencies_step(
    found: Sequence[Upstream], count: int, passage: Passage | None, *, is_read: bool = True
) -> Step:
    """What it needs that is in trouble or has changed."""
    if passage is None:
        return Step("dependencies", Mark.UNREAD, "the service graph knows nothing that it needs")
    told = [
        f"{item.service}: {item.finding.title.removeprefix(f'{item.service}: ')}"
        if item.finding
        else f"{item.service} changed: {item.change.what if item.change else ''}"
        for item in found
    ]
    if not told and not is_read:
        return Step(
            "dependencies", Mark.UNREAD, f"it needs {count}; how they are is unread", passage
        )
    if not told:
        return Step("dependencies", Mark.FINE, f"no trouble known of the {count} it needs", passage)
    return Step("dependencies", Mark.FOUND, _clip("; ".join(told)), passage)


def runbook_step(passage: Passage | None, *, has_gap: bool) -> Step:
    """The page on it."""
    if passage is not None:
        return Step("runbook", Mark.FINE, _clip(passage.title), passage)
    if has_gap:
        return Step("runbook", Mark.UNREAD, "the documents could not be searched")
    return Step("runbook", Mark.UNREAD, "no page is about this")


_SURE = {
    Confidence.CONFIRMED: "Verdict (confirmed)",
    Confidence.LIKELY: "Verdict (likely, not proven)",
    Confidence.UNKNOWN: "Verdict (cause unknown)",
}


def tell(report: Report) -> tuple[str, tuple[Passage, ...]]:
    """The report and the passages that it cites, in the order of their numbers."""
    passages = tuple(step.passage for step in report.steps if step.passage)
    numbers = {passage.id: n for n, passage in enumerate(passages, start=1)}
    marks = {step.name: f"[{numbers[step.passage.id]}]" for step in report.steps if step.passage}
    said = "".join(marks.get(name, "") for name in report.verdict.steps)
    label = _SURE[report.verdict.confidence]
    parts = [
        f"**{report.state.rstrip('.')}.** {marks.get('status', '')}".rstrip(),
        f"**{label}:** {report.verdict.why} {said}".rstrip(),
    ]
    if report.metric is not None:
        passages = (*passages, report.metric)
        parts.append(f"**Metrics** {line(fact_lines(report.metric)[0], len(passages), 60)}")
    if report.words:
        parts.append(report.words)
    parts.append("\n".join(("**Checked**", *(_line(step, marks) for step in report.steps))))
    runbook = next((step.passage for step in report.steps if step.name == "runbook"), None)
    if runbook is not None and report.is_ill:
        parts.append(_fixes(runbook, numbers[runbook.id]))
    parts.append(report.command or _look_again(report.reading, passages))
    return "\n\n".join(part for part in parts if part), passages


def command_for(suspect: Change | None) -> str:
    """Looks at what is suspected: the revisions of a rollout, a ConfigMap, a node."""
    if suspect is None:
        return ""
    ref = suspect.object
    place = f"-n {ref.namespace} " if ref.namespace else ""
    if suspect.kind is ChangeKind.ROLLOUT:
        command = f"kubectl {place}rollout history {ref.kind.lower()}/{ref.name}"
    elif ref.kind == "ConfigMap":
        command = f"kubectl {place}get configmap {ref.name} -o yaml"
    else:
        command = f"kubectl {place}describe {ref.kind.lower()} {ref.name}"
    return f"**Next, only reads**\n```\n{command}\n```"


def _look_again(reading: Reading, passages: Sequence[Passage]) -> str:
    """A command that looks at the object itself."""
    facts = [(n, p) for n, p in enumerate(passages, start=1) if p.source == "cluster"]
    asks_why = replace(reading, intents=frozenset({Intent.WHY}))
    return next_command(asks_why, facts, [], "")


def _line(step: Step, marks: dict[str, str]) -> str:
    told = f"- {step.mark} **{step.name.capitalize()}** {step.text}"
    return f"{told} {marks.get(step.name, '')}".rstrip()


def _fixes(runbook: Passage, number: int) -> str:
    """The first steps of the page's section."""
    told = [
        line(block.text.rstrip(": ") + ("" if block.text.endswith(".") else "."), number)
        for block in blocks(runbook.text)
        if block.kind in {BlockKind.STEP, BlockKind.BULLET}
    ]
    if not told:
        return ""
    return "\n".join(
        ("**The runbook says**", *(f"{at}. {text}" for at, text in enumerate(told[:MOST_FIXES], 1)))
    )


def _code(text: str) -> str:
    return _clip(text).replace("`", "'")


def _clip(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MOST_CHARS else f"{flat[: MOST_CHARS - 1]}…"

"""Puts a digest together: ranks, searches, words. No failure here keeps it from going out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from core.answers import Gap, Lookup, Scope
from core.digests import Digest, DigestItem, ItemState, Ownership, Precedent, Wording
from core.errors import OpsbotError
from core.findings import Collected, Finding, Severity
from core.questions import Reading, TimeRange
from digest.compose import compose, search_text
from digest.diff import Change, Diff
from digest.ports import Owners, Runbooks, Wordsmith
from digest.precedents import Precedents
from digest.rank import rank

EXTRACTIVE = "extractive"


@dataclass(frozen=True, slots=True)
class DigestConfig:
    """Limits of a digest.

    Attributes:
        max_items: Listed at most; the rest is counted.
        window_limit_hours: A window never reaches further back.
        minimum_severity: Listed from here on; medium ones below it are counted.
        default_schedule: Whose history a preview compares with.
        scope: What the ops channel may see.
        search_timeout_seconds: For all runbook searches of one digest together, and likewise for
            what was like its items.
        wording_timeout_seconds: For the model.
        is_silent_when_quiet: Nothing is posted where there is nothing to tell.
        has_chart: Errors over the window are counted, for a picture.
        team_channels: Channels of teams that get their part as well, by the team's name.
    """

    max_items: int = 10
    window_limit_hours: float = 24
    minimum_severity: Severity = Severity.HIGH
    default_schedule: str = "default"
    scope: Scope = Scope()  # noqa: RUF009  (frozen)
    search_timeout_seconds: float = 20.0
    wording_timeout_seconds: float = 60.0
    is_silent_when_quiet: bool = False
    has_chart: bool = True
    team_channels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a digest is of, before its items are known; as in `core.digests.Digest`."""

    schedule: str
    slot: str
    window: TimeRange
    scope: Scope
    notes: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    full_ts: str = ""
    error_counts: tuple[tuple[datetime, int], ...] = ()


class Assembler:
    """Turns changes into a Digest by way of the runbooks, the service graph and the model."""

    def __init__(  # noqa: PLR0917  (built once for each schedule, from its collaborators)
        self,
        owners: Owners,
        runbooks: Runbooks,
        precedents: Precedents,
        wordsmith: Wordsmith | None,
        reader: Callable[[str], Reading],
        config: DigestConfig,
    ) -> None:
        self._owners = owners
        self._runbooks = runbooks
        self._precedents = precedents
        self._wordsmith = wordsmith
        self._reader = reader
        self._config = config

    async def assemble(self, frame: Frame, collected: Collected, changes: Diff) -> Digest:
        """The whole digest. What cannot be searched or worded becomes a gap or a note."""
        config = self._config
        listable, quiet = _split(changes.active, config.minimum_severity)
        loud = [change for change in listable if not _only_flaps(change)]
        flapping = [change for change in listable if _only_flaps(change)]
        muted, _ = _split(changes.muted, config.minimum_severity)
        # Who is hit takes milliseconds for each in a large graph, so it does not hold the loop.
        owned = await asyncio.to_thread(self._owned, (*changes.active, *muted, *changes.resolved))
        ranked = rank(loud, {key: len(known.affected) for key, known in owned.items()})
        listed, rest = ranked[: config.max_items], ranked[config.max_items :]
        findings = [change.finding for change in listed]
        asked = [(each, self._reader(search_text(each))) for each in findings]
        (lookups, search_gaps), (precedents, past_gaps) = await asyncio.gather(
            self._search(asked, frame.scope), self._alike(asked, frame)
        )
        wordings, model, model_note = await self._word(findings, lookups)
        over, _ = _split(changes.resolved, config.minimum_severity)
        states = Counter(change.state for change in (*changes.active, *changes.resolved))
        return Digest(
            frame.schedule,
            frame.slot,
            frame.window,
            tuple(_item(change, lookups, owned, wordings, precedents) for change in listed),
            resolved=_brief(over, owned)[: config.max_items],
            totals=tuple((state, states[state]) for state in ItemState if states[state]),
            model=model,
            gaps=_unique((*collected.gaps, *frame.gaps, *search_gaps, *past_gaps)),
            notes=(*frame.notes, *_notes(changes), *((model_note,) if model_note else ())),
            clusters=collected.clusters,
            muted=_brief(muted, owned),
            flapping=_brief(flapping, owned),
            full_ts=frame.full_ts,
            error_counts=frame.error_counts,
            rest=(*_brief(rest, owned), *_brief(quiet, owned)),
        )

    def _owned(self, changes: Sequence[Change]) -> dict[str, Ownership]:
        return {
            change.finding.identity: self._owners.ownership(change.finding.owner)
            for change in changes
        }

    async def _alike(
        self, asked: Sequence[tuple[Finding, Reading]], frame: Frame
    ) -> tuple[Mapping[str, Precedent], tuple[Gap, ...]]:
        limit = self._config.search_timeout_seconds
        try:
            async with asyncio.timeout(limit):
                return await self._precedents.of(asked, frame.schedule, frame.scope)
        except TimeoutError:
            why = f"no answer within {limit:g} s"
            return {}, (Gap("similar incidents", why, "See the bot's status."),)

    async def _search(
        self, asked: Sequence[tuple[Finding, Reading]], scope: Scope
    ) -> tuple[dict[str, Lookup], list[Gap]]:
        tasks = {
            finding.identity: asyncio.create_task(self._look(reading, scope))
            for finding, reading in asked
        }
        if not tasks:
            return {}, []
        try:
            _, late = await asyncio.wait(
                tasks.values(), timeout=self._config.search_timeout_seconds
            )
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
        lookups = {
            identity: task.result() for identity, task in tasks.items() if not task.cancelled()
        }
        gaps = [gap for lookup in lookups.values() for gap in lookup.gaps]
        if late:
            limit = timedelta(seconds=self._config.search_timeout_seconds)
            why = f"no answer within {limit.total_seconds():g} s"
            gaps.append(Gap("documentation search", why, "See the bot's status."))
        return lookups, gaps

    async def _look(self, reading: Reading, scope: Scope) -> Lookup:
        try:
            return await self._runbooks.look(reading, scope)
        except OpsbotError as error:
            return Lookup(gaps=(Gap("documentation search", error.wrong, error.remedy),))

    async def _word(
        self, findings: Sequence[Finding], lookups: Mapping[str, Lookup]
    ) -> tuple[Mapping[str, Wording], str, str]:
        if self._wordsmith is None or not findings:
            return {}, EXTRACTIVE, ""
        pairs = [(each, lookups.get(each.identity, Lookup())) for each in findings]
        try:
            async with asyncio.timeout(self._config.wording_timeout_seconds):
                wordings, note = await self._wordsmith.word(pairs)
        except TimeoutError:
            return {}, EXTRACTIVE, "The model took too long; causes are quoted, not worded."
        return wordings, self._wordsmith.model if wordings else EXTRACTIVE, note


def _item(
    change: Change,
    lookups: Mapping[str, Lookup],
    owned: Mapping[str, Ownership],
    wordings: Mapping[str, Wording],
    precedents: Mapping[str, Precedent],
) -> DigestItem:
    identity = change.finding.identity
    return compose(
        change,
        lookups.get(identity, Lookup()),
        owned.get(identity, Ownership()),
        wordings.get(identity),
        precedents.get(identity),
    )


def _brief(changes: Sequence[Change], owned: Mapping[str, Ownership]) -> tuple[DigestItem, ...]:
    """Items that are told by their name alone: they need no search, and not all that is hit."""
    teams = {key: replace(known, affected=()) for key, known in owned.items()}
    return tuple(_item(change, {}, teams, {}, {}) for change in rank(changes, {}))


def _only_flaps(change: Change) -> bool:
    """It comes and goes as it did; one that also gets worse is told as such."""
    return change.is_flapping and change.state is ItemState.ONGOING and not change.is_unmuted


def _split(changes: Sequence[Change], floor: Severity) -> tuple[list[Change], list[Change]]:
    loud = [change for change in changes if change.finding.severity.rank <= floor.rank]
    quiet = [change for change in changes if change.finding.severity.rank > floor.rank]
    return loud, quiet


def _unique(gaps: Sequence[Gap]) -> tuple[Gap, ...]:
    """Each place once: ten items search the same documentation."""
    return tuple({(gap.what, gap.why): gap for gap in gaps}.values())


def _notes(changes: Diff) -> list[str]:
    notes: list[str] = []
    if changes.recovering:
        looks = "problem looks" if changes.recovering == 1 else "problems look"
        notes.append(f"{changes.recovering} {looks} healthy now and will be checked again.")
    if changes.unread:
        was = "problem could" if changes.unread == 1 else "problems could"
        notes.append(f"{changes.unread} known {was} not be looked at again; nothing is said of it.")
    return notes


def missed_note(last: datetime | None, start: datetime, limit_hours: float) -> tuple[str, ...]:
    """What a digest tells of the time that no window covers, between the last one and its own."""
    if last is None or last >= start:
        return ()
    hours = (start - last).total_seconds() / 3600
    missed = f"{hours:.0f} hours" if hours >= 1.5 else f"{hours * 60:.0f} minutes"
    older = f"The last digest is older than {limit_hours:g} hours"
    return (f"{older}; {missed} before this were not looked at.",)

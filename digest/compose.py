"""A changed finding, with all that an on-call engineer needs beside it. Pure."""

from __future__ import annotations

from core.answers import Confidence, Lookup
from core.digests import DigestItem, Ownership, Precedent, Wording
from core.findings import Finding
from digest.causes import next_command, own_cause, problem_of
from digest.diff import Change
from digest.extract import choose_runbook, cite, first_step, runbook_cause


def search_text(finding: Finding) -> str:
    """What to look for in the runbooks: names and the words of the evidence, no identities."""
    told = " ".join(item.value for item in finding.evidence[:3])
    logged = " ".join(finding.log_lines[:1])
    parts = (finding.owner.name, finding.reason, finding.title, told[:300], logged[:200])
    return " ".join(" ".join(part for part in parts if part).split())


def compose(
    change: Change,
    lookup: Lookup,
    ownership: Ownership,
    wording: Wording | None,
    precedent: Precedent | None = None,
) -> DigestItem:
    """Build one item.

    Without a wording, the cause is what the evidence proves, else a sentence of the runbook; the
    suggestion is the runbook's first step.

    Args:
        change: The finding and its state.
        lookup: What was found on it in writing; its passages may be of any kind.
        ownership: What the service graph knows of its owner.
        wording: What the model says, already checked, or None.
        precedent: What was like it, or None.
    """
    finding = change.finding
    words = (*problem_of(finding).words, finding.reason.lower())
    pages = choose_runbook(lookup.passages, ownership.runbook, [word for word in words if word])
    cause, confidence = own_cause(finding)
    told = runbook_cause(pages, words)
    if confidence is not Confidence.CONFIRMED and told:
        cause, confidence = (f"{cause} {told}" if cause else told), Confidence.LIKELY
    suggestion = first_step(pages)
    if wording is not None:
        cause = wording.cause or cause
        suggestion = wording.suggestion or suggestion
        if confidence is Confidence.UNKNOWN and wording.cause:
            confidence = Confidence.LIKELY
    return DigestItem(
        finding,
        change.state,
        change.since,
        count_change=change.count_change,
        buckets=change.buckets,
        team=ownership.team,
        on_call=ownership.on_call,
        affected=ownership.affected,
        cause=cause,
        confidence=confidence,
        runbook=cite(pages, ownership.runbook),
        suggestion=suggestion,
        next_command=next_command(finding),
        marks=change.marks,
        is_unmuted=change.is_unmuted,
        was_listed=change.was_listed,
        precedent=precedent,
    )

"""Tells the text of an alert from a person's question, and leaves out what alerts fill in. Pure.

They want different things. An alert has one page, whose name or title says what happened; a
question is about a subject, and the pages that others point to for that subject answer it.
"""

from __future__ import annotations

import re

# Somebody speaks: asks, tells of themselves, shows code, or wants something changed.
_VOICE = re.compile(
    r"\?|\b(?:I|I'm|I've|my|me|we|our|us)\b|```"
    r"|^\W*(?:how|why|what|which|when|where|who|can|could|does|do|is|are|should"
    r"|add|allow|support|feat|fix|introduce|improve|update)\b",
    re.IGNORECASE,
)
# What an alert's template filled in, or how alerts tell a state.
_ALERT = re.compile(
    r"\b\d+(?:\.\d+)?%"
    r"|\b(?:for|in|over|within|during|than) (?:the )?(?:last |past |next )?"
    r"(?:more than |longer than |over |at least )?\d+\s?(?:[smhd]|sec|min|minute|hour|day)"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}"
    r"|\b[a-z0-9-]+/[a-z0-9-]+\b"
    r"|\bcluster [a-z]+-[a-z]*\d\b"
    r"|\btoo (?:high|many|large|long)\b"
    r"|\bha(?:s|ve) (?:been|not|reported|failed|disappeared|lost)\b"
    r"|\bis (?:down|failing|missing|degraded|misconfigured|stale|about to|predicted)\b"
    r"|\bare (?:down|failing|delayed|missing)\b"
    r"|\bexceeded\b|\bcritical\b|\bunhealthy\b",
    re.IGNORECASE,
)
# "KubePodCrashLooping:", not "error:".
_NAME_FIRST = re.compile(r"^[A-Z][A-Za-z0-9]*[a-z0-9][A-Z]\w*:")
_IDENTIFIER = re.compile(
    r"https?://\S+"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-\S{10,}"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"
    r"|\b\d+(?:\.\d+)?\s?%"
    r"|\bhost-\d+\S*"
)
_POD = re.compile(r"\b(?:[\w.]+(?:-[\w.]+)*/)?([a-z0-9][a-z0-9-]*?)-[a-f0-9]{8,10}-[a-z0-9]{5}\b")


def is_alert(text: str) -> bool:
    """Whether a text is an alert's rather than a person's question; the name alone is enough."""
    if _NAME_FIRST.match(text):
        return True
    return not _VOICE.search(text) and _ALERT.search(text) is not None


def without_identifiers(text: str) -> str:
    """Addresses, shares and ids left out, pods called by their workload: no page holds them.

    Only for a search by words: rare terms outweigh telling ones there. An encoder reads over them
    better than over the holes they leave.
    """
    return _POD.sub(r"\1", _IDENTIFIER.sub(" ", text))

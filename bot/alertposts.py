"""Messages in which Alertmanager, Grafana or PagerDuty tell Slack of an alert. Pure.

They are told by what these programs put there by default: a status in front of the title, a link
back to the program. Where a template of one's own has neither, a message is none of them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.threads import words_of

_MOST_CHARS = 1_500
# "[FIRING:2, RESOLVED:1] KubePodCrashLooping shop (critical)"; "[Alerting]" of an older Grafana.
_STATUS = re.compile(
    r"^\W*\[(?P<status>FIRING|ALERTING|NO ?DATA|RESOLVED|OK)\b[^\]]*\]\s*(?P<title>.*)",
    re.IGNORECASE | re.DOTALL,
)
_OVER = frozenset({"resolved", "ok"})
_ALERTMANAGER = re.compile(r"/#/alerts\?receiver=", re.IGNORECASE)
_OVER_COLOURS = frozenset({"good", "2eb886", "36a64f"})
_PAGERDUTY = re.compile(
    r"https://[\w.-]+\.pagerduty\.com/incidents/(?P<id>[A-Z0-9]+)", re.IGNORECASE
)
# What its message opens with once somebody has it, or it is over.
_PAGERDUTY_LATER = re.compile(
    r"^\W*(?:acknowledged|resolved|reassigned|escalated|snoozed|reopened|merged)\b"
    r"|\bstatus:?\*?\s*(?:acknowledged|resolved)\b",
    re.IGNORECASE,
)
# Labels that a group's alerts share: they come and go with the group's alerts.
_SHARED_LABELS = re.compile(r"\s*\([^()]*\)\s*$")


class Sender(StrEnum):
    """The program that tells."""

    ALERTMANAGER = "alertmanager"
    GRAFANA = "grafana"
    PAGERDUTY = "pagerduty"


@dataclass(frozen=True, slots=True)
class AlertPost:
    """An alert as it was posted.

    Attributes:
        identity: The same for every message about the same alert.
        title: One line, without its status.
        text: Title and what else the message says; untrusted.
        is_firing: False for what only tells that somebody has it, or that it is over.
    """

    sender: Sender
    identity: str
    title: str
    text: str
    is_firing: bool


def alert_of(message: Mapping[str, Any]) -> AlertPost | None:
    """The alert that a bot posted to a channel, or None: replies, edits and people's are none."""
    is_reply = message.get("thread_ts") not in {None, message.get("ts")}
    if not message.get("bot_id") or message.get("hidden") or message.get("edited") or is_reply:
        return None
    lines = [words for words in map(words_of, _texts(message)) if words]
    if not lines:
        return None
    text = "\n".join(dict.fromkeys(lines))
    paged = _PAGERDUTY.search(json.dumps(message))
    if paged:
        is_later = any(_PAGERDUTY_LATER.search(line) for line in lines)
        title = " ".join(lines[0].split())
        return _post(Sender.PAGERDUTY, paged["id"], title, text, is_firing=not is_later)
    told = next((found for line in lines if (found := _STATUS.match(line))), None)
    if told is not None:
        title = " ".join(told["title"].split("\n")[0].split())
        is_firing = told["status"].casefold() not in _OVER
        sender = Sender.GRAFANA if _is_grafana(message) else Sender.ALERTMANAGER
        named = _SHARED_LABELS.sub("", title) or title
        return _post(sender, named, named, text, is_firing)
    if _ALERTMANAGER.search(json.dumps(message)):
        colours = {str(part.get("color") or "").lower().lstrip("#") for part in _attached(message)}
        title = " ".join(lines[0].split())
        is_firing = not colours & _OVER_COLOURS
        return _post(Sender.ALERTMANAGER, title, title, text, is_firing)
    return None


def _post(sender: Sender, identity: str, title: str, text: str, is_firing: bool) -> AlertPost:
    digest = hashlib.sha256(f"{sender}\0{identity}".encode()).hexdigest()[:32]
    without_status = "\n".join(_without_status(line) for line in text.splitlines())
    return AlertPost(sender, digest, title[:300], without_status[:_MOST_CHARS], is_firing)


def _without_status(line: str) -> str:
    told = _STATUS.match(line)
    return told["title"] if told else line


def _is_grafana(message: Mapping[str, Any]) -> bool:
    return any(
        "grafana" in f"{part.get('footer')} {part.get('title_link')}".casefold()
        for part in _attached(message)
    )


def _attached(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [part for part in message.get("attachments") or () if isinstance(part, Mapping)]


def _texts(message: Mapping[str, Any]) -> Iterator[str]:
    """Every text of a message in the order in which it is read; titles first."""
    yield str(message.get("text") or "")
    yield from _block_texts(message.get("blocks"))
    for part in _attached(message):
        for key in ("pretext", "title", "text"):
            yield str(part.get(key) or "")
        for field in part.get("fields") or ():
            yield f"{field.get('title', '')}: {field.get('value', '')}".strip(": ")
        yield from _block_texts(part.get("blocks"))
        if not any(part.get(key) for key in ("title", "text", "blocks", "fields")):
            yield str(part.get("fallback") or "")


def _block_texts(value: Any) -> Iterator[str]:
    """The texts of blocks, buttons left out: what they say is no part of the alert."""
    if isinstance(value, list):
        for inner in value:
            yield from _block_texts(inner)
    elif isinstance(value, Mapping) and value.get("type") != "button":
        text = value.get("text")
        if isinstance(text, str):
            yield text
        for key in ("text", "fields", "elements"):
            if not isinstance(value.get(key), str):
                yield from _block_texts(value.get(key))

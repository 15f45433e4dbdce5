"""Follow-ups without a mention: in channels that were named for it, under an answer of the bot.

Most of what people write in a channel is not for the bot. What is cheap to see is looked at first,
so that a busy channel costs nothing: Slack is never asked, and the database only for a question.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from bot.edge import Edge
from bot.listeners.incoming import is_addressed
from bot.thread_tasks import task_of
from bot.threads import words_of
from core.errors import StateError

log = logging.getLogger(__name__)

# Whoever names somebody, a group or everybody speaks to them.
_NAMES = re.compile(r"<[@!]")
_TO_PEOPLE = re.compile(
    r"\b(?:you|your|u|any(?:one|body)|some(?:one|body)|every(?:one|body)|folks|guys)\b"
    r"|\A\W*(?:(?:so|and|but|ok|okay)\W+)?(?:shall|should|can|could|do|did|are|have)\s+(?:we|i)\b",
    re.IGNORECASE,
)
# The last word may be followed by closing marks and by an emoji.
_MARK = re.compile(r"\w\s*[\"'`)\]*_~]*\s*\?[?!\s\"'`)\]*_~]*(?::[\w+-]+:\s*)*\Z")
_VERB = (
    r"(?:is|are|was|were|does|do|did|has|have|had|can|could|should|will|would"
    r"|owns?|runs?|uses?|needs?|changed|changes|happened|caused|causes|depends?|breaks?|else)\b"
)
_BEGINS = re.compile(
    r"(?:(?:and|so|but|ok|okay|please|pls|then)[\s,]+)*(?:"
    rf"(?:why|what|who|whose|which|where|when|how)(?:['’]s\b|\s+{_VERB})"
    rf"|(?:which|whose|what|how\s+many)\s+(?!an?\b|the\b)[\w-]+\s+{_VERB}"
    r"|(?:why|how\s+so|since\s+when)\W*\Z"
    r"|(?:investigate|classify)\s+\S"
    r"|(?:errors|changes|limits|impact|owner)\s+(?:of|in|for|on|since)\s+(?:the\s+)?\S+\Z)",
    re.IGNORECASE,
)


async def is_follow_up(edge: Edge, event: Mapping[str, Any]) -> bool:
    """Whether a message asks the bot further, although it names nobody. Never raises.

    Whether a person wrote it is for the listener to tell.
    """
    channel, thread_ts = str(event.get("channel") or ""), str(event.get("thread_ts") or "")
    text = str(event.get("text") or "")
    if channel not in edge.gate.policy.follow_up_channels or is_addressed(event):
        return False
    if not thread_ts or thread_ts == event.get("ts"):
        return False
    # Nobody is told that a log which they showed to others is too long.
    if len(text) > edge.services.limits.max_question_chars or not reads_as_question(text):
        return False
    try:
        return await edge.services.answers.is_answered(channel, thread_ts)
    except StateError as error:
        log.warning("a message in %s is taken for no follow-up: %s", channel, error)
        return False


def reads_as_question(text: str) -> bool:
    """Whether words among people may be meant for the bot; in doubt they are not.

    Args:
        text: As Slack delivers it.
    """
    words = words_of(text)
    if _NAMES.search(text) or _TO_PEOPLE.search(words):
        return False
    is_marked = len(words.split()) > 1 and _MARK.search(words) is not None
    return is_marked or _BEGINS.match(words) is not None or bool(task_of(words))

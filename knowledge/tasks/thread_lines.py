"""What matters in a thread: each sentence of it is told to be a report, an error, a step, or talk.

Pure rules, no model. What people write in an incident is short and wordy in the same few ways
("rolled it back", "looks fine again"), so a handful of patterns finds most of it; what they miss
stays unsaid, and nothing is said that nobody wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.answers import Turn
from knowledge.sentences import terms

_LINE_CHARS = 240
_FEWEST_TERMS = 2


class Kind(StrEnum):
    """What a line does in an incident; the order is that of a summary."""

    REPORT = "Reported"
    ERROR = "Errors quoted"
    CAUSE = "Cause, as said"
    DECISION = "Decided"
    ACTION = "Done"
    STATE = "How it stands"
    FOLLOW_UP = "To follow up"
    QUESTION = "Open questions"


@dataclass(frozen=True, slots=True)
class Line:
    """One telling sentence, and the number of its message, from 0."""

    kind: Kind
    text: str
    message: int


_ERROR = re.compile(
    r"\b(?:[A-Z]{2,}_[A-Z0-9_]{2,}|ORA-\d+|[A-Z]\w*(?:Error|Exception)|OOMKilled|OOM|"
    r"CrashLoopBackOff|(?:Err)?ImagePull(?:BackOff)?|Evicted|FailedScheduling|NotReady|"
    r"SIG(?:KILL|TERM|SEGV)|exit code \d+|(?:HTTP )?5\d\d(?:s|\b)(?! ?(?:ms|Mi|Gi|MB|GB))|"
    r"panic|fatal|FATAL|ERROR|traceback|connection refused|timed out|deadline exceeded|"
    r"no space left|permission denied|x509)\b",
)
_CAUSE = re.compile(
    r"\b(?:root cause|the cause|caused by|because|due to|turns? out|turned out|culprit|"
    r"that(?:'s| is) why|introduced by|"
    r"since (?:the|our|we|v?\d)[^.]{0,40}(?:deploy|release|merge))",
    re.IGNORECASE,
)
_STATE = re.compile(
    r"\b(?:resolved|recovered|recovering|mitigated|fixed(?! by tomorrow)|all green|all clear|"
    r"stable (?:now|again)|back (?:to normal|up|online|to green)|healthy(?: again)?|"
    r"(?:works?|working|fine|ok|okay|good|serving|ready|down to zero) (?:again|now)|"
    r"no (?:more|new) (?:errors?|alerts?|restarts?|5\d\ds?)|"
    r"error rate (?:is|fell|dropped|back)|still (?:failing|down|broken|seeing|restarting|crash\w*|"
    r"red|happening|the same|not|no)|not (?:fixed|resolved|recovered|better)|getting worse|"
    r"incident (?:is )?(?:over|closed|done)|closing this)\b",
    re.IGNORECASE,
)
_DONE = (
    "restarted|rolled|reverted|scaled|deployed|redeployed|merged|raised|increased|bumped|lowered|"
    "reduced|drained|cordoned|uncordoned|paged|called|disabled|enabled|flushed|killed|deleted|"
    "applied|patched|upgraded|downgraded|switched|failed over|moved|cleared|changed|added|"
    "removed|recreated|rotated|unblocked|paused|resumed|pinned|checked|confirmed|tried|stopped|"
    "started|opened|silenced|muted|doubled|halved|set|released|rolled out|shipped"
)
# In the past and by a person: "I rolled back", "we've scaled", "Rolled back to 1.4".
_ACTION = re.compile(
    rf"(?:^|[,;:]\s*|\b(?:and|then|just|now|already|also)\s+|"
    rf"\b(?:i|we|i've|we've|i have|we have|he|she|they)\s+(?:(?:have|just|now|also|already)\s+)*)"
    rf"(?:{_DONE})\b",
    re.IGNORECASE,
)
_DECISION = re.compile(
    r"\b(?:let'?s|we(?:'ll| will| are going to)|i(?:'ll| will| am going to|'m going to)|decided|"
    r"decision|agreed|plan is|plan:|going with|we go with|next step)\b",
    re.IGNORECASE,
)
_FOLLOW_UP = re.compile(
    r"\b(?:follow[- ]?ups?|to-?do|action item|post-?mortem|ticket|tomorrow|next (?:week|sprint)|"
    r"(?:we|someone|somebody|i) (?:should|need to|must|have to)|needs? an owner)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^\s])|\n+")
_FENCE = re.compile(r"```[^\n`]*\n?(.*?)```", re.DOTALL)
_MARK = re.compile(r"\[(\d+)\]")  # what cites a message; in a message it cites nothing
_LIST_MARK = re.compile(r"^(?:[#>•*-]+\s+)+")
_BOLD = re.compile(r"(?<![\w*])\*([^\s*][^*]*)\*(?![\w*])")  # Slack's; Markdown reads it as italics
_NOISE = re.compile(r"(?:^|\s)(?::[a-z0-9_+-]+:)+(?=\s|$)")

# How many lines a kind may have in a summary, and whether the newest or the oldest of them count.
_MOST = {
    Kind.REPORT: 1, Kind.ERROR: 3, Kind.CAUSE: 2, Kind.DECISION: 3,
    Kind.ACTION: 5, Kind.STATE: 2, Kind.FOLLOW_UP: 3, Kind.QUESTION: 3,
}  # fmt: skip
_NEWEST_COUNT = frozenset({Kind.CAUSE, Kind.DECISION, Kind.ACTION, Kind.STATE})


def lines_of(turns: Sequence[Turn]) -> list[Line]:
    """Every telling sentence of a thread, in its order.

    What a bot wrote is quoted for the errors in it only: it decides nothing and does nothing.
    """
    found: list[Line] = []
    is_reported = False
    for number, turn in enumerate(turns):
        for sentence in sentences_of(turn.text):
            kind = _kind(sentence, turn)
            if not is_reported and (kind is not Kind.QUESTION or number == 0):
                found.append(Line(Kind.REPORT, sentence, number))
                is_reported = True
            elif kind is not None:
                found.append(Line(kind, sentence, number))
    return _without_answered(found, turns)


def telling(lines: Sequence[Line]) -> list[Line]:
    """The lines of a summary: of each kind the few that count most, in the order of the kinds."""
    chosen: list[Line] = []
    said: set[frozenset[str]] = set()
    for kind in Kind:
        own = [line for line in lines if line.kind is kind]
        kept: list[Line] = []
        for line in reversed(own) if kind in _NEWEST_COUNT else own:
            if len(kept) == _MOST[kind]:
                break
            words = frozenset(terms(line.text))
            if words not in said:
                kept.append(line)
                said.add(words)
        chosen += sorted(kept, key=lambda line: line.message)
    return chosen


def sentences_of(text: str) -> list[str]:
    """A message in sentences, each one line; of fenced code the lines that tell of an error."""
    found: list[str] = []
    position = 0
    for fence in _FENCE.finditer(text):
        found += _prose(text[position : fence.start()])
        found += _telling_code(fence[1].splitlines())
        position = fence.end()
    return found + _prose(text[position:])


def _prose(text: str) -> list[str]:
    plain = _NOISE.sub(" ", text.replace("```", " "))
    return [shown for part in _SENTENCE_END.split(plain) if (shown := shortened(part))]


def _telling_code(lines: Iterable[str]) -> list[str]:
    telling_lines = [line for line in lines if _ERROR.search(line)]
    return [f"`{shown}`" for line in telling_lines[:3] if (shown := shortened(line, in_code=True))]


def shortened(text: str, *, in_code: bool = False) -> str:
    """A text on one line, cut to what a summary has room for, without half a code span."""
    flat = _LIST_MARK.sub("", " ".join(text.split()))
    flat = _MARK.sub(r"(\1)", _BOLD.sub(r"\1", flat))
    if in_code or flat.count("`") % 2:
        flat = flat.replace("`", "'")
    if len(flat) > _LINE_CHARS:
        flat = flat[: _LINE_CHARS - 1].rstrip() + "…"
        if flat.count("`") % 2:
            flat += "`"
    return flat


def _kind(sentence: str, turn: Turn) -> Kind | None:
    if turn.is_bot:
        return Kind.ERROR if _ERROR.search(sentence) else None
    words = len(terms(sentence))
    if sentence.endswith("?"):
        return Kind.QUESTION if words else None
    if words < _FEWEST_TERMS and not _STATE.search(sentence):
        return None
    if sentence.startswith("`"):
        return Kind.ERROR
    for kind, pattern in (
        (Kind.CAUSE, _CAUSE),
        (Kind.FOLLOW_UP, _FOLLOW_UP),
        (Kind.DECISION, _DECISION),
        (Kind.ACTION, _ACTION),
        (Kind.STATE, _STATE),
        (Kind.ERROR, _ERROR),
    ):
        if pattern.search(sentence):
            return kind
    return None


def _without_answered(lines: Sequence[Line], turns: Sequence[Turn]) -> list[Line]:
    """Without the questions after which somebody else said something that is no question."""

    def is_open(line: Line) -> bool:
        asker = turns[line.message].author
        return not any(
            turn.author != asker and not turn.text.rstrip().endswith("?")
            for turn in turns[line.message + 1 :][:3]
        )

    return [line for line in lines if line.kind is not Kind.QUESTION or is_open(line)]

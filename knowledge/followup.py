"""Questions that lean on what was said before: "and in staging?", "who owns it?".

Pure rules, no model: what a follow-up leaves out is filled in from the turns of its thread, so
that the search sees a whole question. A question that stands on its own is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from core.answers import Turn
from knowledge.sentences import word_set

_OPENER = re.compile(
    r"^\s*(?:ok(?:ay)?[,.]?\s+)?(?:and|what about|how about|same (?:for|in)|also|but|then)\b[\s,]*",
    re.IGNORECASE,
)
_THING = (
    r"(?:this|that|the|its) (?:service|pod|deployment|workload|app|application|node|job|namespace|"
    r"component|one|thing|statefulset|error|problem|incident)"
)
_PRONOUN = re.compile(
    rf"\b(?:{_THING}|its|it|they|them|their|this|that|these|those)\b", re.IGNORECASE
)
_POSSESSIVE = frozenset({"its", "their"})
# "that" and "this" here join clauses or stand for a time; they name nothing.
_IDLE = re.compile(
    r"\b(?:is|was) it (?:possible|safe|ok|true|normal)\b|\b(?:that|those) (?:is|are|have|has|had|"
    r"call|calls|depend|depends|run|runs|use|uses)\b|\bthis (?:week|month|morning|year)\b",
    re.IGNORECASE,
)
# Makes sense only of something: asked without saying of what, it is of what was spoken about.
_ATTRIBUTE = re.compile(
    r"\b(?:on[ -]?call|owners?|team|limits?|logs?|runbook|depend\w*|restarts?|replicas|impact|"
    r"fix)\b",
    re.IGNORECASE,
)
_PREPOSITION = re.compile(r"^(?:in|on|for|of|from)\s+(?:the\s+)?", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_NAME_LIKE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
_MENTION = re.compile(r"<@[^>]*>")


def resolve(
    question: str,
    history: Sequence[Turn],
    names: Iterable[str] = (),
    namespaces: Iterable[str] = (),
) -> str:
    """The question with what it leaves out filled in; the same text if it leaves nothing out.

    Args:
        question: As asked.
        history: Turns of the thread, oldest first, without this question.
        names: Objects that are known to exist (namespaces may be among them).
        namespaces: Namespaces that are known to exist.
    """
    spaces = {space.lower() for space in namespaces}
    known = {name.lower() for name in names} - spaces
    before = [_MENTION.sub("", turn.text).strip() for turn in history if not turn.is_bot]
    before = [text for text in before if text and text != question]
    if not before:
        return question
    last = before[-1]
    if len(before) > 1:
        last = resolve(last, [Turn("", text) for text in before[:-1]], known, spaces)
    own = _found(question, known)
    opener = _OPENER.match(question)
    rest = question[opener.end() :].strip() if opener else question.strip()
    is_fragment = len(_WORD.findall(rest)) <= 4 and not _has_verb(rest)
    leans = bool(_PRONOUN.search(_IDLE.sub(" ", question)))
    if is_fragment and not leans and (opener or _PREPOSITION.match(rest)):
        return _put_into(last, rest.rstrip("?!. "), own, known, spaces)
    asks_for_part = len(_WORD.findall(question)) <= 6 and bool(_ATTRIBUTE.search(question))
    if own or not (leans or asks_for_part):
        return question
    subject = _subject(last, history, known)
    if not subject:
        return question
    places = [space for space in _found(last, spaces) if space not in question.lower()]
    if leans:
        whole = _replace_pronoun(question, subject)
    else:
        whole = f"{question.rstrip('?!. ')} for {subject}?"
    if places and not _found(question, spaces):
        whole = f"{whole.rstrip('?!. ')} in {places[0]}?"
    return whole


def _put_into(last: str, rest: str, own: list[str], known: set[str], spaces: set[str]) -> str:
    """The last question, asked of something else: another object, place or time."""
    bare = _PREPOSITION.sub("", rest)
    new_space = next(iter(_found(rest, spaces)), "")
    old_names, old_spaces = _found(last, known), _found(last, spaces)
    if own and old_names:
        last = _swap(last, old_names[0], own[0])
        own = []
    elif not own and not new_space and re.match(r"in\b", rest, re.IGNORECASE):
        new_space = bare if _WORD.fullmatch(bare) else ""
    if new_space:
        if old_spaces:
            return _swap(last, old_spaces[0], new_space)
        return f"{last.rstrip('?!. ')} in {new_space}?"
    if not own and bare.lower() in known:
        return last
    return f"{last.rstrip('?!. ')} {rest}?"


def _swap(text: str, old: str, new: str) -> str:
    return re.sub(rf"(?<![\w-]){re.escape(old)}(?![\w-])", new, text, flags=re.IGNORECASE)


def _replace_pronoun(question: str, subject: str) -> str:
    idle = [match.span() for match in _IDLE.finditer(question)]
    for match in _PRONOUN.finditer(question):
        if any(start <= match.start() < end for start, end in idle):
            continue
        word = match[0].lower()
        is_possessive = word in _POSSESSIVE or word.startswith("its ")
        put = f"{subject}'s" if word in _POSSESSIVE else subject
        if is_possessive and word.startswith("its "):
            put = f"{subject}'s {match[0].split(' ', 1)[1]}"
        return question[: match.start()] + put + question[match.end() :]
    return question


def _subject(last: str, history: Sequence[Turn], known: set[str]) -> str:
    """What the talk is about: named by the last question, else by the newest turn naming any."""
    for text in (last, *(turn.text for turn in reversed(history))):
        found = _found(text, known) or _NAME_LIKE.findall(text.lower())[:1]
        if found:
            return found[0]
    return ""


def _found(text: str, known: set[str]) -> list[str]:
    """Known names in a text, in order of appearance, the longest where they overlap."""
    lowered = text.lower()
    return [word[0] for word in _WORD.finditer(lowered) if word[0] in known]


_VERBS = word_set(
    """is are was were do does did has have had can could should will would owns own depends depend
    runs run failing fails fail happened happens restart restarts restarting show list explain
    summarise summarize give tell find fix who why how what when where which"""
)


def _has_verb(text: str) -> bool:
    return bool(_VERBS & {word.lower() for word in _WORD.findall(text)})

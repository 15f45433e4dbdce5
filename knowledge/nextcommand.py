"""The one command that an answer without a model proposes: it only reads. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.answers import Passage
from core.questions import Intent, Reading
from knowledge import commands
from knowledge.blocks import BlockKind, blocks

EXACT = frozenset(
    {Intent.OWNER, Intent.IMPACT, Intent.DEPENDENCIES, Intent.LOGS, Intent.METRICS, Intent.SIMILAR}
)
"""Questions that what was found answers by itself; nothing needs to be run."""
_PLACEHOLDER = re.compile(r"<[a-zA-Z][\w -]*>|\b[A-Z][A-Z_]{2,}\b(?!=)|\{\{|\$\{?[A-Z]")
_RESTARTS = re.compile(r"(?<!\d)[1-9]\d* restarts?|OOMKilled|CrashLoopBackOff")
_NOT_READY = re.compile(r"^Pod (\S+)(?:,| on).*\bnot ready\b", re.MULTILINE)
_POD_PLACEHOLDER = re.compile(r"\bPOD(?:_NAME)?\b|<(?i:pod)(?:[-_ ](?i:name))?>")


def next_command(
    reading: Reading,
    facts: list[tuple[int, Passage]],
    prose: list[tuple[int, Passage]],
    written: str,
) -> str:
    """One command that only reads: from a page, its placeholder filled, else made from a fact."""
    if reading.intents and reading.intents <= EXACT | {Intent.CONFIG, Intent.LIMITS}:
        return ""
    if not any(passage.source == "cluster" for _, passage in facts):
        return ""
    pod = next((passage for _, passage in facts if _pod_of(passage)), None)
    for n, passage in prose[:3]:
        for command in _commands_of(passage, pod):
            is_new = command not in written and commands.normal(command) not in written
            if is_new and _is_safe(command) and not _other_place(command, pod):
                return f"**Next, only reads** [{n}]\n```\n{command}\n```"
    for n, passage in facts:
        if command := _look_at(passage):
            return f"**Next, only reads** [{n}]\n```\n{command}\n```"
    return ""


def _commands_of(passage: Passage, pod: Passage | None) -> Iterator[str]:
    """The command lines of a page, the pod's name put in for its placeholder."""
    for block in blocks(passage.text):
        if block.kind is not BlockKind.FENCE:
            continue
        for line in re.sub(r"\\\s*\n\s*", " ", block.text).splitlines():
            command = line.strip().removeprefix("$ ")
            yield _POD_PLACEHOLDER.sub(_pod_of(pod), command) if pod is not None else command


def _is_safe(command: str) -> bool:
    return (
        command.startswith("kubectl ")
        and len(command) <= 160
        and not commands.is_changing(command)
        and not re.search(r"\bsecrets?\b", command, re.IGNORECASE)
        and not _PLACEHOLDER.search(re.sub(r"'[^']*'", "", command))
    )


def _other_place(command: str, pod: Passage | None) -> bool:
    """Whether a page's command reads another namespace than the one the facts are about."""
    place = re.search(r"(?:-n|--namespace)[ =](\S+)", command)
    return bool(place and pod and pod.namespace and place[1] != pod.namespace)


def _look_at(passage: Passage) -> str:
    kind, name = _kind_of(passage), name_of(passage)
    if passage.source != "cluster" or not kind or not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name):
        return ""
    place = f"-n {passage.namespace} " if passage.namespace else ""
    if (pod := _pod_of(passage)) and _RESTARTS.search(passage.text):
        return f"kubectl {place}logs {pod} --previous --tail=50"
    return f"kubectl {place}describe {kind} {name}"


def _pod_of(passage: Passage) -> str:
    """The pod that a fact is about: the object itself, or its first pod that is not ready."""
    if passage.source != "cluster":
        return ""
    if _kind_of(passage) == "pod":
        name = name_of(passage)
    else:
        found = _NOT_READY.search(passage.text)
        name = found[1] if found else ""
    return name if re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name) else ""


def _kind_of(passage: Passage) -> str:
    parts = passage.location.split("/")
    kind = passage.kind or (parts[0] if len(parts) == 3 else "")
    return kind.lower() if re.fullmatch(r"[A-Z][A-Za-z]+", kind) else ""


def name_of(passage: Passage) -> str:
    """The object's own name: the last part of where it stands."""
    return passage.location.rsplit("/", 1)[-1].split(" ")[0]

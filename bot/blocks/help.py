"""Help, written from the command table and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.blocks import parts
from bot.blocks.parts import Message
from bot.blocks.suggestions import with_suggestions
from bot.mrkdwn import escape


@dataclass(frozen=True, slots=True)
class CommandHelp:
    """What help says of one command.

    Attributes:
        usage: Without the slash command: "ask <question>".
        example: Likewise: "ask why is payments restarting?".
        group: The heading it stands under.
    """

    usage: str
    summary: str
    example: str
    group: str


def help_message(
    command: str,
    entries: Sequence[CommandHelp],
    opening: str = "",
    questions: Sequence[str] = (),
) -> Message:
    """All commands by group, one line each, and the group's examples below.

    Args:
        command: The slash command, such as "/k8s".
        entries: The command table's words, in its order.
        opening: What went wrong before help was shown, escaped mrkdwn, or ''.
        questions: Such as can be answered here, each a button.
    """
    more = (
        "In a channel, mention me and ask; I answer in the thread and remember it. "
        "In a direct message, just write."
    )
    blocks = [parts.section(opening)] if opening else []
    told = [opening]
    for group, examples in listing(command, entries):
        blocks.append(parts.section(group))
        told.append(group)
        if examples:
            blocks.append(parts.context(examples))
            told.append(examples)
    blocks.append(parts.context(more))
    message = parts.message("\n".join(part for part in (*told, more) if part), blocks)
    return with_suggestions(message, questions)


def listing(command: str, entries: Sequence[CommandHelp]) -> list[tuple[str, str]]:
    """Each group of commands as mrkdwn, one line a command, with a line of examples or ''."""
    groups: dict[str, list[CommandHelp]] = {}
    for entry in entries:
        groups.setdefault(entry.group, []).append(entry)
    told: list[tuple[str, str]] = []
    for name, rows in groups.items():
        lines = [f"{_code(command, row.usage)}  {escape(row.summary)}" for row in rows]
        examples = [_code(command, row.example) for row in rows if row.example != row.usage]
        shown = f"e.g. {' · '.join(examples)}" if examples else ""
        told.append(("\n".join((f"*{escape(name)}*", *lines)), shown))
    return told


def _code(command: str, words: str) -> str:
    return f"`{escape(f'{command} {words}')}`"


def greeting(command: str, questions: Sequence[str]) -> Message:
    """For a mention without a question; the questions are such as can be answered here."""
    says = "Ask me about the clusters or the runbooks."
    if questions:
        says = f"{says} For example:"
    more = f"`{escape(command)} help` lists the commands."
    message = parts.message(f"{says}\n{more}", [parts.section(says), parts.context(more)])
    return with_suggestions(message, questions)

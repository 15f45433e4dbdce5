"""Help, written from the command table and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.blocks import parts
from bot.blocks.parts import Message
from bot.mrkdwn import escape

EXAMPLE_QUESTIONS = (
    "Why does payments keep restarting?",
    "Who owns risk-engine, and what breaks when it is down?",
    "How do I roll back a bad deploy of cart?",
)


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


def help_message(command: str, entries: Sequence[CommandHelp], opening: str = "") -> Message:
    """All commands by group, one line each, and the group's examples below.

    Args:
        command: The slash command, such as "/k8s".
        entries: The command table's words, in its order.
        opening: What went wrong before help was shown, escaped mrkdwn, or ''.
    """
    groups: dict[str, list[CommandHelp]] = {}
    for entry in entries:
        groups.setdefault(entry.group, []).append(entry)
    more = (
        "In a channel, mention me and ask; I answer in the thread and remember it. "
        "In a direct message, just write."
    )
    blocks = [parts.section(opening)] if opening else []
    told = [opening]
    for name, rows in groups.items():
        lines = [f"{_code(command, row.usage)}  {escape(row.summary)}" for row in rows]
        listing = "\n".join((f"*{escape(name)}*", *lines))
        examples = [_code(command, row.example) for row in rows if row.example != row.usage]
        blocks.append(parts.section(listing))
        told.append(listing)
        if examples:
            blocks.append(parts.context(f"e.g. {' · '.join(examples)}"))
            told.append(f"e.g. {' · '.join(examples)}")
    blocks.append(parts.context(more))
    return parts.message("\n".join(part for part in (*told, more) if part), blocks)


def _code(command: str, words: str) -> str:
    return f"`{escape(f'{command} {words}')}`"


def greeting(command: str) -> Message:
    """For a mention without a question."""
    examples = "\n".join(f"•  _{escape(question)}_" for question in EXAMPLE_QUESTIONS)
    says = f"Ask me about the clusters or the runbooks, for example:\n{examples}"
    more = f"`{escape(command)} help` lists the commands."
    return parts.message(f"{says}\n{more}", [parts.section(says), parts.context(more)])

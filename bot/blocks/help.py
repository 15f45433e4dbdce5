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
    """All commands by group, one line each with its example.

    Args:
        command: The slash command, such as "/k8s".
        entries: The command table's words, in its order.
        opening: What went wrong before help was shown, escaped mrkdwn, or ''.
    """
    groups: dict[str, list[str]] = {}
    for entry in entries:
        groups.setdefault(entry.group, []).append(_line(command, entry))
    listings = [f"*{escape(name)}*\n" + "\n".join(lines) for name, lines in groups.items()]
    more = (
        "In a channel, mention me and ask; I answer in the thread and remember it. "
        "In a direct message, just write."
    )
    blocks = [parts.section(opening)] if opening else []
    blocks += [*(parts.section(listing) for listing in listings), parts.context(more)]
    text = "\n".join(part for part in (opening, *listings, more) if part)
    return parts.message(text, blocks)


def _line(command: str, entry: CommandHelp) -> str:
    told = f"`{escape(f'{command} {entry.usage}')}`  {escape(entry.summary)}"
    if entry.example == entry.usage:
        return told
    return f"{told}, e.g. `{escape(f'{command} {entry.example}')}`"


def greeting(command: str) -> Message:
    """For a mention without a question."""
    examples = "\n".join(f"•  _{escape(question)}_" for question in EXAMPLE_QUESTIONS)
    says = f"Ask me about the clusters or the runbooks, for example:\n{examples}"
    more = f"`{escape(command)} help` lists the commands."
    return parts.message(f"{says}\n{more}", [parts.section(says), parts.context(more)])

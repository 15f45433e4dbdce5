"""From what was typed to a command, or to a hint that helps."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import fuzz, process

from bot.blocks import notices
from bot.blocks.help import help_message
from bot.blocks.parts import Message
from bot.commands.command import Command
from bot.commands.help import entries
from bot.mrkdwn import clip, code
from bot.services import EdgeLimits

_HELP_WORDS = frozenset({"", "?", "help", "-h", "--help"})
# From so many words on, text that names no command is taken for a question.
_QUESTION_WORDS = 4
# Likeness of a typo, 0 to 100: "stauts" and "status" have 83, "pods" and "ask" have 29.
_LIKENESS = 60


def route(text: str, table: Sequence[Command], limits: EdgeLimits) -> tuple[Command, str] | Message:
    """The command and its argument, or what to tell the person instead.

    Args:
        text: Everything after the slash command, as typed.
        table: The commands there are.
        limits: The slash command's name and how long a question may be.
    """
    text = text.strip()
    if len(text) > limits.max_question_chars:
        return too_long(len(text), limits.max_question_chars)
    name, _, argument = text.partition(" ")
    name, argument = name.casefold(), argument.strip()
    commands = {row.name: row for row in table}
    if text.casefold() in _HELP_WORDS:
        return commands["help"], ""
    command = commands.get(name)
    if command is None:
        return _unknown(name, text, table, limits)
    if command.needs_argument and not argument:
        usage, example = (f"{limits.command} {words}" for words in (command.usage, command.example))
        return notices.hint(f"Usage: {code(usage)}", f"For example {code(example)}")
    if argument and not command.takes_argument and len(text.split()) >= _QUESTION_WORDS:
        return notices.offer_ask(limits.command, text)  # "status of payments today?"
    return command, argument


def too_long(length: int, limit: int) -> Message:
    """A question over the limit is refused, not cut: its end may be what matters."""
    return notices.hint(
        f"That is {length:,} characters; I read up to {limit:,}.",
        "Shorten it, or paste the log into a thread and mention me there with a short question.",
    )


def _unknown(name: str, text: str, table: Sequence[Command], limits: EdgeLimits) -> Message:
    if len(text.split()) >= _QUESTION_WORDS:
        return notices.offer_ask(limits.command, text)
    close = process.extractOne(
        name, [row.name for row in table], scorer=fuzz.ratio, score_cutoff=_LIKENESS
    )
    guess = f" Did you mean {code(close[0])}?" if close else ""
    opening = f"Unknown command {code(clip(name, 60))}.{guess}"
    return help_message(limits.command, entries(table), opening)

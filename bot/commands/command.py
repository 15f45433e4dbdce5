"""A subcommand, its group in help, and one call of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.access import Asker
from bot.edge import Edge
from bot.interrupted import Underway
from bot.replies import Reply


class Group(StrEnum):
    """Headings of help, in its order."""

    ASK = "Ask"
    WRONG = "What is wrong"
    TOUCHES = "What it touches"
    BOT = "The bot"


@dataclass(frozen=True, slots=True)
class Call:
    """A subcommand as a person typed it.

    Attributes:
        name: The subcommand's name.
        argument: The words after it.
        asker: Who typed it where, and what they may see.
        table: All commands, for help.
        opened: Its answer, as it was written down.
    """

    edge: Edge
    reply: Reply
    name: str
    argument: str
    asker: Asker
    table: tuple[Command, ...]
    opened: Underway


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table; help, the manifest and the routing are made from it.

    Attributes:
        usage: What to type after the slash command: "ask <question>".
        summary: What it does, for help: starts with a verb.
        example: A call that works: "ask why is payments restarting?".
        run: Does it; the command was acknowledged before.
        group: Where help lists it.
        needs_argument: Whether it makes no sense alone.
        takes_argument: Whether words after the name mean anything to it.
    """

    name: str
    usage: str
    summary: str
    example: str
    run: Callable[[Call], Awaitable[None]]
    group: Group = Group.BOT
    needs_argument: bool = False
    takes_argument: bool = False

"""A subcommand and one call of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.edge import Edge
from bot.replies import Reply


@dataclass(frozen=True, slots=True)
class Call:
    """A subcommand as a person typed it.

    Attributes:
        argument: The words after the subcommand's name.
        table: All commands, for help.
    """

    edge: Edge
    reply: Reply
    argument: str
    team: str
    channel: str
    user: str
    table: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table; help, the manifest and the routing are made from it.

    Attributes:
        usage: What to type after the slash command: "ask <question>".
        summary: What it does, for help: starts with a verb.
        example: A call that works: "ask why is payments restarting?".
        run: Does it; the command was acknowledged before.
        needs_argument: Whether it makes no sense alone.
        takes_argument: Whether words after the name mean anything to it.
    """

    name: str
    usage: str
    summary: str
    example: str
    run: Callable[[Call], Awaitable[None]]
    needs_argument: bool = False
    takes_argument: bool = False

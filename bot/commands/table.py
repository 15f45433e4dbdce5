"""All subcommands. A row here is all that a new one needs besides its module."""

from __future__ import annotations

from bot.commands import ask, digest, help, search, status  # noqa: A004  (named as people type it)
from bot.commands.command import Command, Group

COMMANDS: tuple[Command, ...] = (
    Command(
        name="ask",
        usage="ask <question>",
        summary="answers from your runbooks, logs and clusters, with sources",
        example="ask why is payments restarting?",
        run=ask.run,
        group=Group.ASK,
        needs_argument=True,
        takes_argument=True,
    ),
    Command(
        name="search",
        usage="search <words>",
        summary="finds pages and log lines, narrowed by source:, ns:, team:, after: or code:",
        example="search timeout ns:shop after:7d",
        run=search.run,
        group=Group.ASK,
        needs_argument=True,
        takes_argument=True,
    ),
    Command(
        name="digest",
        usage="digest [window]",
        summary="shows what is broken now and what changed, to you alone",
        example="digest 6h",
        run=digest.run,
        group=Group.WRONG,
        takes_argument=True,
    ),
    Command(
        name="status",
        usage="status",
        summary="shows how every part of me fares",
        example="status",
        run=status.run,
    ),
    Command(
        name="help",
        usage="help",
        summary="shows this",
        example="help",
        run=help.run,
    ),
)


def usage_hint(table: tuple[Command, ...] = COMMANDS) -> str:
    """What Slack shows behind the command while it is being typed; help has the rest."""
    return " | ".join(row.name for row in table)

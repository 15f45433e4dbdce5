"""`help`: every command with an example."""

from __future__ import annotations

from collections.abc import Iterable

from bot.blocks.help import CommandHelp, help_message
from bot.commands.command import Call, Command


async def run(call: Call) -> None:
    """Show the table."""
    services = call.edge.services
    questions = await services.suggestions.questions(call.asker.scope)
    await call.reply.send(
        help_message(services.limits.command, entries(call.table), questions=questions)
    )


def entries(table: Iterable[Command]) -> tuple[CommandHelp, ...]:
    """The table's words for help."""
    return tuple(CommandHelp(row.usage, row.summary, row.example, row.group) for row in table)

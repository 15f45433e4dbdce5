"""All subcommands. A row here is all that a new one needs besides its module."""

from __future__ import annotations

from bot.commands import ask, digest, help, schedule, search, show, status, task  # noqa: A004  (named as people type it)
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
        example="search payments timeout after:7d",
        run=search.run,
        group=Group.ASK,
        needs_argument=True,
        takes_argument=True,
    ),
    Command(
        name="similar",
        usage="similar <error text>",
        summary="finds incidents and past findings like it, and what helped then",
        example="similar OOMKilled exit code 137",
        run=task.run,
        group=Group.ASK,
        needs_argument=True,
        takes_argument=True,
    ),
    Command(
        name="classify",
        usage="classify <error text>",
        summary="tells class and severity of an error, why, and what to look at",
        example="classify dial tcp 10.0.3.17:6379: connect: connection refused",
        run=task.run,
        group=Group.WRONG,
        needs_argument=True,
        takes_argument=True,
    ),
    Command(
        name="errors",
        usage="errors [N] [since 2h] [code 503] [ns shop]",
        summary="lists the last critical errors, each with its fix",
        example="errors 5 since 2h ns shop",
        run=task.run,
        group=Group.WRONG,
        takes_argument=True,
    ),
    Command(
        name="digest",
        usage="digest [window | weekly]",
        summary="shows what is broken and what changed, or the week, to you alone",
        example="digest 6h",
        run=digest.run,
        group=Group.WRONG,
        takes_argument=True,
    ),
    Command(
        name="changes",
        usage="changes <workload or namespace> [since]",
        summary="tells what changed before it broke: rollouts, config, scaling, nodes",
        example="changes payments 6h",
        run=task.run,
        group=Group.WRONG,
        needs_argument=True,
        takes_argument=True,
    ),
    Command(
        name="investigate",
        usage="investigate <workload>",
        summary="checks status, Events, logs, changes, dependencies and runbook, only reading",
        example="investigate payments",
        run=task.run,
        group=Group.WRONG,
        needs_argument=True,
        takes_argument=True,
    ),
    Command(
        name="limits",
        usage="limits <workload>",
        summary="compares requests and limits in the cluster with the documented ones",
        example="limits payments",
        run=task.run,
        group=Group.TOUCHES,
        needs_argument=True,
        takes_argument=True,
    ),
    Command(
        name="impact",
        usage="impact <node or service>",
        summary="tells which services are hit when it fails, and whose they are",
        example="impact worker-3",
        run=task.run,
        group=Group.TOUCHES,
        needs_argument=True,
        takes_argument=True,
    ),
    Command(
        name="owner",
        usage="owner <service>",
        summary="tells whose it is and who is on call",
        example="owner payments",
        run=task.run,
        group=Group.TOUCHES,
        needs_argument=True,
        takes_argument=True,
    ),
    Command(
        name="show",
        usage="show <ref>",
        summary="shows an answer again, to you alone, also one that could not be posted",
        example="show a6a7dac5",
        run=show.run,
        needs_argument=True,
        takes_argument=True,
    ),
    Command(
        name="schedule",
        usage="schedule",
        summary="lists the digests, where and when each comes next, and how the last one went",
        example="schedule",
        run=schedule.run,
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

TASKS = tuple(row for row in COMMANDS if row.run is task.run)
# Those whose outcome is one answer under a reference.
ANSWERED = tuple(row for row in COMMANDS if row.run in {ask.run, task.run})


def usage_hint(table: tuple[Command, ...] = COMMANDS) -> str:
    """What Slack shows behind the command while it is being typed; help has the rest."""
    return " | ".join(row.name for row in table)

"""The operator's settings, made into `bot.access.Policy`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bot.access import ASK, KEEP, MARK, SHARE, STOP, VOTE, Circle, Policy
from bot.config_file import FileConfig, ScopeConfig
from bot.settings import Settings
from bot.thread_tasks import EXPLAIN, THREAD_TASKS
from core.answers import Scope
from core.errors import SettingsError

# What can be limited besides subcommands.
_ACTIONS = frozenset({ASK, SHARE, VOTE, KEEP, MARK, STOP, EXPLAIN, *THREAD_TASKS})


def named_channels(settings: Settings, config: FileConfig) -> tuple[str, ...]:
    """Every channel that the rules name, by id or #name."""
    return (
        *settings.slack_allowed_channels,
        *settings.slack_shared_channels,
        *settings.slack_alert_channels,
        *settings.slack_follow_up_channels,
        *config.access.channels,
    )


def policy_of(
    settings: Settings,
    config: FileConfig,
    channels: Mapping[str, str],
    home_team: str,
    commands: Collection[str],
) -> Policy:
    """The rules as they were set.

    Args:
        settings: The simple lists.
        config: What is structured: scopes and commands.
        channels: The id of every channel that `named_channels` gives.
        home_team: The workspace that the bot is installed in.
        commands: The subcommands there are.

    Raises:
        SettingsError: A rule is about a command that does not exist.
    """
    access = config.access
    known = {*commands, *_ACTIONS}
    for name in access.commands:
        if name not in known:
            raise SettingsError(
                "read who may use which command (access.commands in OPSBOT_CONFIG)",
                f"there is no command {name!r}",
                f"These can be limited: {', '.join(sorted(known))}.",
            )
    return Policy(
        home_team=home_team,
        channels=frozenset(channels[name] for name in settings.slack_allowed_channels),
        people=Circle(
            frozenset(settings.slack_allowed_users), frozenset(settings.slack_allowed_groups)
        ),
        guests=frozenset(settings.slack_allowed_guests),
        shared_channels=frozenset(channels[name] for name in settings.slack_shared_channels),
        alert_channels=frozenset(channels[name] for name in settings.slack_alert_channels),
        follow_up_channels=frozenset(channels[name] for name in settings.slack_follow_up_channels),
        commands={
            name: Circle(frozenset(circle.users), frozenset(circle.groups))
            for name, circle in access.commands.items()
        },
        scopes={channels[name]: _scope(scope) for name, scope in access.channels.items()},
        default_scope=_scope(access.default),
        direct_scope=_scope(access.direct or access.default),
        owner=settings.slack_owner,
    )


def _scope(config: ScopeConfig) -> Scope:
    return Scope(
        clusters=frozenset(config.clusters),
        namespaces=frozenset(config.namespaces),
        sources=frozenset(config.sources),
        teams=frozenset(config.teams),
    )

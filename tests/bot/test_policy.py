"""The rules, from settings and file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.access import Circle, Policy
from bot.commands.table import COMMANDS
from bot.config_file import FileConfig, load_config_file
from bot.policy import named_channels, policy_of
from bot.settings import load_settings
from core.answers import Scope
from core.errors import SettingsError

NAMES = [row.name for row in COMMANDS]
FILE = """
access:
  default: {namespaces: [shop]}
  channels:
    "#ops": {clusters: [prod], teams: [orders]}
    C0DOCS: {sources: [markdown]}
  commands:
    digest: {groups: [S0ONCALL], users: [U0ADA]}
    share: {groups: [S0ONCALL]}
"""


def config(tmp_path: Path, text: str) -> FileConfig:
    path = tmp_path / "opsbot.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config_file(path)


def test_without_settings_there_are_no_rules() -> None:
    settings, nothing = load_settings(_env_file=None), FileConfig()
    assert named_channels(settings, nothing) == ()
    assert policy_of(settings, nothing, {}, "T1", NAMES) == Policy(home_team="T1")


def test_every_rule_reaches_its_place(tmp_path: Path) -> None:
    settings = load_settings(
        _env_file=None,
        slack_owner="U0OWNER",
        slack_allowed_channels="#ops, C0DOCS",
        slack_allowed_users="U0ADA,U0BOB",
        slack_allowed_groups="S0DEV",
        slack_allowed_guests="W0GUEST",
        slack_shared_channels="#partners",
        slack_alert_channels="#ops",
        slack_follow_up_channels="C0DOCS",
    )
    found = config(tmp_path, FILE)
    ids = {"#ops": "COPS", "C0DOCS": "C0DOCS", "#partners": "CPART"}
    assert set(named_channels(settings, found)) == set(ids)
    shop = Scope(namespaces=frozenset({"shop"}))
    assert policy_of(settings, found, ids, "T1", NAMES) == Policy(
        home_team="T1",
        channels=frozenset({"COPS", "C0DOCS"}),
        people=Circle(frozenset({"U0ADA", "U0BOB"}), frozenset({"S0DEV"})),
        guests=frozenset({"W0GUEST"}),
        shared_channels=frozenset({"CPART"}),
        alert_channels=frozenset({"COPS"}),
        follow_up_channels=frozenset({"C0DOCS"}),
        commands={
            "digest": Circle(frozenset({"U0ADA"}), frozenset({"S0ONCALL"})),
            "share": Circle(groups=frozenset({"S0ONCALL"})),
        },
        scopes={
            "COPS": Scope(clusters=frozenset({"prod"}), teams=frozenset({"orders"})),
            "C0DOCS": Scope(sources=frozenset({"markdown"})),
        },
        default_scope=shop,
        direct_scope=shop,
        owner="U0OWNER",
    )


def test_direct_messages_may_have_a_scope_of_their_own(tmp_path: Path) -> None:
    text = "access: {default: {namespaces: [shop]}, direct: {}}"
    policy = policy_of(load_settings(_env_file=None), config(tmp_path, text), {}, "T1", NAMES)
    assert policy.direct_scope == Scope()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("access: {channels: {C1: {namespace: [shop]}}}", "namespace"),
        ("access: {default: {sources: [wiki]}}", "'wiki'"),
        ("access: {commands: {digest: {users: [ada]}}}", "'ada'"),
        ("access: {commands: {digest: {groups: [U0ADA]}}}", "'U0ADA'"),
    ],
)
def test_a_rule_that_cannot_be_read_stops_the_start(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        config(tmp_path, text)


def test_a_rule_about_no_command_stops_the_start(tmp_path: Path) -> None:
    found = config(tmp_path, "access: {commands: {digset: {users: [U0ADA]}}}")
    with pytest.raises(SettingsError, match=r"no command 'digset'.*digest"):
        policy_of(load_settings(_env_file=None), found, {}, "T1", NAMES)


def test_a_name_where_an_id_is_needed_is_refused() -> None:
    with pytest.raises(SettingsError, match="SLACK_ALLOWED_USERS"):
        load_settings(_env_file=None, slack_allowed_users="ada")
    with pytest.raises(SettingsError, match="SLACK_OWNER"):
        load_settings(_env_file=None, slack_owner="@ada")

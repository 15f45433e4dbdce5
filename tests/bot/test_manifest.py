from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.commands.table import usage_hint
from bot.listeners.shortcuts import EXPLAIN_SHORTCUT, SUMMARISE_SHORTCUT
from bot.services import EdgeLimits
from bot.setup.installation import NEEDED_SCOPES, OPTIONAL_SCOPES
from sandbox.slack.world import AppProfile
from tests.bot.bench import Bench


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    path = Path(__file__).parents[2] / "manifest.yaml"
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def test_the_command_is_the_configured_one_with_the_tables_usage(manifest: dict[str, Any]) -> None:
    (command,) = manifest["features"]["slash_commands"]
    assert command["command"] == EdgeLimits().command
    assert command["usage_hint"] == usage_hint()


def test_it_asks_for_the_least_scopes_and_four_that_may_go(manifest: dict[str, Any]) -> None:
    asked = set(manifest["oauth_config"]["scopes"]["bot"])
    assert asked == NEEDED_SCOPES.keys() | OPTIONAL_SCOPES.keys()
    assert len(OPTIONAL_SCOPES) == 4


def test_its_shortcuts_are_those_that_have_a_listener(manifest: dict[str, Any]) -> None:
    named = {(row["type"], row["callback_id"]) for row in manifest["features"]["shortcuts"]}
    assert named == {("message", SUMMARISE_SHORTCUT), ("message", EXPLAIN_SHORTCUT)}
    # Slack cuts off what is longer.
    assert all(len(row["name"]) <= 24 for row in manifest["features"]["shortcuts"])


def test_people_can_write_to_the_bot_and_press_buttons(manifest: dict[str, Any]) -> None:
    assert manifest["features"]["app_home"]["messages_tab_enabled"] is True
    assert manifest["features"]["app_home"]["home_tab_enabled"] is True
    assert manifest["features"]["app_home"]["messages_tab_read_only_enabled"] is False
    assert manifest["settings"]["interactivity"]["is_enabled"] is True
    assert manifest["settings"]["socket_mode_enabled"] is True


async def test_every_event_it_subscribes_to_has_a_listener(
    either: Bench, manifest: dict[str, Any]
) -> None:
    workspace = either.running.workspace
    workspace.app = AppProfile.from_manifest(manifest)
    either.say("<@UOPSBOT> why?")
    either.say("why?", channel="@opsbot")
    either.running.controls.home("you", "home")
    either.running.controls.invite("general", "opsbot", remove=True)
    either.running.controls.invite("general", "opsbot", remove=False)
    await either.eventually(lambda: either.own() and either.own("@opsbot"))
    await either.settle()
    attempts = either.running.controls.recorder.attempts
    told = {row.what for row in attempts}
    subscribed = set(manifest["settings"]["event_subscriptions"]["bot_events"])
    assert told == {name.partition(".")[0] for name in subscribed}
    assert {name for name in subscribed if "." in name} == {
        "message.channels", "message.groups", "message.im",
    }  # fmt: skip
    assert {row.outcome for row in attempts} == {"acked"}


async def test_its_scopes_suffice_for_a_whole_conversation(
    bench: Bench, manifest: dict[str, Any]
) -> None:
    bench.running.workspace.app = AppProfile.from_manifest(manifest)
    parent = bench.say("<@UOPSBOT> why?")
    await bench.eventually(bench.own)
    bench.say("<@UOPSBOT> and now?", thread=parent)
    await bench.eventually(lambda: len(bench.own()) == 2)
    await bench.type("status")
    await bench.settle()
    assert [call for call in bench.calls("") if not call["ok"]] == []

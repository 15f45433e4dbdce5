"""What the doctor says of Slack, with each part broken in turn, in the local workspace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.config_file import FileConfig
from bot.health import HealthChecks
from bot.settings import load_settings
from bot.setup.slackdoctor import slack_checks
from core.answers import PartHealth, PartState
from core.clock import Clock, ManualClock, SystemClock
from sandbox.slack import world
from sandbox.slack.server import RunningWorkspace, run_workspace


@pytest.fixture
async def workspace() -> AsyncIterator[RunningWorkspace]:
    async with run_workspace() as running:
        running.controls.conversation("ops").members.add(world.BOT_USER_ID)
        yield running


async def rows(
    workspace: RunningWorkspace, clock: Clock | None = None, **more: Any
) -> dict[str, PartHealth]:
    given: dict[str, Any] = {
        "slack_bot_token": world.BOT_TOKEN,
        "slack_app_token": world.APP_TOKEN,
        "slack_api_url": workspace.api_url,
        "digest_channel": "#ops",
    }
    settings = load_settings(_env_file=None, **given | more)
    checks = slack_checks(settings, FileConfig(), clock or SystemClock())
    found = await HealthChecks(checks, SystemClock()).check(limit_seconds=10)
    return {row.part: row for row in found}


async def test_an_app_as_the_manifest_makes_it_is_well(workspace: RunningWorkspace) -> None:
    found = await rows(workspace)
    assert list(found) == ["slack app", "slack socket", "channel #ops"]
    assert {row.state for row in found.values()} == {PartState.OK}
    assert "@opsbot in " in found["slack app"].detail


async def test_without_tokens_setup_is_named(workspace: RunningWorkspace) -> None:
    found = await rows(workspace, slack_bot_token=None)
    assert list(found) == ["slack app"]
    assert found["slack app"].detail == "SLACK_BOT_TOKEN is not set"
    assert "opsbot setup" in found["slack app"].remedy
    found = await rows(workspace, slack_app_token=None)
    assert found["slack socket"].state is PartState.DEGRADED
    assert "SLACK_APP_TOKEN" in found["slack socket"].detail


async def test_over_http_the_signing_secret_is_wanted_instead(workspace: RunningWorkspace) -> None:
    found = await rows(workspace, slack_mode="http", slack_app_token=None)
    assert "SLACK_SIGNING_SECRET is not set" in found["slack http"].detail
    found = await rows(workspace, slack_mode="http", slack_signing_secret="s")
    assert found["slack http"].state is PartState.OK


async def test_refused_tokens_are_down(workspace: RunningWorkspace) -> None:
    found = await rows(workspace, slack_bot_token="xoxb-wrong", slack_app_token="xapp-wrong")
    assert {row.state for row in found.values()} == {PartState.DOWN}
    assert found["slack app"].detail == "Slack does not accept the token"
    assert not [row for row in found.values() if "wrong" in row.detail + row.remedy]


async def test_a_workspace_that_cannot_be_reached_is_down(workspace: RunningWorkspace) -> None:
    found = await rows(workspace, slack_api_url="http://127.0.0.1:1/api/")
    assert {row.state for row in found.values()} == {PartState.DOWN}
    assert found["slack app"].detail == "Slack could not be reached"


async def test_missing_scopes_are_named_with_what_they_cost(workspace: RunningWorkspace) -> None:
    def install(*scopes: str) -> None:
        workspace.workspace.app = world.AppProfile.from_manifest(
            {"oauth_config": {"scopes": {"bot": list(scopes)}}}
        )

    needed = ["app_mentions:read", "channels:history", "channels:read", "chat:write", "commands",
              "groups:history", "im:history", "users:read"]  # fmt: skip
    install(*needed)
    app = (await rows(workspace))["slack app"]
    assert app.state is PartState.OK
    assert "without files:write (documents come as messages" in app.detail
    install(*needed[1:])
    app = (await rows(workspace))["slack app"]
    assert app.state is PartState.DEGRADED
    assert "without app_mentions:read (mentions do not reach the bot)" in app.detail
    assert "manifest.yaml" in app.remedy


async def test_a_channel_that_the_bot_is_not_in_is_down(workspace: RunningWorkspace) -> None:
    workspace.controls.conversation("ops").members.discard(world.BOT_USER_ID)
    found = await rows(workspace, slack_allowed_channels=("#nowhere",))
    assert found["channel #ops"].state is PartState.DOWN
    assert "/invite @opsbot" in found["channel #ops"].remedy
    assert "has that name" in found["channel #nowhere"].detail


async def test_a_clock_that_is_wrong_is_told(workspace: RunningWorkspace) -> None:
    behind = ManualClock(datetime.now(UTC) - timedelta(minutes=10))
    app = (await rows(workspace, behind))["slack app"]
    assert app.state is PartState.DEGRADED
    assert "s ahead of ours" in app.detail
    assert "NTP" in app.remedy

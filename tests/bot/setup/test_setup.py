"""The questions of `opsbot setup`, against the local workspace; on a terminal: tests/e2e."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bot.settings import Settings, load_settings
from bot.setup import setup
from bot.setup.setup import Setup, contexts_of, run_setup
from core.errors import OpsbotError, SettingsError
from sandbox.slack import world
from sandbox.slack.server import RunningWorkspace, run_workspace


class Typed:
    """Answers each question in turn; '' keeps what stands."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.told: list[str] = []

    def ask(self, words: str, current: str, *, is_secret: bool) -> str:
        assert is_secret == any(part in words for part in ("token", "secret", "key"))
        return self.answers.pop(0) or current

    def tell(self, words: str) -> None:
        self.told.append(words)

    def refuse(self, error: OpsbotError) -> None:
        self.told.append(str(error))


@pytest.fixture(autouse=True)
def nothing_of_the_developers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(setup, "USUAL_KUBECONFIG", tmp_path / "absent")


@pytest.fixture
async def workspace() -> AsyncIterator[RunningWorkspace]:
    async with run_workspace() as running:
        running.controls.conversation("ops").members.add(world.BOT_USER_ID)
        yield running


@pytest.fixture
async def hosted_model() -> AsyncIterator[str]:
    """An OpenAI-compatible server that wants a key."""

    async def complete(request: web.Request) -> web.Response:
        if request.headers["Authorization"] != "Bearer right-key":
            return web.json_response({"error": {"message": "no"}}, status=401)
        message = {"role": "assistant", "content": "ok"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
        return web.json_response(body | {"choices": [choice]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    await runner.cleanup()


async def unattended(workspace: RunningWorkspace, **flags: str) -> int:
    flags = {"slack_api_url": workspace.api_url, **flags}
    return await asyncio.to_thread(run_setup, flags, is_unattended=True)


async def test_a_key_is_asked_for_where_the_model_is_hosted_and_is_tried(
    workspace: RunningWorkspace, hosted_model: str
) -> None:
    desk = Typed(
        "", world.BOT_TOKEN, world.APP_TOKEN, "COPS",
        "openai:m", hosted_model, "wrong-key", "right-key",
    )  # fmt: skip
    settings = load_settings(slack_api_url=workspace.api_url)
    answers = await asyncio.to_thread(Setup(settings, desk).run)
    assert answers["LLM_BASE_URL"] == hosted_model
    assert answers["LLM_API_KEY"] == "right-key"
    assert any("refused the key" in told for told in desk.told)
    assert any("openai:m answers" in told for told in desk.told)
    assert not [told for told in desk.told if "-key" in told or "xoxb" in told]


async def test_scopes_that_are_missing_are_told_with_what_they_cost(
    workspace: RunningWorkspace,
) -> None:
    workspace.workspace.app = world.AppProfile.from_manifest(
        {"oauth_config": {"scopes": {"bot": ["chat:write", "commands", "channels:history"]}}}
    )
    desk = Typed("", world.BOT_TOKEN, world.APP_TOKEN, "", "extractive")
    await asyncio.to_thread(Setup(load_settings(slack_api_url=workspace.api_url), desk).run)
    told = "\n".join(desk.told)
    assert "Missing scopes: app_mentions:read (mentions do not reach the bot)" in told
    assert "Left out: channels:read (answers to commands cannot be shared)" in told
    assert "No digest is posted." in told


@pytest.mark.parametrize(
    ("flags", "wrong"),
    [
        ({}, "SLACK_BOT_TOKEN is not set"),
        ({"slack_bot_token": "xoxb-wrong"}, "Slack does not accept the token"),
        ({"slack_bot_token": world.BOT_TOKEN}, "SLACK_APP_TOKEN is not set"),
        (
            {"slack_bot_token": world.BOT_TOKEN, "slack_app_token": world.BOT_TOKEN},
            "not_allowed_token_type",
        ),
        (
            {"slack_bot_token": world.BOT_TOKEN, "slack_mode": "http"},
            "SLACK_SIGNING_SECRET is not set",
        ),
        ({"slack_mode": "pigeon"}, "SLACK_MODE is 'pigeon'"),
        (
            {
                "slack_bot_token": world.BOT_TOKEN,
                "slack_app_token": world.APP_TOKEN,
                "digest_channel": "CSHOP",
            },
            "channel",
        ),
    ],
)
async def test_unattended_it_stops_at_what_does_not_work_and_writes_nothing(
    workspace: RunningWorkspace, tmp_path: Path, flags: dict[str, str], wrong: str
) -> None:
    with pytest.raises(OpsbotError, match=wrong) as caught:
        await unattended(workspace, **flags)
    assert "xoxb-" not in str(caught.value)
    assert not (tmp_path / ".env").exists()


async def test_unattended_it_writes_what_it_was_given(
    workspace: RunningWorkspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = await unattended(
        workspace,
        slack_bot_token=world.BOT_TOKEN,
        slack_app_token=world.APP_TOKEN,
        llm_model="extractive",
    )
    assert code == 0
    assert "SLACK_APP_TOKEN=" in (tmp_path / ".env").read_text()
    printed = capsys.readouterr().out
    assert "There is no kubeconfig" in printed
    assert "Wrote SLACK_BOT_TOKEN, SLACK_APP_TOKEN, LLM_MODEL to .env" in printed
    assert world.BOT_TOKEN not in printed


def test_the_contexts_of_a_kubeconfig_are_listed(tmp_path: Path) -> None:
    file = tmp_path / "config"
    assert contexts_of(file) == []
    file.write_text(json.dumps({"contexts": [{"name": "prod"}, {"name": "test"}]}))
    assert contexts_of(file) == ["prod", "test"]
    for content in ("contexts: 3", "[", "- a", ""):
        file.write_text(content)
        with pytest.raises(SettingsError, match="it is none"):
            contexts_of(file)

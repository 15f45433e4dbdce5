from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import SECRET_SETTINGS, Settings, load_settings
from core.errors import SettingsError


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)  # no .env of the developer's


def test_defaults_need_no_environment() -> None:
    settings = load_settings()
    assert settings.slack_mode == "socket"
    assert settings.llm_model == "auto"
    assert settings.qdrant_folder == Path(".opsbot/qdrant")
    assert settings.database_url.startswith("sqlite+aiosqlite:////")
    assert settings.database_url.endswith("/.opsbot/state.db")


def test_the_environment_wins_over_dot_env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LLM_MODEL=ollama:phi4\nDIGEST_CHANNEL=#from-file\n")
    monkeypatch.setenv("LLM_MODEL", "extractive")
    settings = load_settings()
    assert settings.llm_model == "extractive"
    assert settings.digest_channel == "#from-file"


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KNOWLEDGE_SOURCES", "markdown:docs, csv-logs:logs/*.csv ,")
    monkeypatch.setenv("LLM_STOP", "END,###")
    settings = load_settings()
    assert settings.knowledge_sources == ("markdown:docs", "csv-logs:logs/*.csv")
    assert settings.llm_stop == ("END", "###")


def test_an_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", "")
    assert load_settings().http_port == 3000


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("SLACK_MODE", "websocket", "'socket' or 'http'"),
        ("LLM_TEMPERATURE", "9", "less than or equal to 2"),
        ("DIGEST_TIMEZONE", "Mars/Olympus", "IANA time zone"),
        ("DIGEST_CRON", "every morning", "five fields"),
        ("DIGEST_CRON", "99 9 * * *", "five fields"),
        ("LLM_MODEL", "llama3.1", "provider:name"),
        ("EMBED_MODEL", "word2vec", "pattern"),
        ("HTTP_PORT", "http", "integer"),
        ("SLACK_COMMAND", "k8s", "pattern"),
    ],
)
def test_a_wrong_value_names_setting_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, hint: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert name in message
    assert repr(value) in message
    assert hint in message


def test_all_wrong_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", "0")
    monkeypatch.setenv("LLM_MAX_TOKENS", "1")
    with pytest.raises(SettingsError, match=r"HTTP_PORT.*LLM_MAX_TOKENS"):
        load_settings()


def test_a_secret_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-very-secret")
    assert "very-secret" not in repr(load_settings())
    secret_fields = {
        name.upper()
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }
    assert secret_fields == SECRET_SETTINGS


def test_dot_env_example_names_every_setting_and_no_other() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")
    named = {
        line.lstrip("# ").partition("=")[0]
        for line in example.splitlines()
        if "=" in line and line.lstrip("# ").partition("=")[0].isupper()
    }
    assert named == {name.upper() for name in Settings.model_fields}

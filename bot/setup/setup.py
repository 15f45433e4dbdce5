"""`opsbot setup`: asks for what the bot needs, tries each, and writes `.env`.

It runs outside an event loop, with one for each try: a person who presses Ctrl-C at a question must
get the terminal back at once. Nothing is written before all is answered.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import typer
import yaml

from bot.modelsetting import model_config
from bot.monitoring import secret
from bot.settings import SECRET_SETTINGS, Settings, load_settings
from bot.setup.desk import Desk, Terminal, Unattended
from bot.setup.envfile import merged, read_env, write_env
from bot.setup.installation import (
    NEEDED_SCOPES,
    OPTIONAL_SCOPES,
    look_at_app,
    slack_client,
    try_app_token,
    try_channel,
    without,
)
from core.clock import SystemClock
from core.errors import OpsbotError, SettingsError

ENV_FILE = Path(".env")
USUAL_KUBECONFIG = Path("~/.kube/config")

# Tries a value: gives a sentence on what it found, or raises OpsbotError.
Try = Callable[[str], Coroutine[Any, Any, str]]


def run_setup(flags: Mapping[str, str | None], *, is_unattended: bool) -> int:
    """Ask, try and write.

    Args:
        flags: Values given on the command line, by the settings' fields; None where not given.
        is_unattended: Ask nothing: take the flags, the environment and what stands in `.env`.

    Raises:
        OpsbotError: `.env` cannot be read or written, or, unattended, a value does not work.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    text = read_env(ENV_FILE)
    setup = Setup(load_settings(**given), Unattended() if is_unattended else Terminal())
    answers = setup.run()
    write_env(ENV_FILE, merged(text, answers))
    typer.echo(f"Wrote {', '.join(answers)} to {ENV_FILE}, which only you can read.")
    typer.echo("Next: opsbot doctor checks every part, opsbot run starts the bot.")
    return 0


class Setup:
    """One run of questions.

    Args:
        settings: What stands in the environment and in `.env`, and what flags say over it.
        desk: Whom to ask.
    """

    def __init__(self, settings: Settings, desk: Desk) -> None:
        self._settings = settings
        self._desk = desk
        self._answers: dict[str, str] = {}

    def run(self) -> dict[str, str]:
        """Ask everything; gives what is worth writing down, by the settings' names.

        Raises:
            OpsbotError: A value does not work, and nobody can give another.
        """
        words = "How Slack reaches the bot (socket: no open port needed, or http)"
        mode = self._settle("SLACK_MODE", words, _try_mode)
        token = self._settle("SLACK_BOT_TOKEN", "Bot token, xoxb-…", self._try_bot_token)
        if mode == "socket":
            self._settle("SLACK_APP_TOKEN", "App-level token, xapp-…", self._try_app_token)
        else:
            self._settle("SLACK_SIGNING_SECRET", "Signing secret", _try_signing_secret)
        self._channel(token)
        self._model()
        self._cluster()
        return self._answers

    def _settle(self, name: str, words: str, attempt: Try) -> str:
        """Ask for a setting until it works."""
        is_secret = name in SECRET_SETTINGS
        current = self._current(name)
        while True:
            value = self._desk.ask(words, current, is_secret=is_secret)
            try:
                self._desk.tell(asyncio.run(attempt(value)))
            except OpsbotError as error:
                self._desk.refuse(error)
                continue
            default = Settings.model_fields[name.lower()].default
            if value not in {"", default} or name.lower() in self._settings.model_fields_set:
                self._answers[name] = value
            return value

    def _current(self, name: str) -> str:
        value = getattr(self._settings, name.lower())
        if name in SECRET_SETTINGS:
            return secret(value)
        return ",".join(value) if isinstance(value, tuple) else str(value)

    async def _try_bot_token(self, token: str) -> str:
        _need(token, "SLACK_BOT_TOKEN", "The app's page has it under Install App.")
        async with slack_client(token, self._settings.slack_api_url) as client:
            app = await look_at_app(client, SystemClock())
        told = f"Signed in to {app.identity.team_name} as @{app.identity.bot_name}."
        for scopes, words in ((NEEDED_SCOPES, "Missing scopes"), (OPTIONAL_SCOPES, "Left out")):
            if lacking := without(app.scopes, scopes):
                told += f" {words}: {', '.join(lacking)}."
        return told

    async def _try_app_token(self, token: str) -> str:
        where = "Make one with connections:write under Basic Information, App-Level Tokens."
        _need(token, "SLACK_APP_TOKEN", where)
        async with slack_client(token, self._settings.slack_api_url) as client:
            await try_app_token(client, token)
        return "Slack gives it a socket."

    def _channel(self, token: str) -> None:
        async def attempt(name: str) -> str:
            if not name:
                return "No digest is posted."
            async with slack_client(token, self._settings.slack_api_url) as client:
                await try_channel(client, name)
            return f"The bot is a member of {name}."

        self._settle("DIGEST_CHANNEL", "Channel for the digest, #name or id", attempt)

    def _model(self) -> None:
        chosen: dict[str, object] = {}

        async def attempt(name: str) -> str:
            from knowledge.models import choose_model  # noqa: PLC0415  (slow to import)

            chosen["llm_model"] = name
            return (await choose_model(model_config(load_settings(**chosen)))).note

        async def attempt_key(key: str) -> str:
            from bot.setup.doctor import try_model  # noqa: PLC0415  (slow to import)
            from knowledge.models import choose_model  # noqa: PLC0415

            choice = await choose_model(model_config(load_settings(**chosen, llm_api_key=key)))
            return await try_model(choice.model) if choice.model else choice.note

        async def attempt_address(url: str) -> str:
            chosen["llm_base_url"] = url
            return f"It is asked at {url or 'its usual address'}."

        words = "Model (auto, extractive, ollama:NAME, openai:NAME …)"
        provider, _, model = self._settle("LLM_MODEL", words, attempt).partition(":")
        if not model or provider == "ollama":
            return
        if provider == "openai":
            words = "Address of an OpenAI-compatible server; empty for OpenAI's own"
            self._settle("LLM_BASE_URL", words, attempt_address)
        self._settle("LLM_API_KEY", "Its key; empty for none", attempt_key)

    def _cluster(self) -> None:
        given = self._settings.kubeconfig or str(USUAL_KUBECONFIG)
        paths = [Path(one).expanduser() for one in given.split(os.pathsep)]
        known = [name for path in paths for name in contexts_of(path)]
        if not known:
            self._desk.tell("There is no kubeconfig; in a pod, its service account is used.")
            return

        async def attempt(names: str) -> str:
            return "; ".join(
                [
                    await _try_context(self._settings.kubeconfig, one.strip())
                    for one in names.split(",")
                ]
            )

        words = f"Clusters to read, of {', '.join(known)}; empty for the current context"
        self._settle("KUBE_CONTEXTS", words, attempt)


def contexts_of(kubeconfig: Path) -> list[str]:
    """Names of a kubeconfig's contexts; none where there is no such file.

    Raises:
        SettingsError: It is no kubeconfig.
    """
    try:
        content = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        return [str(one["name"]) for one in content["contexts"]]
    except FileNotFoundError:
        return []
    except (OSError, yaml.YAMLError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"read the kubeconfig {kubeconfig}",
            "it is none, or it may not be read",
            "Set KUBECONFIG to a file that kubectl takes.",
        ) from error


async def _try_context(kubeconfig: str, context: str) -> str:
    from cluster.client import ClusterClient  # noqa: PLC0415  (slow to import)

    name = context or "the current context"
    client = await ClusterClient.from_kubeconfig(kubeconfig or None, context or None, name)
    try:
        return f"{name}: Kubernetes {await client.version()}"
    finally:
        await client.close()


async def _try_mode(mode: str) -> str:
    if mode == "socket":
        return "The bot opens a socket to Slack."
    if mode == "http":
        return "Slack calls the bot, at a public address that you give to the app."
    raise SettingsError(f"reach the bot by {mode!r}", "there is no such way", "Say socket or http.")


async def _try_signing_secret(value: str) -> str:
    where = "The app's page has it under Basic Information, App Credentials."
    _need(value, "SLACK_SIGNING_SECRET", where)
    return "It shows when Slack calls whether it is the right one."


def _need(value: str, name: str, where: str) -> None:
    if not value:
        raise SettingsError("connect to Slack", f"{name} is not set", where)

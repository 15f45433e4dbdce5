"""What `opsbot doctor` tries of Slack: the tokens, the scopes, the clock, the channels."""

from __future__ import annotations

from bot.checks import SKEW_REMEDY, skew_told
from bot.config_file import FileConfig
from bot.digests import digest_channels, digest_plans
from bot.health import Check, Look
from bot.monitoring import secret
from bot.policy import named_channels
from bot.settings import Settings
from bot.setup.installation import (
    NEEDED_SCOPES,
    OPTIONAL_SCOPES,
    look_at_app,
    slack_client,
    try_app_token,
    try_channel,
    without,
)
from core.answers import PartState
from core.clock import Clock

SETUP = "Run `opsbot setup`."


def slack_checks(settings: Settings, config: FileConfig, clock: Clock) -> list[Check]:
    """A row for the app, one for the way in, one for each channel that is named somewhere."""
    if not settings.slack_bot_token:
        return [_unset("slack app", "SLACK_BOT_TOKEN")]
    names = {*digest_channels(digest_plans(settings, config)), *named_channels(settings, config)}
    channels = [_channel(settings, name) for name in sorted(names)]
    return [_app(settings, clock), _way_in(settings), *channels]


def _unset(part: str, name: str) -> Check:
    async def look() -> Look:
        return Look(PartState.DEGRADED, f"{name} is not set", SETUP)

    return Check(part, look)


def _app(settings: Settings, clock: Clock) -> Check:
    async def look() -> Look:
        token = secret(settings.slack_bot_token)
        async with slack_client(token, settings.slack_api_url) as client:
            found = await look_at_app(client, clock)
        who = f"@{found.identity.bot_name} in {found.identity.team_name}"
        if lacking := without(found.scopes, NEEDED_SCOPES):
            remedy = "Give the app manifest.yaml once more, and install it again."
            return Look(PartState.DEGRADED, f"{who}, without {', '.join(lacking)}", remedy)
        if wrong := skew_told(found.clock_skew_seconds or 0):
            return Look(PartState.DEGRADED, f"{who}; {wrong}", SKEW_REMEDY)
        left_out = without(found.scopes, OPTIONAL_SCOPES)
        return Look(PartState.OK, ", without ".join([who, *left_out]))

    return Check("slack app", look)


def _way_in(settings: Settings) -> Check:
    async def http() -> Look:
        return Look(PartState.OK, "a signing secret is set; it is tried when Slack calls")

    async def socket() -> Look:
        token = secret(settings.slack_bot_token)
        async with slack_client(token, settings.slack_api_url) as client:
            await try_app_token(client, secret(settings.slack_app_token))
        return Look(PartState.OK, "Slack gives it a socket")

    if settings.slack_mode == "http":
        is_set = settings.slack_signing_secret is not None
        return Check("slack http", http) if is_set else _unset("slack http", "SLACK_SIGNING_SECRET")
    is_set = settings.slack_app_token is not None
    return Check("slack socket", socket) if is_set else _unset("slack socket", "SLACK_APP_TOKEN")


def _channel(settings: Settings, name: str) -> Check:
    async def look() -> Look:
        token = secret(settings.slack_bot_token)
        async with slack_client(token, settings.slack_api_url) as client:
            await try_channel(client, name)
        return Look(PartState.OK, "the bot is a member")

    return Check(f"channel {name}", look)

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.channels import channel_ids
from bot.slack_client import make_client
from core.errors import SettingsError
from sandbox.slack.server import run_workspace
from sandbox.slack.workspace import Workspace
from sandbox.slack.world import BOT_USER_ID, AppProfile


async def _client(scopes: frozenset[str]) -> AsyncIterator[AsyncWebClient]:
    workspace = Workspace(app=AppProfile(scopes=scopes))
    async with (
        run_workspace(workspace=workspace) as running,
        aiohttp.ClientSession() as session,
    ):
        yield make_client("xoxb-sandbox-opsbot", running.api_url, session)


@pytest.fixture
async def client() -> AsyncIterator[AsyncWebClient]:
    async for client in _client(frozenset({"channels:read", "chat:write"})):
        yield client


@pytest.fixture
async def poor_client() -> AsyncIterator[AsyncWebClient]:
    async for client in _client(frozenset({"chat:write"})):
        yield client


async def test_names_become_ids_with_and_without_the_hash(client: AsyncWebClient) -> None:
    found = await channel_ids(client, ["#ops", "incidents", "C0123ABC", ""])
    assert found == {"#ops": "COPS", "incidents": "CINCIDENTS", "C0123ABC": "C0123ABC"}


async def test_private_channels_have_names_where_the_app_may_list_them() -> None:
    for scopes, is_found in (({"channels:read", "groups:read"}, True), ({"channels:read"}, False)):
        workspace = Workspace(app=AppProfile(scopes=frozenset(scopes)))
        async with (
            run_workspace(workspace=workspace) as running,
            aiohttp.ClientSession() as session,
        ):
            made = running.controls.arrange_channel(
                "secret", private=True, archived=False, ext_shared=False
            )
            made.members.add(BOT_USER_ID)
            client = make_client("xoxb-sandbox-opsbot", running.api_url, session)
            if is_found:
                assert await channel_ids(client, ["#secret"]) == {"#secret": "CSECRET"}
            else:
                with pytest.raises(SettingsError, match="#secret"):
                    await channel_ids(client, ["#secret"])


async def test_ids_need_no_scope(poor_client: AsyncWebClient) -> None:
    assert await channel_ids(poor_client, ["COPS"]) == {"COPS": "COPS"}


async def test_an_unknown_name_is_told(client: AsyncWebClient) -> None:
    with pytest.raises(SettingsError, match=r"#nowhere.*no channel that the bot can see"):
        await channel_ids(client, ["#nowhere"])


async def test_without_the_scope_the_id_is_asked_for(poor_client: AsyncWebClient) -> None:
    with pytest.raises(SettingsError, match=r"channels:read.*Give the channel's id"):
        await channel_ids(poor_client, ["#ops"])

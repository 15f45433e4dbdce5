"""The two ways Slack reaches the bot: a socket that we open, or HTTP that Slack calls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.notices import SLACK_FAILURES, SlackError, slack_error
from bot.webserver import WebServer

EVENTS_PATH = "/slack/events"


class SocketTransport:
    """Socket Mode: one outgoing WebSocket, no address of our own needed.

    Args:
        app: Handles what arrives.
        app_token: The app-level token with the scope connections:write.
        client: Opens connections; it is not closed here.
        ping_seconds: Between two signs of life.
        connect_seconds: For the first connection; later ones are tried until they succeed.
    """

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        client: AsyncWebClient,
        ping_seconds: float = 10.0,
        connect_seconds: float = 30.0,
    ) -> None:
        self._app = app
        self._token = app_token
        self._client = client
        self._ping_seconds = ping_seconds
        self._connect_seconds = connect_seconds
        self._handler: AsyncSocketModeHandler | None = None

    async def start(self) -> None:
        """Connect; deliveries arrive from here on. Reconnects by itself until `close`.

        Raises:
            SlackError: Slack refuses the token or cannot be reached.
        """
        try:
            # Asked for here because the SDK would try a refused token for ever.
            opened = await self._client.apps_connections_open(app_token=self._token)
        except SLACK_FAILURES as error:
            raise slack_error(error, "open a socket to Slack") from error
        handler = AsyncSocketModeHandler(
            self._app, self._token, web_client=self._client, ping_interval=self._ping_seconds
        )
        self._handler = handler
        handler.client.wss_uri = str(opened["url"])
        try:
            await asyncio.wait_for(handler.client.connect(), self._connect_seconds)  # type: ignore[no-untyped-call]
        except TimeoutError as error:
            await self.close()
            raise SlackError(
                "open a socket to Slack",
                "it could not be connected",
                "Check that WebSockets to Slack are allowed.",
            ) from error

    async def is_connected(self) -> bool:
        """Whether deliveries can arrive now."""
        return self._handler is not None and await self._handler.client.is_connected()

    async def close(self) -> None:
        """Stop the intake; listeners that run go on."""
        handler, self._handler = self._handler, None
        if handler is None:
            return
        client = handler.client
        await client.close()  # type: ignore[no-untyped-call]
        # The SDK cancels its tasks without waiting for them.
        tasks = (client.message_processor, client.current_session_monitor, client.message_receiver)
        await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)


class HttpTransport:
    """HTTP: Slack posts signed requests to `/slack/events`.

    Args:
        app: Handles what arrives; it must know the signing secret.
        host: Address to listen on.
        port: 0 takes a free one.
        extra_routes: Served beside Slack's path, such as Alertmanager's.
    """

    def __init__(
        self, app: AsyncApp, host: str, port: int, extra_routes: Iterable[web.RouteDef] = ()
    ) -> None:
        web_app = app.web_app(path=EVENTS_PATH, port=port)
        web_app.add_routes(list(extra_routes))
        self._server = WebServer(web_app, host, port, "HTTP_PORT")

    async def start(self) -> None:
        """Listen.

        Raises:
            OpsbotError: The address is taken or not ours.
        """
        await self._server.start()

    async def is_connected(self) -> bool:
        """Whether deliveries can arrive now."""
        return self._server.is_open

    @property
    def port(self) -> int:
        """The port it listens on; 0 before `start`."""
        return self._server.port

    async def close(self) -> None:
        """Stop the intake; listeners that run go on."""
        await self._server.close()

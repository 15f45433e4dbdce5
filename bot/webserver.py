"""An HTTP server of ours: for Slack, for Alertmanager, for a Prometheus and a kubelet."""

from __future__ import annotations

from aiohttp import web

from core.errors import OpsbotError


class WebServer:
    """Serves one aiohttp application at one address.

    Args:
        app: What is served.
        host: Address to listen on.
        port: 0 takes a free one.
        setting: The setting that names the port, for the words of a start that fails.
    """

    def __init__(self, app: web.Application, host: str, port: int, setting: str) -> None:
        self._app = app
        self._host = host
        self._asked_port = port
        self._setting = setting
        self._runner: web.AppRunner | None = None

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._runner is not None

    @property
    def port(self) -> int:
        """The port it listens on; 0 where it does not."""
        return int(self._runner.addresses[0][1]) if self._runner else 0

    async def start(self) -> None:
        """Listen.

        Raises:
            OpsbotError: The address is taken or not ours.
        """
        runner = web.AppRunner(self._app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._asked_port).start()
        except OSError as error:
            await runner.cleanup()
            raise OpsbotError(
                f"listen on {self._host}:{self._asked_port}",
                error.strerror or "the address cannot be used",
                f"Choose another {self._setting}, or stop what uses it.",
            ) from error
        self._runner = runner

    async def close(self) -> None:
        """Take no more requests, and let those under way end."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

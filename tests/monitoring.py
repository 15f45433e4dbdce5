"""Real Prometheus and Alertmanager servers, on free ports, with data in a folder that goes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import yaml


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def alertmanager(folder: Path, webhook: str = "", token: str = "") -> AsyncIterator[str]:
    """Runs Alertmanager, which posts to `webhook` at once; gives its address."""
    hook = {
        "url": webhook or "http://127.0.0.1:1/",
        "max_alerts": 2,
        "http_config": {"authorization": {"credentials": token or "none"}},
    }
    config = {
        "route": {
            "receiver": "bot",
            "group_by": ["alertname"],
            "group_wait": "100ms",
            "group_interval": "300ms",
        },
        "receivers": [{"name": "bot", "webhook_configs": [hook]}],
    }
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    async with _running(
        f"http://127.0.0.1:{port}",
        "/usr/bin/prometheus-alertmanager",
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ) as url:
        yield url


@asynccontextmanager
async def prometheus(folder: Path, target: str, rules: Path | None = None) -> AsyncIterator[str]:
    """Runs Prometheus, which scrapes `target` (host:port) each second; gives its address."""
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "app", "static_configs": [{"targets": [target]}]}],
        "rule_files": [str(rules)] if rules else [],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    async with _running(
        f"http://127.0.0.1:{port}",
        "/usr/bin/prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ) as url:
        yield url


@asynccontextmanager
async def _running(url: str, *command: str) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(20):
            while not await _is_ready(session, url):  # noqa: ASYNC110  (another process)
                await asyncio.sleep(0.05)
        yield url
    finally:
        process.kill()
        await process.wait()


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/-/ready") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False

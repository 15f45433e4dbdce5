from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kubernetes_asyncio import client, config

from sandbox.cluster.recorded import RecordedCluster
from sandbox.cluster.resources import Obj
from sandbox.cluster.script import shop_steps
from sandbox.cluster.server import RunningCluster, run_cluster
from sandbox.cluster.world import shop_recording

NOW = datetime(2026, 3, 10, 14, 7, 23, 125_000, tzinfo=UTC)


@pytest.fixture(scope="session")
def recording() -> tuple[list[Obj], dict[str, str]]:
    """The shop, built once: objects are never changed in place, so worlds may share them."""
    return shop_recording(NOW)


@pytest.fixture
def world(recording: tuple[list[Obj], dict[str, str]]) -> RecordedCluster:
    objects, logs = recording
    return RecordedCluster(objects, logs, now=NOW, steps=shop_steps())


@pytest.fixture
async def running(world: RecordedCluster) -> AsyncIterator[RunningCluster]:
    async with run_cluster(world, speed=0) as served:
        yield served


@pytest.fixture
async def api(running: RunningCluster, tmp_path: Path) -> AsyncIterator[client.ApiClient]:
    path = running.kubeconfig(tmp_path / "kubeconfig")
    settings = client.Configuration()
    await config.load_kube_config(str(path), context="demo", client_configuration=settings)
    async with client.ApiClient(settings) as connected:
        yield connected

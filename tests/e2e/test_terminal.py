"""What a person reads in a terminal, without a bot running."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.cluster.server import run_cluster
from sandbox.knowledge.generate import prepare
from tests.e2e.program import clean_environment, run_command


@pytest.fixture
async def environment(tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    knowledge = prepare(tmp_path / "knowledge", datetime.now(UTC))
    async with run_cluster() as cluster:
        yield clean_environment(
            KUBECONFIG=str(cluster.kubeconfig(tmp_path / "kubeconfig")),
            KNOWLEDGE_SOURCES=f"markdown:{knowledge},graph:{knowledge}/graph.yaml",
            EMBED_MODEL="none",
            COLUMNS="160",
        )


async def test_an_answer_is_followed_by_its_sources(
    environment: dict[str, str], tmp_path: Path
) -> None:
    code, out, err = await run_command(
        "ask", "why does payments keep restarting?", environment=environment, folder=tmp_path
    )
    assert code == 0, err
    assert "OOMKilled" in out
    assert "[1] " in out
    assert "extractive · " in out


async def test_the_digest_is_readable_text(environment: dict[str, str], tmp_path: Path) -> None:
    code, out, err = await run_command(
        "digest", "--window", "6h", environment=environment, folder=tmp_path
    )
    assert code == 0, err
    assert "payments: OOMKilled" in out
    assert "kubectl" in out
    code, _, err = await run_command(
        "digest", "--window", "soon", environment=environment, folder=tmp_path
    )
    assert code == 1
    assert "'soon'" in err
    assert "6h" in err


async def test_index_counts_and_a_second_run_changes_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    code, out, err = await run_command("index", environment=environment, folder=tmp_path)
    assert code == 0, err
    assert " chunks" in out
    code, out, _ = await run_command("index", environment=environment, folder=tmp_path)
    assert code == 0
    assert "0 added, 0 removed" in out


async def test_index_names_what_it_could_not_read(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "latin.md").write_bytes(b"# Caf\xe9\n")
    sources = {"KNOWLEDGE_SOURCES": f"markdown:{tmp_path}/broken"}
    code, out, _ = await run_command("index", environment=environment | sources, folder=tmp_path)
    assert code == 1
    assert "latin.md" in out


async def test_doctor_names_every_part_and_fails_when_one_is_down(
    environment: dict[str, str], tmp_path: Path
) -> None:
    code, out, _ = await run_command("doctor", environment=environment, folder=tmp_path)
    assert code == 0
    for words in ("model", "search", "cluster default", "Kubernetes v1.34", "state", "sqlite",
                  "SLACK_BOT_TOKEN is not set", "opsbot setup", "embedded engine", "the newest",
                  "rights to read are there"):  # fmt: skip
        assert words in out
    down = environment | {"KUBECONFIG": str(tmp_path / "absent")}
    code, out, _ = await run_command("doctor", "--json", environment=down, folder=tmp_path)
    assert code == 1
    states = {row["part"]: row["state"] for row in json.loads(out)}
    assert states["cluster default"] == "down"
    assert states["rights in default"] == "down"
    nowhere = environment | {"STATE_URL": "postgresql+asyncpg://opsbot@127.0.0.1:1/opsbot"}
    code, out, _ = await run_command("doctor", "--json", environment=nowhere, folder=tmp_path)
    assert code == 1
    (row,) = json.loads(out)
    assert (row["part"], row["state"]) == ("start", "down")
    assert "open the state database" in row["detail"]
    assert row["remedy"]


async def test_ask_prints_one_json_object(environment: dict[str, str], tmp_path: Path) -> None:
    code, out, err = await run_command(
        "ask", "--json", "--no-stream", "--model", "extractive", "who owns payments?",
        environment=environment, folder=tmp_path,
    )  # fmt: skip
    assert code == 0, err
    answer = json.loads(out)
    assert answer["model"] == "extractive"
    assert answer["is_grounded"]
    assert {citation["number"] for citation in answer["citations"]} >= {1}

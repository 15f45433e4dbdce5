"""Search on the real program: in Slack, and in a second terminal that asks the owner."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.program import run_command, running_demo


async def test_search_works_in_slack_and_in_a_second_terminal(tmp_path: Path) -> None:
    async with running_demo(tmp_path / "data") as demo:
        reply = await demo.call(
            "command",
            {"channel": "general", "user": "you", "command": "/k8s",
             "text": "search redis maxmemory code:503 foo"},
        )  # fmt: skip
        assert reply["acked"], reply
        found = await demo.until(
            lambda: demo.read("ephemerals", user="you"), lambda message: "hit" in message["text"]
        )
        assert "with code 503" in found["text"]
        environment = demo.environment | {"OPSBOT_DATA_DIR": str(demo.folder)}
        code, out, err = await run_command(
            "search", "risk-engine", "redis", "source:markdown", "--json",
            environment=environment, folder=tmp_path,
        )  # fmt: skip
        assert code == 0, err
        hits = json.loads(out)["passages"]
        assert "runbooks/risk-engine-redis.md" in [hit["location"] for hit in hits]
        assert {hit["source"] for hit in hits} == {"markdown"}
        code, out, _ = await run_command(
            "search", "sourdough", "source:graph", environment=environment, folder=tmp_path
        )
        assert code == 3
        assert "Looked in: the service graph" in out
        code, _, err = await run_command(
            "search", "redis", "foo:bar", environment=environment, folder=tmp_path
        )
        assert code == 1
        assert "foo: is no filter" in err
        assert "Traceback" not in err

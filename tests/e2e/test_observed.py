"""A real Prometheus, a collector of traces and the log, all looking at the real program."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.ollama.server import run_ollama
from tests.bot.telemetry.otlp import attributes, collecting
from tests.deploy.test_monitoring import dashboard_queries, rules
from tests.e2e.program import running_demo
from tests.monitoring import free_port, prometheus

RULES = Path(__file__).parents[2] / "deploy" / "monitoring" / "rules.yaml"


class Asked:
    """A Prometheus server's API."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def read(self, path: str, **query: str) -> Any:
        async with self._session.get(f"{self._url}/api/v1/{path}", params=query) as response:
            told = await response.json()
        assert told["status"] == "success", told
        return told["data"]

    async def value(self, query: str) -> float:
        """The sum of what a query gives, as soon as it is above zero."""
        async with asyncio.timeout(30):
            while True:
                rows = (await self.read("query", query=query))["result"]
                if total := sum(float(row["value"][1]) for row in rows):
                    return total
                await asyncio.sleep(0.2)


async def test_the_running_bot_is_scraped_traced_and_logged_by_one_reference(
    tmp_path: Path,
) -> None:
    port = free_port()
    async with (
        collecting() as collector,
        run_ollama() as ollama,
        running_demo(
            tmp_path / "data",
            LLM_MODEL="auto",
            OLLAMA_BASE_URL=ollama.url,
            METRICS_PORT=str(port),
            OPSBOT_LOG_FORMAT="json",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        ) as demo,
        prometheus(tmp_path, f"127.0.0.1:{port}", RULES) as url,
        aiohttp.ClientSession() as session,
    ):
        asked = Asked(url, session)
        answer = await demo.mention("why does payments keep restarting?")
        assert await asked.value("opsbot_ready") == 1
        assert await asked.value('opsbot_answers_total{command="ask",outcome="answered"}') == 1
        assert await asked.value('opsbot_model_tokens_total{task="ask",direction="answer"}') > 0
        assert await asked.value('opsbot_step_duration_seconds_count{step="retrieve"}') == 1
        assert await asked.value("opsbot_retrieval_best_bm25_count") > 0
        assert await asked.value("opsbot_index_chunks") > 0
        assert await asked.value('opsbot_cluster_snapshot_duration_seconds_count{cluster="demo"}')
        assert await asked.value("process_resident_memory_bytes") > 0
        for query in dashboard_queries():
            whole = query.replace("$__rate_interval", "1m").replace("$instance", ".*")
            await asked.read("query", query=whole)
        loaded = [
            rule for group in (await asked.read("rules"))["groups"] for rule in group["rules"]
        ]
        assert [rule["name"] for rule in loaded] == [rule["alert"] for rule in rules()]
        targets = (await asked.read("targets"))["activeTargets"]
        assert [target["health"] for target in targets] == ["up"]
    shown = re.search(r"ref ([0-9a-f]{8})", str(answer["blocks"]))
    assert shown is not None
    lines = [json.loads(line) for line in demo.printed.splitlines() if line.startswith("{")]
    assert any(line["message"] == "ready" for line in lines)
    (audit,) = [line for line in lines if "audit" in line]
    assert audit["reference"] == audit["audit"]["reference"] == shown[1]
    (root,) = collector.named("answer")
    assert attributes(root) == {"opsbot.reference": shown[1], "opsbot.task": "ask"}
    parts = {span.name for span in collector.spans if span.parent_span_id == root.span_id}
    assert parts == {"retrieve", "facts", "model", "post"}
    assert "payments" not in str(collector.spans)

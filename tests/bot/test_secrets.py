"""Secrets planted in every source reach no prompt, no answer, no message and no file of ours."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import app as root
from bot.app import App, open_app
from bot.blocks.answer import lay_out
from bot.config_file import FileConfig
from bot.datafolder import DataFolder
from bot.settings import Settings, load_settings
from core.answers import Answer, Done, Inquiry, Scope, Turn
from core.clock import SystemClock
from digest.render_text import render_text
from sandbox.cluster.recorded import RecordedCluster
from sandbox.cluster.server import run_cluster
from sandbox.ollama.server import RunningOllama, run_ollama
from tests.core.secret_forms import TOKENS

NOW = datetime.now(UTC).replace(microsecond=0)
QUESTIONS = (
    "why does payments keep restarting?",
    "what do the logs of payments say about code 503?",
    "how do I rotate the credentials of payments?",
    "what is the latency of payments?",
    "who owns payments?",
    "Summarize the last 10 critical errors in the Kubernetes logs and suggest potential fixes",
)
TASKS = ("errors", "investigate", "changes", "classify", "limits", "similar")


@dataclass
class Planted:
    """Makes secrets of all kinds in turn and remembers where each went."""

    places: dict[str, str] = field(default_factory=dict)
    _rng: random.Random = field(default_factory=lambda: random.Random(3))  # noqa: S311  (made up)

    def secret(self, place: str) -> str:
        """One that a single line can hold."""
        kinds = [kind for kind in TOKENS if kind != "private key"]
        made = TOKENS[kinds[len(self.places) % len(kinds)]](self._rng)
        self.places[made] = place
        return made

    def found_in(self, text: str) -> list[str]:
        """The places whose secret stands in a text."""
        return [place for secret, place in self.places.items() if secret in text]


def write_knowledge(folder: Path, planted: Planted) -> tuple[str, ...]:
    """Pages, logs, metrics and a graph, each with secrets in them."""
    pages = folder / "pages"
    pages.mkdir()
    for number in range(8):
        (pages / f"payments-{number}.md").write_text(
            f"# Payments runbook {number}\n\nRotate the credentials of payments: the token is "
            f"{planted.secret('page text')} today.\n\n```bash\ncurl -H 'Authorization: Bearer "
            f"{planted.secret('page code')}' payments:8080\n```\n\n| name | value |\n|---|---|\n"
            f"| payments key | {planted.secret('page table')} |\n"
        )
    with (folder / "logs.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("timestamp", "level", "namespace", "pod", "container", "code", "message"))
        for number in range(20):
            at = (NOW - timedelta(minutes=number)).isoformat()
            said = f"call with {planted.secret('CSV line')} refused"
            rows.writerow((at, "ERROR", "shop", "payments-1", "app", "503", said))
    with (folder / "metrics.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("timestamp", "series", "value"))
        for number in range(20):
            at = (NOW - timedelta(minutes=number)).isoformat()
            rows.writerow((at, "payments_latency_ms", 100 + number))
    (folder / "graph.yaml").write_text(
        "services:\n  - name: payments\n    team: orders\n    description: "
        f"uses {planted.secret('graph description')}\nteams:\n  - name: orders\n    contact: "
        f"ask with {planted.secret('graph contact')}\n"
    )
    return (
        f"markdown:{pages}",
        f"csv-logs:{folder}/logs.csv",
        f"csv-metrics:{folder}/metrics.csv",
        f"graph:{folder}/graph.yaml",
    )


def hostile_cluster(planted: Planted) -> RecordedCluster:
    """A pod that crashes, with secrets in everything that tells of it."""
    at = NOW.isoformat().replace("+00:00", "Z")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "payments",
            "namespace": "shop",
            "uid": "p1",
            "creationTimestamp": at,
            "annotations": {"note": planted.secret("annotation")},
            "labels": {"app": "payments"},
        },
        "spec": {
            "nodeName": "n1",
            "containers": [
                {
                    "name": "app",
                    "image": "registry.example/payments:1",
                    "args": [f"--token={planted.secret('argument')}"],
                    "env": [{"name": "API_TOKEN", "value": planted.secret("environment")}],
                }
            ],
        },
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {
                    "name": "app",
                    "ready": False,
                    "restartCount": 12,
                    "image": "registry.example/payments:1",
                    "imageID": "",
                    "state": {
                        "waiting": {
                            "reason": "CrashLoopBackOff",
                            "message": f"back-off after {planted.secret('status message')}",
                        }
                    },
                    "lastState": {
                        "terminated": {
                            "exitCode": 1,
                            "reason": "Error",
                            "message": f"died with {planted.secret('termination message')}",
                            "finishedAt": at,
                        }
                    },
                }
            ],
        },
    }
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e1", "namespace": "shop", "uid": "e1", "creationTimestamp": at},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "payments", "uid": "p1"},
        "type": "Warning",
        "reason": "BackOff",
        "message": f"Back-off restarting with {planted.secret('Event')}",
        "count": 7,
        "firstTimestamp": at,
        "lastTimestamp": at,
    }
    logs = {
        f"shop/payments/app{which}": "\n".join(
            f"{(NOW - timedelta(seconds=60 - n)).isoformat()} ERROR login "
            f"{planted.secret('pod log')} bad"
            for n in range(10)
        )
        for which in ("", "#previous")
    }
    return RecordedCluster([pod, event], logs, now=NOW)


def echo(messages: list[dict[str, Any]], _: Mapping[str, Any]) -> str:
    """A model that repeats all it was given."""
    return "\n".join(str(message["content"]) for message in messages) + " [1]"


@asynccontextmanager
async def running(folder: Path, planted: Planted) -> AsyncIterator[tuple[App, RunningOllama]]:
    sources = write_knowledge(folder, planted)
    async with (
        run_ollama(echo) as ollama,
        run_cluster(hostile_cluster(planted), speed=0) as cluster,
    ):
        settings = load_settings(
            opsbot_data_dir=folder / "data",
            llm_model="ollama:llama3.1",
            ollama_base_url=ollama.url,
            embed_model="none",
            kubeconfig=str(cluster.kubeconfig(folder / "kubeconfig")),
            knowledge_sources=sources,
        )
        data = DataFolder(settings.opsbot_data_dir)
        async with open_app(settings, FileConfig(), data, SystemClock()) as app:
            await app.library.index()
            yield app, ollama


@pytest.fixture(autouse=True)
def nothing_of_the_developers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(root, "USUAL_KUBECONFIG", tmp_path / "absent")


def told(answer: Answer) -> str:
    """Everything of an answer that leaves the program."""
    layout = lay_out(answer, "ab12cd34", NOW)
    passages = [(p.title, p.heading, p.text) for p in answer.passages]
    return json.dumps([repr(layout), answer.text, passages, repr(answer.citations)])


async def test_no_planted_secret_gets_anywhere(tmp_path: Path) -> None:
    planted = Planted()
    async with running(tmp_path, planted) as (app, ollama):
        history = [Turn("ines", f"I tried {planted.secret('thread')} already")]
        asked = [(app.services.answerer, question) for question in QUESTIONS]
        asked += [(app.services.tasks[task], "payments") for task in TASKS if task != "errors"]
        asked.append((app.services.tasks["errors"], "5"))
        asked.append((app.services.tasks["classify"], f"bad {planted.secret('asked')} token"))
        for answerer, question in asked:
            async for event in answerer.stream(Inquiry(question, history)):
                if isinstance(event, Done):
                    answer = event.answer
                    await app.services.answers.put("ab12cd34", Scope(channel="C1"), answer)
                    # A person's own words are theirs to see again.
                    shown = told(answer).replace(question, "")
                    assert not planted.found_in(shown), question
        digest = await app.services.digests.preview(None, Scope())
        assert not planted.found_in(render_text(digest, UTC))
        prompts = json.dumps([dict(request.body) for request in ollama.requests])
    assert len(planted.places) > 60
    assert "payments" in prompts, "a model was asked"
    assert "<REDACTED:" in prompts, "and given what had held secrets"
    assert not planted.found_in(prompts)
    for file in (tmp_path / "data").rglob("*"):
        if file.is_file():
            kept = file.read_bytes().decode("latin-1")
            assert not planted.found_in(kept), file.name

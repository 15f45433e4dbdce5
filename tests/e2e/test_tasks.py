"""Every task on the real program: as a command in Slack, and in a terminal."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.cluster.server import run_cluster
from sandbox.knowledge.generate import prepare
from tests.e2e.program import Message, clean_environment, run_command, running_demo

# What a person types, and what must stand in the answer.
ANSWERED = {
    "errors 3": ("3 troubles, the worst first", "Fix (runbook", "Read from cluster and documents"),
    "errors 5 since 2h ns trading": ("risk-engine", "in trading between"),
    "errors code 503 since 6h": ("lines with code 503", "By service"),
    "similar OOMKilled exit code 137": ("INC-2031", "Fix then"),
    "limits payments": ("| memory limit | 256Mi | 512Mi", "⚠️ differs", "**They differ:**"),
    "limits kafka": ("**Not set:** CPU limit", "No table in the documents gives"),
    "impact worker-3": ("If worker-3 fails, it hits", "| team | services hit | on call |"),
    "impact redis": ("it hits cart and risk-engine directly", "#team-trading"),
    "owner checkout": ("owned by team orders", "Tomás Brandt"),
    "classify dial tcp 10.0.3.17:6379: connect: connection refused": (
        "**connection**, severity **high**",
        "risk-engine crash loop",
        "Decided by rules, no model",
    ),
}
# Slips, each with the words that help.
HELPED = {
    "errors code": ("needs a status code", "errors 5 since 2h code 503 ns shop"),
    "errors 99": ("99 is not a number from 1 to 10",),
    "errors ns shpo": ("find the namespace 'shpo'", "Did you mean `shop`?"),
    "limits paymnts": ("no service, workload or node", "Did you mean `payments`"),
    "owner": ("Usage: `/k8s owner &lt;service&gt;`",),
}


def rendered(message: Message) -> str:
    """All that a person reads of a message."""
    found: list[str] = []

    def collect(value: object) -> None:
        if isinstance(value, dict):
            found.extend(text for key, text in value.items() if key == "text" and text is str(text))
            for part in value.values():
                collect(part)
        elif isinstance(value, list):
            for part in value:
                collect(part)

    collect(message["blocks"])
    return "\n".join(found)


async def test_each_command_is_answered_in_one_message(tmp_path: Path) -> None:
    async with running_demo(tmp_path / "data") as demo:
        for text, expected in ANSWERED.items():
            before = len(await demo.read("ephemerals", user="you"))
            answer = await demo.command(text)
            seen = rendered(answer)
            assert [words for words in expected if words not in seen] == [], f"{text}:\n{seen}"
            assert f"*{text}*" in seen
            assert len(await demo.read("ephemerals", user="you")) == before + 1, text
        for text, expected in HELPED.items():
            answer = await demo.command(
                text, is_wanted=lambda message: "Looking into" not in message["text"]
            )
            seen = rendered(answer)
            assert [words for words in expected if words not in seen] == [], f"{text}:\n{seen}"
            assert "Try again" not in seen
        environment = demo.environment | {"OPSBOT_DATA_DIR": str(demo.folder)}
        code, out, err = await run_command(
            "k8s", "limits", "payments", "--json", environment=environment, folder=tmp_path
        )
        assert code == 0, err
        assert json.loads(out)["text"].startswith("**Deployment shop/payments** [1]")


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


async def test_the_tasks_run_in_a_terminal(environment: dict[str, str], tmp_path: Path) -> None:
    code, out, err = await run_command(
        "k8s", "owner", "checkout", environment=environment, folder=tmp_path
    )
    assert code == 0, err
    assert "owned by team orders" in out
    for words, wrong in (
        (("owner", "chekout"), "Did you mean `checkout`"),
        (("owner",), "Usage: owner <service>"),
    ):
        code, _, err = await run_command("k8s", *words, environment=environment, folder=tmp_path)
        assert code == 1
        assert wrong in err
        assert "Traceback" not in err


async def test_with_the_cluster_and_the_model_gone_the_tasks_still_tell_what_they_can(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "gone").write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]\n"
        "users: [{name: u, user: {token: t}}]\n"
    )
    gone = environment | {
        "KUBECONFIG": str(tmp_path / "gone"),
        "LLM_MODEL": "ollama:llama3.1",
        "OLLAMA_BASE_URL": "http://127.0.0.1:9",
    }
    for words, told in (
        (("limits", "payments"), "| memory limit | 512Mi"),
        (
            ("classify", "no", "space", "left", "on", "device"),
            "**disk-full**, severity **critical**",
        ),
    ):
        code, out, err = await run_command("k8s", *words, environment=gone, folder=tmp_path)
        assert code == 0, err
        assert told in out
        assert "Not looked at: cluster" in out, words

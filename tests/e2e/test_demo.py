"""The main job by the notebook's own questions, on the real program, as `make demo` starts it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.program import Demo, Message, run_command, running_demo

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    async with running_demo(tmp_path_factory.mktemp("demo") / "data") as running:
        yield running


def text_of(message: Message) -> str:
    return str(message["text"])


async def test_why_does_payments_keep_restarting(demo: Demo) -> None:
    text = text_of(await demo.ask("why does payments keep restarting?"))
    assert "OOMKilled" in text
    assert "256Mi" in text
    assert "[1]" in text
    assert "payments-restarts" in text or "payments restarts" in text.lower()


async def test_summarize_the_last_10_critical_errors(demo: Demo) -> None:
    text = text_of(
        await demo.ask(
            "Summarize the last 10 critical errors in the Kubernetes logs "
            "and suggest potential fixes"
        )
    )
    assert "java.lang.OutOfMemoryError" in text
    assert "6379: connect: connection refused" in text
    assert "runbook" in text.lower()


async def test_what_is_the_resource_limit_for_a_pod(demo: Demo) -> None:
    text = text_of(await demo.ask("What is the resource limit for pod payments?"))
    assert "256Mi" in text
    assert "512Mi" in text, "the documented value stands beside the live one"


async def test_what_mechanism_stocktraderx_uses(demo: Demo) -> None:
    text = text_of(
        await demo.ask("What mechanism does StockTraderX use for low-latency order processing?")
    )
    assert "ring buffer" in text


async def test_which_services_does_a_failing_node_hit_and_who_owns_them(demo: Demo) -> None:
    text = text_of(
        await demo.mention("Which services does worker-3 failing hit and who owns them?")
    )
    assert "matching-engine" in text
    assert "order-gateway" in text, "what depends on a service of the node is hit as well"
    assert "trading" in text
    assert "Priya Raman" in text


async def test_an_incident_similar_to_this_one(demo: Demo) -> None:
    text = text_of(
        await demo.ask("Have we seen an incident similar to payments being OOMKilled before?")
    )
    assert "INC-2031" in text


async def test_lines_with_an_error_code_in_a_time_range(demo: Demo) -> None:
    text = text_of(await demo.ask("Show log lines with code 503 in the last 6h"))
    assert "503" in text
    assert "payments" in text


async def test_a_follow_up_in_the_thread_knows_what_was_spoken_of(demo: Demo) -> None:
    first = await demo.mention("why is risk-engine crashing?")
    assert "6379: connect: connection refused" in text_of(first)
    second = await demo.mention("who owns it?", thread_ts=first["thread_ts"])
    assert "trading" in text_of(second)
    assert "Priya Raman" in text_of(second)


async def test_what_nobody_knows_is_not_answered(demo: Demo) -> None:
    text = text_of(await demo.ask("What is the best pizza in Naples?"))
    assert "nothing" in text.lower() or "not found" in text.lower()
    assert "[1]" not in text


async def test_the_digest_arrives_with_evidence_owner_and_runbook(demo: Demo) -> None:
    parent = await demo.until(
        lambda: demo.read("messages", channel="ops"),
        lambda message: "bot_id" in message and message.get("thread_ts") in {None, message["ts"]},
    )
    assert "new" in parent["text"]
    assert any(block["type"] == "table" for block in parent["blocks"])
    # The replies follow one a second.
    reply = await demo.until(
        lambda: demo.read("messages", channel="ops", thread_ts=parent["ts"]),
        lambda message: message["ts"] != parent["ts"] and "payments: OOMKilled" in text_of(message),
    )
    payments = text_of(reply)
    assert {element["action_id"] for element in reply["blocks"][-1]["elements"]} == {
        "finding_explain", "finding_similar", "finding_acknowledge", "finding_known",
        "finding_mute",
    }  # fmt: skip
    assert "256Mi" in payments
    assert "orders" in payments
    assert "payments restarts" in payments.lower() or "payments-restarts" in payments
    assert "kubectl" in payments


async def test_hostile_text_notifies_nobody(demo: Demo) -> None:
    await demo.ask("what do the logs of search say?")
    await demo.mention("why is search pending?")
    for channel in ("general", "incidents", "ops"):
        for message in await demo.read("messages", channel=channel):
            if "bot_id" in message:
                assert "<!channel>" not in json.dumps(message["blocks"])


async def test_help_status_and_digest_preview(demo: Demo) -> None:
    for text, wanted in (("help", "/k8s ask"), ("status", "demo"), ("digest 6h", "payments")):
        await demo.call(
            "command", {"channel": "general", "user": "mei", "command": "/k8s", "text": text}
        )
        await demo.until(
            lambda: demo.read("ephemerals", user="mei"),
            lambda message, wanted=wanted: wanted in message["text"],  # type: ignore[misc]
        )


async def test_a_second_terminal_asks_the_running_bot(demo: Demo) -> None:
    environment = demo.environment | {"OPSBOT_DATA_DIR": str(demo.folder)}
    code, out, _ = await run_command(
        "ask", "--json", "who owns checkout?", environment=environment, folder=demo.folder
    )
    assert code == 0
    answer = json.loads(out)
    assert "orders" in answer["text"]
    assert answer["citations"][0]["number"] == 1
    code, out, _ = await run_command(
        "digest", "--json", "--window", "6h", environment=environment, folder=demo.folder
    )
    assert code == 0
    assert any(item["finding"]["owner"]["name"] == "payments" for item in json.loads(out)["items"])
    code, out, _ = await run_command(
        "doctor", "--json", environment=environment, folder=demo.folder
    )
    assert {"model", "search", "cluster demo", "state", "slack"} <= {
        row["part"] for row in json.loads(out)
    }

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.audit import Audit
from bot.blocks.answer import SHARE_ACTION
from bot.slack_client import make_client
from bot.telemetry.entry import Entry, entry_of
from bot.telemetry.metrics import Meter
from bot.telemetry.slackcalls import counting
from core.errors import OpsbotError
from core.redact import Redactor
from knowledge.ports import ModelCall
from sandbox.slack import world
from sandbox.slack.server import run_workspace
from tests.bot.bench import Bench
from tests.bot.fakes import told
from tests.bot.telemetry.scraped import value


@pytest.mark.parametrize(
    ("body", "entry"),
    [
        ({"command": "/k8s", "text": "help"}, Entry.COMMAND),
        ({"type": "event_callback", "event": {"type": "app_mention"}}, Entry.MENTION),
        ({"type": "event_callback", "event": {"channel_type": "im"}}, Entry.MENTION),
        ({"type": "event_callback", "event": {"type": "member_joined_channel"}}, Entry.EVENT),
        ({"type": "block_actions"}, Entry.ACTION),
        ({"type": "view_submission"}, Entry.VIEW),
        ({"type": "message_action"}, Entry.SHORTCUT),
        ({}, Entry.EVENT),
    ],
)
def test_each_delivery_has_one_way_in(body: dict[str, Any], entry: Entry) -> None:
    assert entry_of(body) is entry


def test_every_entry_is_there_before_anything_came() -> None:
    meter = Meter()
    for entry in Entry:
        assert meter.registry.get_sample_value(
            "opsbot_request_duration_seconds_count", {"entry": entry}
        ) == 0  # fmt: skip
    meter.expect(["prod"], line=[])
    failures = "opsbot_cluster_snapshot_failures_total"
    assert meter.registry.get_sample_value(failures, {"cluster": "prod"}) == 0


def test_no_two_meters_share_anything() -> None:
    one, other = Meter(), Meter()
    one.dropped("answer")
    assert value(one, "dropped_deliveries_total", what="answer") == 1
    assert value(other, "dropped_deliveries_total", what="answer") == 0


def test_names_follow_the_conventions_and_no_label_is_a_person_or_a_place() -> None:
    families = list(text_string_to_metric_families(Meter().exposition()[0].decode()))
    own = [family for family in families if family.name.startswith("opsbot_")]
    assert len(own) > 20
    for family in own:
        assert family.documentation
        if "duration" in family.name or "timestamp" in family.name:
            assert family.name.endswith("_seconds"), family.name
        names = {label for sample in family.samples for label in sample.labels}
        assert not names & {"user", "channel", "question", "reference", "namespace"}


async def test_a_request_that_raises_has_failed() -> None:
    meter = Meter()
    with pytest.raises(ValueError, match="no"), meter.request(Entry.ALERT):
        raise ValueError("no")
    assert value(meter, "request_failures_total", entry="alert") == 1
    assert value(meter, "request_duration_seconds_count", entry="alert") == 1


def test_a_model_call_counts_its_tokens_by_task() -> None:
    meter = Meter()
    meter.called(ModelCall("ollama:llama3.1", "whole", 3.5, 900, 120), "limits")
    where = {"model": "ollama:llama3.1", "task": "limits"}
    assert value(meter, "model_tokens_total", **where, direction="prompt") == 900
    assert value(meter, "model_tokens_total", **where, direction="answer") == 120
    assert value(meter, "model_calls_total", **where, outcome="whole") == 1
    assert value(meter, "model_call_duration_seconds_sum", **where) == 3.5


def test_a_search_by_one_leg_alone_leaves_the_others_scores_alone() -> None:
    meter = Meter()
    meter.searched(12.5, None)
    meter.searched(None, 0.42)
    assert value(meter, "retrieval_best_bm25_sum") == 12.5
    assert value(meter, "retrieval_best_cosine_sum") == 0.42
    assert value(meter, "retrieval_best_cosine_count") == 1


def test_a_cluster_that_was_not_read_has_no_duration() -> None:
    meter = Meter()
    meter.snapshot("prod", 3.0, is_read=False)
    meter.snapshot("test", 1.5, is_read=True)
    assert value(meter, "cluster_snapshot_failures_total", cluster="prod") == 1
    assert value(meter, "cluster_snapshot_duration_seconds_count", cluster="prod") == 0
    assert value(meter, "cluster_snapshot_duration_seconds_sum", cluster="test") == 1.5


def test_a_secret_that_is_taken_out_is_counted_once_a_text() -> None:
    meter = Meter()
    redactor = Redactor(b"k" * 32, meter.redacted)
    text = redactor.redact("password: hunter2-hunter2 again hunter2-hunter2")
    assert "hunter2" not in text
    assert value(meter, "redactions_total", kind="password") == 1
    redactor.redact(text)
    assert value(meter, "redactions_total", kind="password") == 1


def test_a_refusal_is_counted_without_its_reason_and_without_a_time() -> None:
    meter = Meter()
    Audit(meter=meter).note("U1", "C1", "ask", "refused: guest")
    assert value(meter, "answers_total", command="ask", outcome="refused") == 1
    assert value(meter, "answer_duration_seconds_count", command="ask") == 0


async def test_commands_mentions_and_clicks_are_counted_where_they_came_in(bench: Bench) -> None:
    meter = bench.fakes.watch.meter
    bench.fakes.answerer.scripts = [told("It restarts.")]
    await bench.type("ask why?")
    await bench.settle()
    bench.say("<@UOPSBOT> why?")
    await bench.eventually(bench.own)
    await bench.settle()
    await bench.click(bench.ephemerals()[-1], SHARE_ACTION)
    await bench.settle()
    took = {
        entry: value(meter, "request_duration_seconds_count", entry=entry)
        for entry in ("command", "mention", "action")
    }
    assert took == {"command": 1, "mention": 1, "action": 1}
    assert value(meter, "answers_total", command="ask", outcome="answered") == 2
    assert value(meter, "step_duration_seconds_count", step="post") == 2
    # A mention comes as two events; the second one is left out.
    assert value(meter, "slack_deliveries_total", outcome="new") >= 3


async def test_a_listener_that_breaks_is_a_failure_told_with_the_reference_of_its_log_lines(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    meter = bench.fakes.watch.meter
    bench.fakes.suggestions.error = OpsbotError("look", "the disk is full", "Free some.")
    await bench.type("help")
    await bench.settle()
    assert value(meter, "request_failures_total", entry="command") == 1
    reference = caplog.messages[-1].rpartition("ref ")[2]
    assert reference in str(bench.ephemerals()[-1])


async def test_questions_behind_another_in_their_thread_are_a_queue(bench: Bench) -> None:
    meter, gate = bench.fakes.watch.meter, asyncio.Event()
    bench.fakes.answerer.scripts = [told("It restarts.", gate=gate)]
    ts = bench.say("<@UOPSBOT> why?")
    bench.say("<@UOPSBOT> and now?", thread=ts)
    await bench.eventually(lambda: value(meter, "queue_length", queue="turns") == 1)
    gate.set()
    await bench.settle()
    assert value(meter, "queue_length", queue="turns") == 0


async def test_an_answer_that_slack_takes_nowhere_is_dropped(bench: Bench) -> None:
    for method in ("chat.startStream", "chat.postMessage", "chat.update", "chat.stopStream"):
        bench.fault(kind="error", method=method, error="invalid_blocks", times=99)
    bench.say("<@UOPSBOT> why?")
    meter = bench.fakes.watch.meter
    await bench.eventually(lambda: value(meter, "dropped_deliveries_total", what="answer"))
    await bench.settle()
    assert value(meter, "request_failures_total", entry="mention") == 1


async def test_each_try_of_a_call_to_slack_is_counted() -> None:
    meter = Meter()
    async with run_workspace() as running:
        trace = counting(meter, running.api_url)
        async with aiohttp.ClientSession(trace_configs=[trace]) as session:
            client = make_client(world.BOT_TOKEN, running.api_url, session)
            running.controls.faults.add(
                {"kind": "ratelimited", "method": "auth.test", "times": 1, "retry_after_seconds": 1}
            )
            await client.auth_test()
            away = make_client(world.BOT_TOKEN, "http://127.0.0.1:9/api/", session)
            away.retry_handlers = []
            with pytest.raises(aiohttp.ClientError):
                await away.auth_test()

    def calls(outcome: str) -> float:
        return value(meter, "slack_calls_total", method="auth.test", outcome=outcome)

    assert (calls("rate_limited"), calls("answered"), calls("unreachable")) == (1, 1, 1)

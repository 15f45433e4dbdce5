"""Alerts that other bots post: which messages are one, and the one reply that they get."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.access import Policy
from bot.alertposts import Sender, alert_of
from bot.services import EdgeLimits
from core.answers import Answer, Done, Scope
from core.errors import KnowledgeError
from sandbox.slack.world import TEAM_ID
from tests.bot.alerts import alertmanager, grafana, pagerduty
from tests.bot.bench import Bench, Json, open_bench, seen
from tests.bot.samples import HOSTILE, answer

POLICY = Policy(home_team=TEAM_ID, alert_channels=frozenset({"CINCIDENTS", "CPARTNERS"}))


@pytest.fixture(params=["socket", "http"])
async def alerted(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """A bot that answers alerts in #incidents, on either transport."""
    async with open_bench(request.param, policy=POLICY) as bench:
        yield bench


def post(bench: Bench, parts: Json, channel: str = "incidents", thread: str = "") -> str:
    """Post as the bot of another app; gives the ts."""
    return str(bench.running.controls.post_as_bot(channel, "alerts", "", parts, thread)["ts"])


def from_bot(parts: Json, **more: Any) -> Json:
    return {"type": "message", "bot_id": "B1", "ts": "1.0", "text": "", **parts, **more}


@pytest.mark.parametrize(
    ("parts", "sender", "title"),
    [
        (alertmanager(), Sender.ALERTMANAGER, "KubePodCrashLooping shop payments"),
        (grafana(), Sender.GRAFANA, "HighErrorRate checkout"),
        (pagerduty(), Sender.PAGERDUTY, "*Triggered* #4711 ledger volume is full"),
    ],
)
def test_each_programs_message_is_read(parts: Json, sender: Sender, title: str) -> None:
    alert = alert_of(from_bot(parts))
    assert alert is not None
    assert (alert.sender, alert.title, alert.is_firing) == (sender, title, True)
    assert "Acknowledge" not in alert.text
    assert "FIRING" not in alert.text


@pytest.mark.parametrize(
    "parts",
    [
        alertmanager(status="RESOLVED"),
        grafana(status="RESOLVED"),
        pagerduty("Acknowledged"),
        pagerduty("Resolved"),
    ],
)
def test_what_is_over_or_in_hand_fires_no_more(parts: Json) -> None:
    alert = alert_of(from_bot(parts))
    assert alert is not None
    assert not alert.is_firing


def test_updates_of_an_alert_have_its_identity_and_others_do_not() -> None:
    first = alert_of(from_bot(alertmanager()))
    assert first is not None
    for update in (
        alertmanager(status="FIRING:3", shared="(prometheus)"),
        alertmanager(status="FIRING:2, RESOLVED:1"),
        alertmanager(status="RESOLVED"),
    ):
        again = alert_of(from_bot(update))
        assert again is not None
        assert again.identity == first.identity
    others = [alertmanager("NodeNotReady worker-2"), grafana("KubePodCrashLooping shop payments")]
    paged = [alert_of(from_bot(pagerduty(incident=name))) for name in ("QAAA", "QBBB")]
    found = [first, *paged, *(alert_of(from_bot(parts)) for parts in others)]
    assert len({each.identity for each in found if each}) == 5


def test_a_template_of_ones_own_is_known_by_its_link_back() -> None:
    own = {"title": ":fire: disk", "title_link": "http://am/#/alerts?receiver=x", "color": "danger"}
    assert alert_of(from_bot({"attachments": [own]})) is not None
    over = alert_of(from_bot({"attachments": [own | {"color": "good"}]}))
    assert over is not None
    assert not over.is_firing


@pytest.mark.parametrize(
    "message",
    [
        {"type": "message", "user": "U1", "ts": "1.0", **alertmanager()},
        from_bot(alertmanager(), thread_ts="0.5"),
        from_bot(alertmanager(), edited={"user": "B1"}),
        from_bot(alertmanager(), hidden=True),
        from_bot({"text": "Deployed cart 1.2.3"}),
        from_bot({}),
    ],
)
def test_replies_edits_people_and_other_words_are_no_alerts(message: Json) -> None:
    assert alert_of(message) is None


_JSON = st.recursive(
    st.none() | st.text(max_size=20) | st.sampled_from(["[FIRING:1] x", "section", "mrkdwn"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "fields", "elements"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(_JSON, st.text(max_size=80))
def test_any_blocks_and_texts_can_be_read(blocks: Any, text: str) -> None:
    part = {"title": text, "text": text, "blocks": blocks, "color": text}
    alert = alert_of(from_bot({"text": text, "blocks": blocks, "attachments": [part]}))
    assert alert is None or (alert.identity and len(alert.text) <= 1500)


async def test_an_alert_gets_one_reply_in_its_thread(alerted: Bench) -> None:
    ts = post(alerted, alertmanager())
    (reply,) = await alerted.eventually(lambda: alerted.own("incidents"))
    await alerted.settle()
    assert alerted.own("incidents") == [reply]
    assert reply["thread_ts"] == ts
    assert "Raise the limit [1]." in seen(reply)
    ((asked, history),) = alerted.fakes.task.asked
    assert asked.splitlines()[0] == "KubePodCrashLooping shop payments"
    assert "CrashLoopBackOff" in asked
    assert history == ()
    assert alerted.fakes.task.scopes == [Scope(channel="CINCIDENTS")]


async def test_updates_repeats_and_the_end_of_it_get_none(alerted: Bench) -> None:
    for parts in (
        alertmanager(),
        alertmanager(status="FIRING:2"),
        alertmanager(status="RESOLVED"),
        alertmanager(),
        pagerduty(),
        pagerduty("Acknowledged"),
        pagerduty("Resolved"),
    ):
        post(alerted, parts)
    await alerted.settle()
    assert len(alerted.own("incidents")) == 2


async def test_what_was_over_before_it_was_seen_gets_none(alerted: Bench) -> None:
    post(alerted, grafana(status="RESOLVED"))
    await alerted.settle()
    assert not alerted.own("incidents")


async def test_a_storm_gets_so_many_replies_and_one_line(alerted: Bench) -> None:
    for number in range(50):
        post(alerted, alertmanager(f"PodDown shop pod-{number}"))
    await alerted.settle()
    said = alerted.own("incidents")
    replies = [row for row in said if row.get("thread_ts")]
    (line,) = [row for row in said if not row.get("thread_ts")]
    assert len(replies) == EdgeLimits().alert_replies
    assert len({row["thread_ts"] for row in replies}) == len(replies)
    assert "I looked up 5 in 10 minutes" in line["text"]


async def test_only_in_channels_that_were_named(alerted: Bench) -> None:
    post(alerted, alertmanager(), "ops")
    await alerted.settle()
    assert not alerted.own()


async def test_other_bots_and_ones_own_words_start_no_conversation(alerted: Bench) -> None:
    ts = post(alerted, alertmanager())
    await alerted.eventually(lambda: alerted.own("incidents"))
    post(alerted, alertmanager("Another one"), thread=ts)
    post(alerted, {"text": "I am a bot that says something"})
    await alerted.client.chat_postMessage(channel="CINCIDENTS", **alertmanager("Mine"))
    await alerted.settle()
    assert len(alerted.fakes.task.asked) == 1


async def test_a_redelivered_alert_is_answered_once(alerted: Bench) -> None:
    alerted.fault(kind="duplicate_event")
    post(alerted, grafana())
    await alerted.settle()
    assert len(alerted.own("incidents")) == 1


async def test_nothing_is_told_where_another_organisation_listens(alerted: Bench) -> None:
    controls = alerted.running.controls
    controls.arrange_channel("partners", private=False, archived=False, ext_shared=True)
    controls.invite("partners", "opsbot", remove=False)
    controls.invite("partners", "alerts", remove=False)
    post(alerted, alertmanager(), "partners")
    await alerted.settle()
    assert not alerted.own("partners")
    assert not alerted.fakes.task.asked


async def test_hostile_labels_and_findings_notify_nobody(alerted: Bench) -> None:
    alerted.fakes.task.scripts = [[Done(answer(HOSTILE))]]
    post(alerted, alertmanager(HOSTILE))
    (reply,) = await alerted.eventually(lambda: alerted.own("incidents"))
    workspace = alerted.running.workspace
    conversation = workspace.conversation("CINCIDENTS")
    assert workspace.notified(conversation, reply) == []
    assert "evil" not in str(workspace.entities(conversation, reply).hidden_links())


@pytest.mark.parametrize(
    "fails", [KnowledgeError("look", "it is gone", "Start it."), asyncio.Event()]
)
async def test_when_it_fails_nobody_is_bothered_and_the_log_tells(
    fails: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_bench(policy=POLICY) as bench:
        object.__setattr__(bench.fakes.limits, "answer_timeout_seconds", 0.05)
        bench.fakes.task.scripts = [[fails]]
        post(bench, alertmanager())
        await bench.settle()
        assert not bench.own("incidents")
        assert "got no reply" in caplog.text
        caplog.clear()


async def test_one_that_nothing_is_known_of_says_so(alerted: Bench) -> None:
    nothing = Answer("x", "I know no runbook for this alert.", is_grounded=False)
    alerted.fakes.task.scripts = [[Done(nothing)]]
    post(alerted, alertmanager())
    (reply,) = await alerted.eventually(lambda: alerted.own("incidents"))
    assert "I know no runbook" in seen(reply)

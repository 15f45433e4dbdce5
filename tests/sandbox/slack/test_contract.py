"""One contract, over Socket Mode and over signed HTTP: what a Bolt app sees of the workspace."""

from __future__ import annotations

import asyncio
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_bolt.context.say.async_say import AsyncSay
from slack_bolt.context.say_stream.async_say_stream import AsyncSayStream
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox.slack.conftest import Bench

Json = dict[str, Any]


async def ignore(event: Json) -> None:
    """Bolt answers 404 for an event without a listener; Slack would retry it."""


async def test_a_mention_arrives_as_message_and_as_app_mention(bench: Bench) -> None:
    bench.app.event("message")(ignore)
    bench.app.event("app_mention")(ignore)
    ts = await bench.say("#ops", "@opsbot why is <checkout> down & what does #incidents say?")
    await bench.attempts(2)
    by_type = {body["event"]["type"]: body for body in bench.seen}
    assert by_type["message"]["event_id"] != by_type["app_mention"]["event_id"]
    message, mention = by_type["message"]["event"], by_type["app_mention"]["event"]
    assert (message["ts"], message["channel"], message["channel_type"]) == (ts, "COPS", "channel")
    assert mention["ts"] == ts
    assert mention["text"] == (
        "<@UOPSBOT> why is &lt;checkout&gt; down &amp; what does <#CINCIDENTS|incidents> say?"
    )
    assert message["client_msg_id"]
    assert message["blocks"][0]["type"] == "rich_text"
    envelope = by_type["message"]
    assert envelope["type"] == "event_callback"
    assert envelope["authorizations"][0]["user_id"] == "UOPSBOT"
    assert envelope["is_ext_shared_channel"] is False


async def test_the_bot_does_not_hear_itself_but_hears_another_bot(bench: Bench) -> None:
    heard: list[str] = []
    sent: list[Json] = []
    bench.workspace.watch_events(sent.append)

    @bench.app.event("message")
    async def on_message(event: Json) -> None:
        heard.append(event["text"])

    bench.app.event("app_mention")(ignore)
    await bench.client.chat_postMessage(channel="COPS", text="<@UOPSBOT> talking to myself")
    await bench.say("ops", "@opsbot KubePodCrashLooping", user="alerts")
    await bench.attempts(3)
    assert heard == ["<@UOPSBOT> KubePodCrashLooping"]
    own, *others = sent
    assert own["bot_id"] == "BOPSBOT"
    assert own["bot_profile"]["user_id"] == "UOPSBOT"
    assert [event["type"] for event in others] == ["message", "app_mention"]
    assert others[0]["subtype"] == "bot_message"


async def test_a_direct_message_is_no_mention(bench: Bench) -> None:
    @bench.app.event("message")
    async def on_message(event: Json, say: AsyncSay) -> None:
        await say(f"heard in {event['channel_type']}", thread_ts=event["ts"])

    ts = await bench.say("@opsbot", "hello @opsbot")
    await bench.attempts(2)
    messages = (await bench.look("messages", channel="@opsbot", thread_ts=ts))["messages"]
    assert [row["text"] for row in messages] == ["hello <@UOPSBOT>", "heard in im"]
    assert not bench.events("app_mention")


async def test_edits_and_deletions_are_hidden_messages_and_an_edit_mentions_again(
    bench: Bench,
) -> None:
    bench.app.event("message")(ignore)
    bench.app.event("app_mention")(ignore)
    ts = await bench.say("ops", "the payments pods")
    await bench.do("edit", channel="ops", ts=ts, text="@opsbot the payments pods")
    await bench.do("delete", channel="ops", ts=ts)
    await bench.attempts(4)
    by_subtype = {event.get("subtype"): event for event in bench.events("message")}
    assert set(by_subtype) == {None, "message_changed", "message_deleted"}
    assert by_subtype["message_deleted"]["deleted_ts"] == ts
    changed = by_subtype["message_changed"]
    assert changed["hidden"] is True
    assert changed["previous_message"]["text"] == "the payments pods"
    assert changed["message"]["edited"]["user"] == "UYOU"
    assert bench.events("app_mention")[0]["edited"]


async def test_an_answer_streams_into_the_thread(bench: Bench) -> None:
    bench.app.event("message")(ignore)
    done = asyncio.Event()

    @bench.app.event("app_mention")
    async def on_mention(say_stream: AsyncSayStream) -> None:
        stream = await say_stream(buffer_size=1)
        await stream.append(markdown_text="**14** ")
        await stream.append(markdown_text="restarts")
        await stream.stop(blocks=[{"type": "divider"}])
        done.set()

    ts = await bench.say("ops", "@opsbot how often?")
    await done.wait()
    thread = (await bench.look("messages", channel="ops", thread_ts=ts))["messages"]
    parent, answer = thread
    assert parent["reply_count"] == 1
    assert answer["text"] == "**14** restarts"
    assert [block["type"] for block in answer["blocks"]] == ["markdown", "divider"]
    calls = [row["method"] for row in (await bench.look("calls"))["calls"]]
    assert [name for name in calls if "Stream" in name] == [
        "chat.startStream",
        "chat.appendStream",
        "chat.stopStream",
    ]


async def test_a_command_is_answered_through_its_response_url(bench: Bench) -> None:
    got: list[Json] = []

    @bench.app.command("/k8s")
    async def on_command(ack: AsyncAck, respond: AsyncRespond, command: Json) -> None:
        got.append(command)
        await ack()
        await respond("Looking…")
        await respond("Found & done", replace_original=True)

    result = await bench.do("command", channel="ops", command="/k8s", text="ask <why> & how")
    assert result["acked"]
    await bench.until(lambda: len(bench.running.controls.recorder.calls_json("response_url")) == 2)
    assert [row["text"] for row in await bench.ephemerals()] == ["Found & done"]
    (command,) = got
    assert command["text"] == "ask &lt;why&gt; &amp; how"
    assert (command["channel_name"], command["user_id"]) == ("ops", "UYOU")
    assert "thread_ts" not in command
    assert (await bench.look("messages", channel="ops"))["messages"] == []


async def test_words_in_the_confirmation_are_shown(bench: Bench) -> None:
    @bench.app.command("/k8s")
    async def on_command(ack: AsyncAck) -> None:
        await ack("Usage: `/k8s ask …`")

    await bench.do("command", channel="ops", command="/k8s", text="help")
    (shown,) = await bench.ephemerals()
    assert shown["text"] == "Usage: `/k8s ask …`"
    assert await bench.ephemerals("ines") == []


async def test_a_command_that_is_not_confirmed_shows_operation_timeout(bench: Bench) -> None:
    @bench.app.command("/k8s")
    async def on_command(ack: AsyncAck) -> None:
        await asyncio.sleep(0.6)
        await ack()

    result = await bench.do("command", channel="ops", command="/k8s", text="slow")
    assert not result["acked"]
    assert result["error"] == "operation_timeout"
    (note,) = await bench.ephemerals()
    assert note["user"] == "USLACKBOT"
    assert note["text"] == '/k8s failed with the error "operation_timeout"'
    await asyncio.sleep(0.3)  # let the listener end before its app is closed


async def test_an_unconfirmed_event_is_delivered_again_with_the_same_id(bench: Bench) -> None:
    retries: list[tuple[str | None, str | None]] = []

    @bench.app.middleware
    async def refuse_twice(req: Any, resp: Any, next: Any) -> Any:  # noqa: A002  (Bolt's name)
        def header(name: str) -> str | None:
            values = req.headers.get(name)
            return values[0] if values else None

        retries.append((header("x-slack-retry-num"), header("x-slack-retry-reason")))
        if len(retries) < 3:
            resp.status = 500
            return resp
        return await next()

    bench.app.event("message")(ignore)
    await bench.say("ops", "one")
    await bench.attempts(2)
    await bench.do("clock", advance_seconds=60)
    attempts = await bench.attempts(3)
    assert [row["number"] for row in attempts] == [0, 1, 2]
    assert len({row["key"] for row in attempts}) == 1
    assert attempts[-1]["outcome"] == "acked"
    is_socket = attempts[0]["outcome"] == "timeout"
    reason = "timeout" if is_socket else "http_error"
    first = ("0", "") if is_socket else (None, None)
    assert retries == [first, ("1", reason), ("2", reason)]


async def test_a_button_sends_block_actions_and_its_message_can_be_replaced(bench: Bench) -> None:
    got: list[Json] = []

    @bench.app.action("retry")
    async def on_retry(ack: AsyncAck, respond: AsyncRespond, body: Json) -> None:
        await ack()
        got.append(body)
        await respond("Tried again", replace_original=True)

    button = {
        "type": "button",
        "action_id": "retry",
        "text": {"type": "plain_text", "text": "Retry"},
        "value": "ref-1",
    }
    posted = await bench.client.chat_postMessage(
        channel="COPS", text="It failed", blocks=[{"type": "actions", "elements": [button]}]
    )
    ts = str(posted["ts"])
    result = await bench.do("action", channel="ops", message_ts=ts, action_id="retry")
    assert result["acked"]
    await bench.until(lambda: bench.running.controls.recorder.calls_json("response_url"))
    (body,) = got
    assert body["type"] == "block_actions"
    assert body["actions"][0]["value"] == "ref-1"
    assert body["message"]["ts"] == body["container"]["message_ts"] == ts
    (message,) = (await bench.look("messages", channel="ops"))["messages"]
    assert message["text"] == "Tried again"
    assert message["blocks"] == []


async def test_an_ephemeral_button_can_delete_its_message_and_post_for_everyone(
    bench: Bench,
) -> None:
    got: list[Json] = []

    @bench.app.action("share")
    async def on_share(ack: AsyncAck, respond: AsyncRespond, body: Json) -> None:
        await ack()
        got.append(body)
        await respond("For everyone", response_type="in_channel")
        await respond(delete_original=True)

    button = {
        "type": "button",
        "action_id": "share",
        "text": {"type": "plain_text", "text": "Share"},
    }
    blocks = [{"type": "actions", "elements": [button]}]
    await bench.client.chat_postEphemeral(
        channel="COPS", user="UYOU", text="Only you", blocks=blocks
    )
    (shown,) = await bench.ephemerals()
    await bench.do("action", channel="ops", message_ts=shown["ts"], action_id="share")
    await bench.until(lambda: len(bench.running.controls.recorder.calls_json("response_url")) == 2)
    assert got[0]["container"]["is_ephemeral"] is True
    assert "message" not in got[0]
    assert await bench.ephemerals() == []
    (message,) = (await bench.look("messages", channel="ops"))["messages"]
    assert message["text"] == "For everyone"


async def test_a_vote_carries_the_value_of_the_button_pressed(bench: Bench) -> None:
    votes: list[str] = []

    @bench.app.action("vote")
    async def on_vote(ack: AsyncAck, action: Json) -> None:
        votes.append(action["value"])
        await ack()

    def choice(text: str, value: str) -> Json:
        return {"text": {"type": "plain_text", "text": text}, "value": value}

    feedback = {
        "type": "feedback_buttons",
        "action_id": "vote",
        "positive_button": choice("Good", "up"),
        "negative_button": choice("Bad", "down"),
    }
    posted = await bench.client.chat_postMessage(
        channel="COPS", text="a", blocks=[{"type": "context_actions", "elements": [feedback]}]
    )
    place = {"channel": "ops", "message_ts": posted["ts"], "action_id": "vote"}
    await bench.do("action", **place, value="down")
    assert votes == ["down"]
    refused = await bench.do("action", **place, value="sideways", expect=400)
    assert (refused["field"], refused["allowed"]) == ("value", ["up", "down"])


async def test_a_modal_opens_complains_and_closes(bench: Bench) -> None:
    got: list[Json] = []

    @bench.app.shortcut("report")
    async def on_shortcut(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        opened = await client.views_open(trigger_id=body["trigger_id"], view=MODAL)
        got.append(opened["view"])

    @bench.app.view("why")
    async def on_view(ack: AsyncAck, view: Json) -> None:
        said = view["state"]["values"]["reason"]["text"]["value"]
        if said is None:
            await ack(response_action="errors", errors={"reason": "Say why"})
        else:
            got.append(view)
            await ack()

    await bench.do("shortcut", callback_id="report")
    await bench.until(lambda: got)
    state = await bench.look("state")
    assert state["modals"][0]["view"]["id"] == got[0]["id"]
    refused = await bench.do("view", action="submit")
    assert refused["errors"] == {"reason": "Say why"}
    done = await bench.do("view", action="submit", values={"reason": "wrong service"})
    assert done["errors"] == {}
    assert got[-1]["state"]["values"]["reason"]["text"]["value"] == "wrong service"
    assert (await bench.look("state"))["modals"] == []


async def test_a_modal_can_be_replaced_pushed_and_cleared(bench: Bench) -> None:
    answers = iter(
        (
            {"response_action": "update", "view": MODAL},
            {"response_action": "push", "view": MODAL},
            {"response_action": "clear"},
        )
    )

    @bench.app.shortcut("report")
    async def on_shortcut(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)
        await ack()

    @bench.app.view("why")
    async def on_view(ack: AsyncAck) -> None:
        await ack(**next(answers))

    await bench.do("shortcut", callback_id="report")
    shown = []
    for _ in range(3):
        await bench.do("view", values={"reason": "x"})
        shown.append(len((await bench.look("state"))["modals"]))
    assert shown == [1, 2, 0]


async def test_a_message_shortcut_brings_the_message(bench: Bench) -> None:
    got: list[Json] = []

    @bench.app.shortcut("explain")
    async def on_shortcut(ack: AsyncAck, shortcut: Json) -> None:
        got.append(shortcut)
        await ack()

    bench.app.event("message")(ignore)
    ts = await bench.say("ops", "FATAL redis: connection refused")
    await bench.do("shortcut", callback_id="explain", channel="ops", message_ts=ts)
    assert got[0]["type"] == "message_action"
    assert got[0]["message"]["text"] == "FATAL redis: connection refused"
    assert got[0]["response_url"].startswith(bench.running.url)


async def test_home_reactions_joins_and_stop_reach_the_app(bench: Bench) -> None:
    kinds = ("app_home_opened", "reaction_added", "reaction_removed", "member_joined_channel")
    for kind in (*kinds, "message", "agent_session_stopped"):
        bench.app.event(kind)(ignore)
    await bench.do("home", tab="home")
    ts = await bench.say("ops", "look")
    await bench.do("reaction", channel="ops", message_ts=ts, name="eyes")
    await bench.do("reaction", channel="ops", message_ts=ts, name="eyes", remove=True)
    await bench.do("invite", channel="ops", user="opsbot", remove=True)
    await bench.do("invite", channel="ops", user="opsbot")
    await bench.do("stop", channel="ops", thread_ts=ts)
    attempts = await bench.attempts(6)
    assert {row["what"] for row in attempts} == {*kinds, "message", "agent_session_stopped"}
    assert {row["outcome"] for row in attempts} == {"acked"}


async def test_a_button_of_the_home_tab_names_its_view_and_no_channel(bench: Bench) -> None:
    got: list[Json] = []

    @bench.app.action("refresh")
    async def on_refresh(ack: AsyncAck, body: Json) -> None:
        got.append(body)
        await ack()

    button = {"type": "button", "action_id": "refresh", "value": "now",
              "text": {"type": "plain_text", "text": "Refresh"}}  # fmt: skip
    view: Json = {
        "type": "home",
        "private_metadata": "D1",
        "blocks": [{"type": "actions", "elements": [button]}],
    }
    await bench.client.views_publish(user_id="UINES", view=view)
    assert (await bench.do("home_action", user="ines", action_id="refresh"))["acked"]
    (body,) = got
    assert body["type"] == "block_actions"
    assert body["container"] == {"type": "view", "view_id": body["view"]["id"]}
    assert body["view"]["private_metadata"] == "D1"
    assert body["actions"][0]["value"] == "now"
    assert not {"channel", "message", "response_url"} & set(body)


async def test_another_bots_attachments_reach_the_app_as_they_were_posted(bench: Bench) -> None:
    bench.app.event("message")(ignore)
    parts = {"attachments": [{"title": "[FIRING:1] Down", "color": "danger"}]}
    await bench.do("bot_message", channel="ops", parts=parts)
    await bench.attempts(1)
    (body,) = bench.seen
    assert body["event"]["subtype"] == "bot_message"
    assert body["event"]["bot_id"] == "BALERTS"
    assert body["event"]["attachments"] == parts["attachments"]


async def test_scripted_duplicates_and_reordering_reach_the_app(bench: Bench) -> None:
    bench.app.event("message")(ignore)
    await bench.do("faults", kind="duplicate_event")
    await bench.say("ops", "twice")
    await bench.attempts(2)
    assert len({body["event_id"] for body in bench.seen}) == 1
    await bench.do("faults", kind="reorder_events")
    await bench.say("ops", "first")
    await bench.say("ops", "second")
    await bench.attempts(4)
    await bench.until(lambda: len(bench.seen) == 4)
    assert sorted(event["text"] for event in bench.events("message")[2:]) == ["first", "second"]


MODAL: Json = {
    "type": "modal",
    "callback_id": "why",
    "title": {"type": "plain_text", "text": "What was wrong?"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}

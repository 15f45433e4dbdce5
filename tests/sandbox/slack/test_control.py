"""The control API: what people do, and refusals that name the field and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from sandbox.slack import world
from tests.sandbox.slack.conftest import Bench, Desk

Json = dict[str, Any]
SHOUT: Json = {"channel": "ops", "text": "x"}


@pytest.mark.parametrize(
    ("what", "fields", "field"),
    [
        ("message", {"channel": "nowhere", "text": "x"}, "channel"),
        ("message", {**SHOUT, "user": "nobody"}, "user"),
        ("message", {**SHOUT, "text": "  "}, "text"),
        ("message", {**SHOUT, "text": 7}, "text"),
        ("message", {"channel": "ops"}, "text"),
        ("message", {**SHOUT, "thread_ts": "1.0"}, "thread_ts"),
        ("message", {**SHOUT, "colour": "red"}, "colour"),
        ("command", {"channel": "ops", "command": "/sing"}, "command"),
        ("action", {"channel": "ops", "message_ts": "1.0", "action_id": "a"}, "message_ts"),
        ("edit", {"channel": "ops", "ts": "1.0", "text": "x"}, "ts"),
        ("delete", {"channel": "ops", "ts": "1.0"}, "ts"),
        ("reaction", {"channel": "ops", "message_ts": "1.0", "name": "x"}, "message_ts"),
        ("shortcut", {"callback_id": "nope"}, "callback_id"),
        ("view", {"view_id": "V1"}, "view_id"),
        ("home", {"tab": "about"}, "tab"),
        ("home_action", {"action_id": "refresh"}, "user"),
        ("bot_message", {"channel": "ops", "user": "ines", "text": "x"}, "user"),
        ("stop", {"channel": "ops", "thread_ts": "1.0"}, "thread_ts"),
        ("invite", {"channel": "@opsbot", "user": "ines"}, "channel"),
        ("invite", {"channel": "ops", "user": "ines", "remove": "yes"}, "remove"),
        ("channel", {"name": "Bad Name"}, "name"),
        ("channel", {"name": "o-p-s"}, "name"),
        ("user", {"name": "ines"}, "name"),
        ("user", {"name": "i-nes"}, "name"),
        ("app", {"scopes": "chat:write"}, "scopes"),
        ("app", {"request_url": "http://x"}, "request_url"),
        ("clock", {"speed": 0}, "speed"),
        ("clock", {"advance_seconds": -1}, "advance_seconds"),
        ("faults", {"kind": "flood"}, "kind"),
        ("faults", {"kind": "latency", "latency_seconds": "slow"}, "latency_seconds"),
        ("faults", {"kind": "latency", "colour": "red"}, "colour"),
        ("faults", {"kind": "latency", "times": 0}, "times"),
        ("reset", {"really": True}, "really"),
        ("view", {"values": []}, "values"),
    ],
)
async def test_wrong_requests_are_refused_by_field(
    desk: Desk, what: str, fields: Json, field: str
) -> None:
    refused = await desk.do(what, expect=400, **fields)
    assert refused["ok"] is False
    assert refused["field"] == field
    assert refused["error"]
    assert refused["allowed"] is not None


async def test_a_body_must_be_a_json_object(desk: Desk) -> None:
    url = f"{desk.running.url}/_control/message"
    for body in ("[1]", "{"):
        async with desk.session.post(url, data=body) as response:
            assert response.status == 400
            assert (await response.json())["field"] == "body"
    refused = await desk.look("messages", channel="nowhere", expect=400)
    assert refused["allowed"] == ["general", "incidents", "ops", "@opsbot"]


async def test_people_write_edit_and_delete_their_own_messages(desk: Desk) -> None:
    ts = await desk.say("ops", "one", user="ines")
    reply = await desk.say("ops", "two", user="UTOMAS", thread_ts=ts)
    below = await desk.say("ops", "three", thread_ts=reply)
    thread = (await desk.look("messages", channel="COPS", thread_ts=ts))["messages"]
    assert [row["user"] for row in thread] == ["UINES", "UTOMAS", "UYOU"]
    assert {row["thread_ts"] for row in thread} == {ts}
    refused = await desk.do("edit", expect=400, channel="ops", ts=ts, text="x")
    assert (refused["field"], refused["allowed"]) == ("user", ["UINES"])
    edited = await desk.do("edit", channel="ops", user="ines", ts=ts, text="1")
    assert edited["message"]["blocks"][0]["elements"][0]["elements"][0]["text"] == "1"
    await desk.do("delete", channel="ops", ts=below)
    parent, *_ = (await desk.look("messages", channel="ops"))["messages"]
    assert parent["reply_count"] == 1


async def test_archived_channels_take_no_messages(desk: Desk) -> None:
    await desk.do("channel", name="ops", is_archived=True)
    refused = await desk.do("message", expect=400, **SHOUT)
    assert refused["error"] == "#ops is archived"


async def test_a_command_without_an_app_fails_visibly(desk: Desk) -> None:
    result = await desk.do("command", channel="ops", command="/k8s", text="status")
    assert (result["acked"], result["error"]) == (False, "dispatch_failed")
    (note,) = await desk.ephemerals()
    assert note["text"] == '/k8s failed with the error "dispatch_failed"'


async def test_a_user_group_tells_its_members_to_an_app_with_the_scope(desk: Desk) -> None:
    await desk.do("usergroup", id="S0ONCALL", users=["ines", "tomas"])
    with pytest.raises(SlackApiError, match="missing_scope"):
        await desk.client.usergroups_users_list(usergroup="S0ONCALL")
    desk.workspace.replace_app(scopes=frozenset({"usergroups:read"}))
    told = await desk.client.usergroups_users_list(usergroup="S0ONCALL")
    assert told["users"] == ["UINES", "UTOMAS"]
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        await desk.client.usergroups_users_list(usergroup="S0NOBODY")


async def test_strangers_and_guests_can_be_added(desk: Desk) -> None:
    await desk.do("user", name="eve", real_name="Eve", team_id="TOTHER")
    await desk.do("user", name="guest", is_restricted=True)
    made = await desk.do("channel", name="shared", is_ext_shared=True)
    await desk.do("invite", channel="shared", user="opsbot")
    assert made["channel"]["is_ext_shared"] is True
    assert (await desk.client.users_info(user="UEVE"))["user"]["team_id"] == "TOTHER"
    assert (await desk.client.users_info(user="UGUEST"))["user"]["is_restricted"] is True
    opened = await desk.client.apps_connections_open(app_token=world.APP_TOKEN)
    socket = await desk.session.ws_connect(str(opened["url"]))
    await socket.receive_json()
    ts = await desk.say("shared", "@opsbot hello", user="eve")
    message, mention = [(await socket.receive_json())["payload"] for _ in range(2)]
    await socket.close()
    assert message["is_ext_shared_channel"] is mention["is_ext_shared_channel"] is True
    assert mention["event"]["user_team"] == "TOTHER"
    assert mention["event"]["ts"] == ts


async def test_reactions_that_change_nothing_are_refused(desk: Desk) -> None:
    ts = await desk.say("ops", "x")
    fields: Json = {"channel": "ops", "message_ts": ts, "name": "eyes"}
    refused = await desk.do("reaction", expect=400, **fields, remove=True)
    assert refused["error"] == "no_reaction"


async def test_actions_name_what_the_message_offers(desk: Desk) -> None:
    menu = {
        "type": "static_select",
        "action_id": "window",
        "options": [
            {"text": {"type": "plain_text", "text": text}, "value": text} for text in ("1h", "6h")
        ],
    }
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}, "accessory": menu}
    posted = await desk.client.chat_postMessage(channel="COPS", text="x", blocks=[block])
    place: Json = {"channel": "ops", "message_ts": posted["ts"]}
    refused = await desk.do("action", expect=400, **place, action_id="nope")
    assert refused["allowed"] == ["window"]
    refused = await desk.do("action", expect=400, **place, action_id="window", value="9h")
    assert refused["allowed"] == ["1h", "6h"]
    sent = await desk.do("action", **place, action_id="window", value="6h")
    assert (sent["acked"], sent["error"]) == (False, "connection_failed")


async def test_notifications_and_hidden_links_are_told(desk: Desk) -> None:
    await desk.client.chat_postMessage(channel="COPS", text="quiet &lt;!here&gt;")
    loud = await desk.client.chat_postMessage(
        channel="COPS", text="<@UINES> <http://evil.example|runbook>"
    )
    found = (await desk.look("notifications", channel="ops"))["notifications"]
    assert found == [
        {
            "channel": "COPS",
            "ts": loud["ts"],
            "user": "UOPSBOT",
            "notified": ["UINES"],
            "hidden_links": [["http://evil.example", "runbook"]],
        }
    ]
    assert (await desk.look("notifications"))["notifications"] == found


async def test_reset_gives_a_clean_workspace(desk: Desk) -> None:
    await desk.say("ops", "x")
    await desk.say("@opsbot", "x")
    await desk.client.chat_postMessage(channel="COPS", text="y")
    await desk.do("user", name="eve")
    await desk.do("channel", name="extra")
    await desk.do("app", scopes=[], events=[])
    await desk.do("faults", kind="latency")
    await desk.do("command", channel="ops", command="/k8s", text="")
    await desk.do("reset")
    state = await desk.look("state")
    assert [row["name"] for row in state["channels"]] == ["general", "incidents", "ops"]
    assert len(state["users"]) == 9
    assert (await desk.look("messages", channel="ops"))["messages"] == []
    assert await desk.ephemerals() == []
    assert (await desk.look("faults"))["faults"] == []
    assert (await desk.look("calls"))["calls"] == []
    assert (await desk.look("deliveries"))["deliveries"] == []
    assert "chat:write" in desk.workspace.app.scopes


async def test_faults_can_be_cleared(desk: Desk) -> None:
    await desk.do("faults", kind="latency")
    assert (await desk.do("faults", clear=True))["faults"] == []
    replaced = await desk.do("faults", clear=True, kind="drop", method="auth.test")
    assert [row["kind"] for row in replaced["faults"]] == ["drop"]


async def test_a_response_url_runs_out(desk: Desk) -> None:
    await desk.do("command", channel="ops", command="/k8s", text="x")
    way_back = desk.running.controls.interactions.ways_back
    ops, you = desk.workspace.conversation("COPS"), "UYOU"

    async def post(issued: Any, **body: Any) -> tuple[int, str]:
        async with desk.session.post(way_back.address(issued), json=body) as response:
            return response.status, await response.text()

    used = way_back.issue(ops, you, None)
    assert (await post(used, markdown_text="x"))[1] == '{"ok": false, "error": "no_text"}'
    bad = {"text": "x", "blocks": [{"type": "song"}]}
    status, words = await post(used, **bad)
    assert (status, "invalid_blocks" in words) == (400, True)
    for number in range(3):
        assert await post(used, text=str(number), thread_ts="1.0") == (200, "ok")
    assert await post(used, text="x") == (404, '{"ok": false, "error": "used_url"}')
    old = way_back.issue(ops, you, None)
    await desk.do("clock", advance_seconds=1801)
    assert await post(old, text="x") == (404, '{"ok": false, "error": "expired_url"}')
    fresh = way_back.issue(ops, you, None)
    # A command's response cannot be deleted, so nothing is left to say.
    assert (await post(fresh, delete_original=True))[0] == 400
    await desk.do("faults", kind="ratelimited", method="response_url")
    assert (await post(fresh, text="x"))[0] == 429


async def test_a_response_url_replaces_what_it_came_from(desk: Desk) -> None:
    way_back = desk.running.controls.interactions.ways_back
    ops = desk.workspace.conversation("COPS")
    posted = desk.workspace.post(ops, desk.workspace.bot, "before")
    issued = way_back.issue(ops, "UYOU", posted)
    way_back.respond(issued.id, {"text": "after", "replace_original": True})
    assert ops.find(posted["ts"])["text"] == "after"
    way_back.respond(issued.id, {"delete_original": True})
    assert ops.messages == {}
    shown = desk.workspace.post_ephemeral(ops, "UYOU", "before")
    issued = way_back.issue(ops, "UYOU", shown)
    # An ephemeral message stays ephemeral, whatever is asked for.
    body = {"text": "after", "replace_original": True, "response_type": "in_channel"}
    way_back.respond(issued.id, body)
    assert [row["text"] for row in await desk.ephemerals()] == ["after"]
    way_back.respond(issued.id, {"delete_original": True})
    assert await desk.ephemerals() == []
    url = way_back.address(issued)
    async with desk.session.post(url, json=body) as response:
        assert response.status == 404


async def test_triggers_are_single_use_and_short_lived(bench: Bench) -> None:
    view: Json = {
        "type": "modal",
        "callback_id": "v",
        "title": {"type": "plain_text", "text": "T"},
        "blocks": [{"type": "divider"}],
        "notify_on_close": True,
    }
    closed: list[Json] = []

    @bench.app.command("/k8s")
    async def on_command(ack: Any) -> None:
        await ack()

    @bench.app.view_closed("v")
    async def on_closed(ack: Any, body: Json) -> None:
        closed.append(body)
        await ack()

    async def trigger() -> str:
        result = await bench.do("command", channel="ops", command="/k8s", text="x")
        return str(result["trigger_id"])

    async def error_of(method: str, **fields: Any) -> str:
        headers = {"Authorization": "Bearer xoxb-sandbox-opsbot"}
        url = f"{bench.running.api_url}{method}"
        async with bench.session.post(url, json=fields, headers=headers) as response:
            return str((await response.json()).get("error"))

    once = await trigger()
    opened = await bench.client.views_open(trigger_id=once, view=view)
    assert await error_of("views.open", trigger_id=once, view=view) == "exchanged_trigger_id"
    assert await error_of("views.open", trigger_id="1.x", view=view) == "invalid_trigger_id"
    late = await trigger()
    await bench.do("clock", advance_seconds=4)
    assert await error_of("views.open", trigger_id=late, view=view) == "expired_trigger_id"
    for _ in range(2):
        await bench.client.views_push(trigger_id=await trigger(), view=view)
    assert await error_of("views.push", trigger_id=await trigger(), view=view) == (
        "push_limit_reached"
    )
    first = opened["view"]
    stale = {"view_id": first["id"], "hash": "old", "view": view}
    assert await error_of("views.update", **stale) == "hash_conflict"
    assert await error_of("views.update", view_id="VNONE", view=view) == "not_found"
    updated = await bench.client.views_update(view_id=first["id"], view=view)
    assert updated["view"]["id"] == first["id"]
    refused = await bench.do("view", expect=400, action="fold")
    assert refused["allowed"] == ["submit", "close"]
    for _ in range(3):
        await bench.do("view", action="close")
    assert len(closed) == 3
    assert await error_of("views.push", trigger_id=await trigger(), view=view) == "not_found"


async def test_modal_values_are_checked_against_its_inputs(desk: Desk) -> None:
    def field(block_id: str, kind: str, **more: Any) -> Json:
        options = [{"text": {"type": "plain_text", "text": v}, "value": v} for v in "ab"]
        element = {"type": kind, "action_id": f"{block_id}-a"} | more
        if kind != "plain_text_input":
            element["options"] = options
        label = {"type": "plain_text", "text": block_id}
        return {"type": "input", "block_id": block_id, "label": label, "element": element}

    view: Json = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "T"},
        "submit": {"type": "plain_text", "text": "S"},
        "blocks": [
            field("text", "plain_text_input", initial_value="start"),
            field("one", "static_select"),
            field("many", "checkboxes"),
        ],
    }
    interactions = desk.running.controls.interactions
    trigger = interactions._new_trigger("UYOU")
    await desk.client.views_open(trigger_id=trigger, view=view)
    refused = await desk.do("view", expect=400, values={"nope": "x"})
    assert refused["allowed"] == ["many", "one", "text"]
    refused = await desk.do("view", expect=400, values={"one": "z"})
    assert refused["allowed"] == ["a", "b"]
    given = {"one-a": "b", "many": {"many-a": ["a"]}}
    failed = await desk.do("view", values=given)
    assert failed["errors"] == {"": "We had some trouble connecting. Try again?"}
    (opened,) = desk.workspace.views
    values = opened.view["state"]["values"]
    assert values["text"]["text-a"]["value"] == "start"
    assert values["one"]["one-a"]["selected_option"]["value"] == "b"
    assert [row["value"] for row in values["many"]["many-a"]["selected_options"]] == ["a"]
    await desk.do("view", action="close")
    assert desk.workspace.views == []

"""The Web API as `slack_sdk` meets it: arguments, tokens, scopes, limits, errors."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import world
from tests.sandbox.slack.conftest import Desk

Json = dict[str, Any]


async def refusal(call: Any) -> Json:
    """What Slack answers to a call it refuses."""
    with pytest.raises(SlackApiError) as caught:
        await call
    response = caught.value.response
    data: Json = response.data if isinstance(response.data, dict) else {}
    return data


async def error_of(call: Any) -> str:
    return str((await refusal(call))["error"])


def section(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def test_auth_test_names_team_and_bot(desk: Desk) -> None:
    answer = await desk.client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == (
        "TFENWICK",
        "UOPSBOT",
        "BOPSBOT",
    )
    assert "chat:write" in answer.headers["x-oauth-scopes"]


async def test_tokens_are_checked(desk: Desk) -> None:
    def client(token: str) -> AsyncWebClient:
        return AsyncWebClient(token=token, base_url=desk.running.api_url, session=desk.session)

    assert await error_of(client("xoxb-other").auth_test()) == "invalid_auth"
    async with desk.session.post(f"{desk.running.api_url}auth.test") as response:
        assert (await response.json())["error"] == "not_authed"
    assert await error_of(client(world.APP_TOKEN).auth_test()) == "not_allowed_token_type"
    bot_on_socket = desk.client.apps_connections_open(app_token=world.BOT_TOKEN)
    assert await error_of(bot_on_socket) == "not_allowed_token_type"


async def test_missing_scopes_are_named(desk: Desk) -> None:
    await desk.do("app", scopes=["chat:write"])
    told = await refusal(desk.client.reactions_add(channel="COPS", timestamp="1.0", name="x"))
    assert told["error"] == "missing_scope"
    assert (told["needed"], told["provided"]) == ("reactions:write", "chat:write")
    told = await refusal(desk.client.conversations_replies(channel="COPS", ts="1.0"))
    assert told["needed"] == "channels:history"
    await desk.do("reset")
    assert await error_of(desk.client.conversations_replies(channel="COPS", ts="1.0")) == (
        "thread_not_found"
    )


async def test_unknown_methods_are_named(desk: Desk) -> None:
    assert await error_of(desk.client.api_call("chat.sing")) == "unknown_method"


@pytest.mark.parametrize("encoding", ["json", "form", "multipart", "query"])
async def test_arguments_may_come_in_any_encoding(desk: Desk, encoding: str) -> None:
    url = f"{desk.running.api_url}chat.postMessage"
    fields = {"channel": "COPS", "text": "héllo", "token": world.BOT_TOKEN}
    blocks = '[{"type": "divider"}]'
    multipart = aiohttp.FormData(default_to_multipart=True)
    for name, value in (fields | {"blocks": blocks}).items():
        multipart.add_field(name, value)
    requests: dict[str, Json] = {
        "json": {"json": fields | {"blocks": [{"type": "divider"}]}},
        "form": {"data": fields | {"blocks": blocks}},
        "multipart": {"data": multipart},
        "query": {"params": fields | {"blocks": blocks}},
    }
    async with desk.session.post(url, **requests[encoding]) as response:
        answer = await response.json()
    assert answer["ok"], answer
    assert answer["message"]["text"] == "héllo"
    assert answer["message"]["blocks"][0]["type"] == "divider"
    (call,) = (await desk.look("calls", method="chat.postMessage"))["calls"]
    assert call["encoding"] == encoding
    assert "token" not in call["arguments"]


async def test_broken_json_is_refused(desk: Desk) -> None:
    url = f"{desk.running.api_url}chat.postMessage"
    fields = {"channel": "COPS", "text": "x", "token": world.BOT_TOKEN, "blocks": "[{"}
    async with desk.session.post(url, data=fields) as response:
        assert (await response.json())["error"] == "invalid_blocks_format"
    headers = {"Authorization": f"Bearer {world.BOT_TOKEN}", "Content-Type": "application/json"}
    async with desk.session.post(url, data="{", headers=headers) as response:
        assert (await response.json())["error"] == "invalid_arguments"
    call = desk.client.api_call("views.publish", params={"user_id": "UYOU", "view": "{"})
    assert await error_of(call) == "invalid_arguments"
    call = desk.client.api_call("conversations.history", params={"channel": "COPS", "limit": "x"})
    assert await error_of(call) == "invalid_arguments"


async def test_timestamps_only_grow(desk: Desk) -> None:
    stamps = [
        float(str((await desk.client.chat_postMessage(channel="COPS", text="x"))["ts"]))
        for _ in range(5)
    ]
    conversation = desk.workspace.conversation("COPS")
    same_moment = [conversation.next_ts(1.0) for _ in range(3)]
    assert sorted(set(stamps)) == stamps
    assert sorted(set(same_moment)) == same_moment
    assert float(same_moment[0]) > stamps[-1]


async def test_what_a_post_needs(desk: Desk) -> None:
    post = desk.client.chat_postMessage
    bare = desk.client.api_call("chat.postMessage", json={"channel": "COPS"})
    assert await error_of(bare) == "no_text"
    assert await error_of(post(channel="CNONE", text="x")) == "channel_not_found"
    both = post(channel="COPS", text="x", markdown_text="y")
    assert await error_of(both) == "markdown_text_conflict"
    assert await error_of(post(channel="COPS", markdown_text="x" * 12_001)) == "msg_too_long"
    told = await refusal(post(channel="COPS", text="x", blocks=[section("y" * 3001)]))
    assert told["error"] == "invalid_blocks"
    assert told["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]
    long = await post(channel="COPS", text="x" * 40_001)
    assert len(long["message"]["text"]) == 40_000
    marked = await post(channel="COPS", markdown_text="**x**")
    assert marked["message"]["blocks"][0]["type"] == "markdown"


async def test_where_the_bot_may_post(desk: Desk) -> None:
    post = desk.client.chat_postMessage
    await desk.do("invite", channel="ops", user="opsbot", remove=True)
    assert await error_of(post(channel="COPS", text="x")) == "not_in_channel"
    await desk.do("app", scopes=["chat:write", "chat:write.public", "im:write"])
    assert (await post(channel="#ops", text="x"))["channel"] == "COPS"
    await desk.do("channel", name="secret", is_private=True)
    assert await error_of(post(channel="CSECRET", text="x")) == "channel_not_found"
    await desk.do("channel", name="incidents", is_archived=True)
    assert await error_of(post(channel="CINCIDENTS", text="x")) == "is_archived"
    assert (await post(channel="UYOU", text="psst"))["channel"] == "DYOU"


async def test_only_own_messages_can_be_changed(desk: Desk) -> None:
    theirs = await desk.say("ops", "mine")
    client = desk.client
    assert await error_of(client.chat_update(channel="COPS", ts=theirs, text="x")) == (
        "cant_update_message"
    )
    assert await error_of(client.chat_delete(channel="COPS", ts=theirs)) == "cant_delete_message"
    assert await error_of(client.chat_update(channel="COPS", ts="1.0", text="x")) == (
        "message_not_found"
    )
    ts = str((await client.chat_postMessage(channel="COPS", text="x", blocks=[section("x")]))["ts"])
    too_long = client.chat_update(channel="COPS", ts=ts, text="x" * 4001)
    assert await error_of(too_long) == "msg_too_long"
    meta = {"event_type": "digest", "event_payload": {"slot": "1"}}
    changed = await client.chat_update(channel="COPS", ts=ts, text="y", metadata=meta)
    assert (changed["message"]["text"], changed["message"]["blocks"]) == ("y", [])
    await client.chat_delete(channel="COPS", ts=ts)
    assert len((await desk.look("messages", channel="ops"))["messages"]) == 1


async def test_ephemerals_are_for_one_member_and_not_in_history(desk: Desk) -> None:
    call = desk.client.chat_postEphemeral
    assert await error_of(call(channel="COPS", user="USLACKBOT", text="x")) == (
        "user_not_in_channel"
    )
    posted = await call(channel="COPS", user="UINES", text="psst")
    (shown,) = await desk.ephemerals("ines")
    assert (shown["ts"], shown["channel"]) == (posted["message_ts"], "COPS")
    assert (await desk.client.conversations_history(channel="COPS"))["messages"] == []


async def test_history_and_replies_are_paged(desk: Desk) -> None:
    client = desk.client
    meta = {"event_type": "digest", "event_payload": {"slot": "1"}}
    parent = str(
        (await client.chat_postMessage(channel="COPS", text="parent", metadata=meta))["ts"]
    )
    replies = [
        str((await client.chat_postMessage(channel="COPS", text=t, thread_ts=parent))["ts"])
        for t in "abc"
    ]
    second = await desk.say("ops", "second")
    newest = await client.conversations_history(channel="COPS", limit=1)
    assert [row["text"] for row in newest["messages"]] == ["second"]
    assert newest["has_more"] is True
    cursor = newest["response_metadata"]["next_cursor"]
    older = await client.conversations_history(
        channel="COPS", limit=1, cursor=cursor, include_all_metadata=True
    )
    (row,) = older["messages"]
    assert row["metadata"] == meta
    assert (row["reply_count"], row["reply_users"]) == (3, ["UOPSBOT"])
    assert older["has_more"] is False
    first = await client.conversations_replies(channel="COPS", ts=parent, limit=2)
    assert [row["text"] for row in first["messages"]] == ["parent", "a", "b"]
    assert "metadata" not in first["messages"][0]
    rest = await client.conversations_replies(
        channel="COPS", ts=parent, limit=2, cursor=first["response_metadata"]["next_cursor"]
    )
    assert [row["text"] for row in rest["messages"]] == ["parent", "c"]
    newer = await client.conversations_replies(channel="COPS", ts=parent, oldest=replies[1])
    assert [row["text"] for row in newer["messages"]] == ["parent", "c"]
    whole = await client.conversations_history(
        channel="COPS", oldest=parent, latest=second, inclusive=True
    )
    assert len(whole["messages"]) == 2
    broken = client.conversations_history(channel="COPS", cursor="???")
    assert await error_of(broken) == "invalid_cursor"


async def test_history_needs_membership(desk: Desk) -> None:
    ts = await desk.say("ops", "x")
    await desk.do("invite", channel="ops", user="opsbot", remove=True)
    client = desk.client
    assert await error_of(client.conversations_history(channel="COPS")) == "not_in_channel"
    assert await error_of(client.conversations_replies(channel="COPS", ts=ts)) == "not_in_channel"
    await desk.do("channel", name="secret", is_private=True)
    assert await error_of(client.conversations_info(channel="CSECRET")) == "channel_not_found"


async def test_conversations_and_people_can_be_looked_up(desk: Desk) -> None:
    client = desk.client
    listed = await client.conversations_list(limit=2)
    assert len(listed["channels"]) == 2
    more = await client.conversations_list(cursor=listed["response_metadata"]["next_cursor"])
    names = [row["name"] for row in [*listed["channels"], *more["channels"]]]
    assert sorted(names) == ["general", "incidents", "ops"]
    assert await error_of(client.conversations_list(types="rooms")) == "invalid_types"
    info = await client.conversations_info(channel="COPS")
    assert info["channel"]["is_member"] is True
    assert "UYOU" in (await client.conversations_members(channel="COPS"))["members"]
    opened = await client.conversations_open(users="UYOU", return_im=True)
    assert (opened["channel"]["id"], opened["channel"]["user"]) == ("DYOU", "UYOU")
    again = await client.conversations_open(channel="DYOU")
    assert again["channel"] == {"id": "DYOU"}
    ims = await client.conversations_list(types="im", exclude_archived=True)
    assert [row["id"] for row in ims["channels"]] == ["DYOU"]
    assert await error_of(client.conversations_open(users="UYOU,UINES")) == "invalid_arguments"
    user = await client.users_info(user="UTOMAS")
    assert user["user"]["real_name"] == "Tomás Brandt"
    assert await error_of(client.users_info(user="UNOBODY")) == "user_not_found"


async def test_permalinks_lead_to_the_page(desk: Desk) -> None:
    client = desk.client
    parent = await desk.say("ops", "parent")
    reply = await desk.say("ops", "reply", thread_ts=parent)
    link = await client.chat_getPermalink(channel="COPS", message_ts=reply)
    async with desk.session.get(link["permalink"], allow_redirects=False) as response:
        assert response.headers["Location"] == f"/#COPS/{reply}/{parent}"
    plain = await client.chat_getPermalink(channel="COPS", message_ts=parent)
    assert plain["permalink"].endswith(f"/archives/COPS/p{parent.replace('.', '')}")


async def test_reactions_are_counted_once(desk: Desk) -> None:
    ts = await desk.say("ops", "x")
    place: Json = {"channel": "COPS", "timestamp": ts, "name": ":eyes:"}
    await desk.client.reactions_add(**place)
    assert await error_of(desk.client.reactions_add(**place)) == "already_reacted"
    await desk.do("reaction", channel="ops", message_ts=ts, name="eyes")
    (message,) = (await desk.look("messages", channel="ops"))["messages"]
    assert message["reactions"] == [{"name": "eyes", "users": ["UOPSBOT", "UYOU"], "count": 2}]
    await desk.client.reactions_remove(**place)
    assert await error_of(desk.client.reactions_remove(**place)) == "no_reaction"
    for number in range(22):
        await desk.client.reactions_add(**place | {"name": f"n{number}"})
    assert await error_of(desk.client.reactions_add(**place | {"name": "n99"})) == "too_many_emoji"


async def test_files_are_uploaded_in_three_steps(desk: Desk) -> None:
    parent = await desk.say("ops", "chart please")
    done = await desk.client.files_upload_v2(
        content=b"\x89PNG", filename="chart.png", alt_txt="Errors", channel="COPS", thread_ts=parent
    )
    file = done["file"]
    assert file["alt_txt"] == "Errors"
    *_, message = (await desk.look("messages", channel="ops", thread_ts=parent))["messages"]
    assert message["files"][0]["id"] == file["id"]
    async with desk.session.get(file["url_private"]) as response:
        assert await response.read() == b"\x89PNG"
        assert response.content_type == "image/png"
    snippet = await desk.client.files_upload_v2(content="<b>log</b>", filename="log.html")
    async with desk.session.get(snippet["file"]["url_private"]) as response:
        assert response.headers["Content-Disposition"] == "attachment"
        assert response.content_type == "text/plain"


async def test_a_file_that_never_arrived_cannot_be_shared(desk: Desk) -> None:
    client = desk.client
    ticket = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    files: list[dict[str, str | None]] = [{"id": str(ticket["file_id"]), "title": "a"}]
    assert await error_of(client.files_completeUploadExternal(files=files)) == "file_not_found"
    assert await error_of(client.files_completeUploadExternal(files=[])) == "invalid_arguments"
    async with desk.session.post(str(ticket["upload_url"]), data=b"too long") as response:
        assert (response.status, await response.text()) == (400, "length_mismatch")
    async with desk.session.post(f"{desk.running.url}/upload/FNONE", data=b"x") as response:
        assert await response.text() == "file_not_found"
    form = aiohttp.FormData()
    form.add_field("file", b"abc", filename="a.txt")
    async with desk.session.post(str(ticket["upload_url"]), data=form) as response:
        assert await response.text() == "OK - 3"
    async with desk.session.get(f"{desk.running.url}/files/FNONE/a.txt") as response:
        assert response.status == 404


async def test_streams_need_a_thread_and_a_reader(desk: Desk) -> None:
    ts = await desk.say("ops", "x")
    start = desk.client.chat_startStream
    who: Json = {"recipient_user_id": "UYOU", "recipient_team_id": "TFENWICK"}
    assert await error_of(start(channel="COPS", thread_ts="", **who)) == "invalid_thread_ts"
    assert await error_of(start(channel="COPS", thread_ts=ts)) == "missing_recipient_user_id"
    half = start(channel="COPS", thread_ts=ts, recipient_user_id="UYOU")
    assert await error_of(half) == "missing_recipient_team_id"
    dm = await desk.say("@opsbot", "hello")
    assert (await start(channel="DYOU", thread_ts=dm))["ok"]


async def test_a_stream_ends_after_its_lifetime(desk: Desk) -> None:
    client = desk.client
    ts = await desk.say("@opsbot", "hello")
    stream = str((await client.chat_startStream(channel="DYOU", thread_ts=ts))["ts"])
    place: Json = {"channel": "DYOU", "ts": stream}
    assert await error_of(client.chat_update(**place, text="x")) == "streaming_state_conflict"
    await desk.do("clock", advance_seconds=301)
    gone = "message_not_in_streaming_state"
    assert await error_of(client.chat_appendStream(**place, markdown_text="x")) == gone
    assert await error_of(client.chat_stopStream(**place)) == gone
    await client.chat_update(**place, text="whole answer")
    *_, message = (await desk.look("messages", channel="@opsbot"))["messages"]
    assert (message["text"], message["streaming_state"]) == ("whole answer", "completed")


async def test_stream_chunks_are_checked_and_drawn(desk: Desk) -> None:
    client = desk.client
    ts = await desk.say("@opsbot", "hello")
    stream = str((await client.chat_startStream(channel="DYOU", thread_ts=ts))["ts"])
    place: Json = {"channel": "DYOU", "ts": stream}

    async def append(*chunks: Json) -> Any:
        return await client.chat_appendStream(**place, chunks=list(chunks))

    assert await error_of(append({"type": "song"})) == "invalid_chunks"
    assert await error_of(append({"type": "markdown_text"})) == "invalid_chunks"
    assert await error_of(append({"type": "task_update", "title": "x"})) == "invalid_chunks"
    long = {"type": "markdown_text", "text": "x" * 12_001}
    assert await error_of(append(long)) == "msg_too_long"
    bad_blocks = {"type": "blocks", "blocks": [{"type": "song"}]}
    assert await error_of(append(bad_blocks)) == "invalid_blocks"
    many = {"type": "blocks", "blocks": [{"type": "divider"}] * 50}
    await append(many)
    assert await error_of(append({"type": "blocks", "blocks": [{"type": "divider"}]})) == (
        "invalid_blocks"
    )
    both = client.chat_appendStream(**place, markdown_text="x", chunks=[long])
    assert await error_of(both) == "markdown_text_conflict"
    await append(
        {"type": "plan_update", "title": "Looking"},
        {"type": "task_update", "id": "1", "title": "Logs", "status": "in_progress"},
    )
    await client.chat_appendStream(**place, markdown_text="hi")
    assert await error_of(client.chat_stopStream(**place, blocks=[{"type": "song"}])) == (
        "invalid_blocks"
    )
    meta = {"event_type": "answer", "event_payload": {"ref": "1"}}
    stopped = await client.chat_stopStream(**place, metadata=meta)
    plan, text, *dividers = stopped["message"]["blocks"]
    assert (plan["title"], plan["tasks"][0]["status"]) == ("Looking", "in_progress")
    assert (text["text"], len(dividers)) == ("hi", 50)
    assert await error_of(client.chat_appendStream(channel="DYOU", ts=ts, markdown_text="x")) == (
        "message_not_owned_by_app"
    )


async def test_statuses_are_shown_until_the_bot_posts(desk: Desk) -> None:
    client = desk.client
    ts = await desk.say("ops", "x")
    place: Json = {"channel_id": "COPS", "thread_ts": ts}
    await client.assistant_threads_setStatus(**place, status="is thinking…")
    (status,) = (await desk.look("state"))["statuses"]
    assert status["status"] == "is thinking…"
    await client.chat_postMessage(channel="COPS", thread_ts=ts, text="done")
    assert (await desk.look("state"))["statuses"] == []
    await client.agents_sessions_setStatus(**place, status="processing")
    assert (await desk.look("state"))["statuses"][0]["status"] == "Working…"
    await desk.do("clock", advance_seconds=121)
    assert (await desk.look("state"))["statuses"] == []
    assert await error_of(client.agents_sessions_setStatus(**place, status="asleep")) == (
        "invalid_arguments"
    )
    many = client.assistant_threads_setStatus(
        **place, status="x", loading_messages=[str(n) for n in range(11)]
    )
    assert await error_of(many) == "invalid_arguments"
    await client.agents_sessions_rename(**place, title="Payments")
    prompts = [{"title": "a", "message": "b"}]
    await client.assistant_threads_setSuggestedPrompts(**place, prompts=prompts)


async def test_home_tabs_are_published(desk: Desk) -> None:
    view: Json = {"type": "home", "blocks": [section("Hello")]}
    await desk.client.views_publish(user_id="UYOU", view=view)
    home = (await desk.do("home"))["view"]
    assert home["blocks"][0]["text"]["text"] == "Hello"
    bad: Json = {"type": "home", "blocks": [{"type": "table", "rows": []}]}
    assert await error_of(desk.client.views_publish(user_id="UYOU", view=bad)) == (
        "invalid_arguments"
    )


async def test_the_bytes_of_a_file_can_be_refused(desk: Desk) -> None:
    await desk.do("faults", kind="http_error", method="upload", status=503)
    await desk.do("faults", kind="error", method="upload", error="file_uploads_disabled")
    ticket = await desk.client.files_getUploadURLExternal(filename="a.txt", length=1)
    for status in (503, 500, 200):
        async with desk.session.post(str(ticket["upload_url"]), data=b"x") as response:
            assert response.status == status


async def test_faults_strike_by_method_and_count_down(desk: Desk) -> None:
    client = desk.client
    await desk.do(
        "faults", kind="ratelimited", method="chat.postMessage", retry_after_seconds=7, times=2
    )
    for _ in range(2):
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel="COPS", text="x")
        response = caught.value.response
        assert response.status_code == 429
        assert response.headers["Retry-After"] == "7"
        assert response["error"] == "ratelimited"
    assert (await client.chat_postMessage(channel="COPS", text="x"))["ok"]
    await desk.do("faults", kind="http_error", status=503)
    with pytest.raises(SlackApiError) as caught:
        await client.auth_test()
    assert caught.value.response.status_code == 503
    await desk.do("faults", kind="error", error="missing_scope", fields={"needed": "a:b"})
    assert (await refusal(client.auth_test()))["needed"] == "a:b"
    await desk.do("faults", kind="latency", latency_seconds=0.01)
    assert (await client.auth_test())["ok"]
    await desk.do("faults", kind="drop", method="auth.test", times=2)  # the SDK tries once more
    with pytest.raises(aiohttp.ClientError):
        await client.auth_test()
    assert (await desk.look("faults"))["faults"] == []
    calls = (await desk.look("calls", method="auth.test"))["calls"]
    assert [row["error"] for row in calls][-2:] == ["connection_dropped", "connection_dropped"]


async def test_other_web_sites_are_refused(desk: Desk) -> None:
    headers = {"Origin": "http://evil.example"}
    url = f"{desk.running.url}/_control/state"
    async with desk.session.get(url, headers=headers) as response:
        assert response.status == 403
    async with desk.session.get(url, headers={"Origin": desk.running.url}) as response:
        assert response.status == 200

"""chat.startStream, appendStream, stopStream: a message that grows in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.slack import world
from sandbox.slack.blocks import MESSAGE_BLOCKS, check_message, with_ids
from sandbox.slack.errors import SlackError
from sandbox.slack.methods.call import MARKDOWN_TEXT_CHARACTERS, Call, Json
from sandbox.slack.things import Stream
from sandbox.slack.timeline import Conversation, Message

_CHUNKS = ("markdown_text", "task_update", "plan_update", "blocks")
_TASK_STATES = ("pending", "in_progress", "complete", "error")


def start_stream(call: Call) -> Json:
    """chat.startStream: needs a thread, and in channels the reader it streams for."""
    call.needed("channel")
    conversation = call.conversation(writing=True)
    if not call.text("thread_ts"):
        raise SlackError("invalid_thread_ts")
    if conversation.kind != "im":
        for name in ("recipient_user_id", "recipient_team_id"):
            if not call.text(name):
                raise SlackError(f"missing_{name}")
    stream = Stream(call.workspace.clock.now())
    _feed(call, stream)
    message = call.workspace.post(
        conversation,
        call.workspace.bot,
        stream.markdown,
        blocks=_render(stream),
        thread_ts=call.text("thread_ts"),
        extra={"streaming_state": "in_progress"},
    )
    call.workspace.streams[conversation.id, message["ts"]] = stream
    call.workspace.tell_status(conversation, call.text("thread_ts"), "")
    return {"channel": conversation.id, "ts": message["ts"]}


def append_stream(call: Call) -> Json:
    """chat.appendStream."""
    conversation, message, stream = _open_stream(call)
    _feed(call, stream)
    message |= {"text": stream.markdown, "blocks": _render(stream)}
    call.workspace.tell_message("message_changed", conversation, message)
    return {"channel": conversation.id, "ts": message["ts"]}


def stop_stream(call: Call) -> Json:
    """chat.stopStream: the last words, blocks below the text, and metadata."""
    conversation, message, stream = _open_stream(call)
    blocks = call.structure("blocks") or []
    complaints = check_message(blocks)
    if complaints:
        raise SlackError("invalid_blocks", complaints)
    _feed(call, stream)
    previous = dict(message)
    stream.is_open = False
    message |= {"text": stream.markdown, "blocks": _render(stream) + with_ids(blocks)}
    message["streaming_state"] = "completed"
    if call.arguments.get("metadata"):
        message["metadata"] = call.structure("metadata")
    call.workspace.tell_message("message_changed", conversation, message)
    call.workspace.emit_changed(conversation, message, previous)
    return {"channel": conversation.id, "ts": message["ts"], "message": dict(message)}


def _open_stream(call: Call) -> tuple[Conversation, Message, Stream]:
    call.needed("channel", "ts")
    conversation = call.conversation(writing=True)
    message = conversation.find(call.text("ts"))
    if message.get("user") != world.BOT_USER_ID:
        raise SlackError("message_not_owned_by_app")
    stream = call.workspace.streams.get((conversation.id, message["ts"]))
    if stream is None or not call.workspace.is_streaming(conversation, message["ts"]):
        raise SlackError("message_not_in_streaming_state")
    return conversation, message, stream


def _feed(call: Call, stream: Stream) -> None:
    """Add what a call brings; nothing is added when any of it is wrong."""
    chunks = call.structure("chunks") or []
    markdown = call.text("markdown_text")
    if markdown and chunks:
        raise SlackError("markdown_text_conflict")
    rows: list[Json] = [{"type": "markdown_text", "text": markdown}] if markdown else chunks
    _check_chunks(rows)
    new_blocks: list[Json] = [block for row in rows for block in row.get("blocks") or ()]
    if len(stream.blocks) + len(new_blocks) > MESSAGE_BLOCKS:
        raise SlackError("invalid_blocks", ["[ERROR] no more than 50 items allowed"])
    stream.blocks += with_ids(new_blocks)
    for row in rows:
        if row["type"] == "markdown_text":
            stream.markdown += row["text"]
        elif row["type"] == "task_update":
            stream.tasks[row["id"]] = stream.tasks.get(row["id"], {}) | row
        elif row["type"] == "plan_update":
            stream.plan_title = str(row.get("title", ""))


def _check_chunks(rows: Sequence[Any]) -> None:
    for number, row in enumerate(rows):
        place = f"[json-pointer:/chunks/{number}]"
        kind = row.get("type") if isinstance(row, dict) else None
        if kind not in _CHUNKS:
            raise SlackError("invalid_chunks", [f"[ERROR] unsupported type: {kind} {place}"])
        if kind == "markdown_text":
            if not isinstance(row.get("text"), str):
                raise SlackError("invalid_chunks", [f"[ERROR] text must be a string {place}"])
            if len(row["text"]) > MARKDOWN_TEXT_CHARACTERS:
                raise SlackError("msg_too_long")
        if kind == "task_update" and (
            not row.get("id") or row.get("status", "pending") not in _TASK_STATES
        ):
            raise SlackError("invalid_chunks", [f"[ERROR] task_update is incomplete {place}"])
        complaints = check_message(row["blocks"]) if kind == "blocks" else []
        if complaints:
            raise SlackError("invalid_blocks", complaints)


def _render(stream: Stream) -> list[Json]:
    blocks: list[Json] = [
        {
            "type": "task_card",
            "block_id": f"task-{task['id']}",
            "task_id": task["id"],
            "title": task.get("title", ""),
            "status": task.get("status", "pending"),
        }
        for task in stream.tasks.values()
    ]
    if stream.plan_title:
        title = stream.plan_title
        blocks = [{"type": "plan", "block_id": "plan", "title": title, "tasks": blocks}]
    if stream.markdown:
        blocks.append({"type": "markdown", "block_id": "stream", "text": stream.markdown})
    return blocks + stream.blocks

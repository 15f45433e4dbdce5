"""chat.*: posting, changing and deleting messages."""

from __future__ import annotations

from typing import Any

from sandbox.slack import world
from sandbox.slack.blocks import check_message, with_ids
from sandbox.slack.errors import SlackError
from sandbox.slack.methods.call import MARKDOWN_TEXT_CHARACTERS, Call, Json
from sandbox.slack.timeline import public

UPDATE_TEXT_CHARACTERS = 4_000


def read_content(call: Call) -> tuple[str, list[Json] | None]:
    """The text and the checked blocks of a message to be posted; blocks are None when missing."""
    text, blocks = call.text("text"), call.structure("blocks")
    markdown = call.arguments.get("markdown_text")
    if markdown is not None:
        if text or blocks:
            raise SlackError("markdown_text_conflict")
        if len(str(markdown)) > MARKDOWN_TEXT_CHARACTERS:
            raise SlackError("msg_too_long")
        return str(markdown), with_ids([{"type": "markdown", "text": str(markdown)}])
    if not text and not blocks and not call.structure("attachments"):
        raise SlackError("no_text")
    if blocks is None:
        return text, None
    return text, checked(blocks)


def checked(blocks: Any) -> list[Json]:
    """The blocks with ids, or `invalid_blocks`."""
    complaints = check_message(blocks)
    if complaints:
        raise SlackError("invalid_blocks", complaints)
    return with_ids(blocks)


def post_message(call: Call) -> Json:
    """chat.postMessage."""
    call.needed("channel")
    conversation = call.conversation(writing=True)
    text, blocks = read_content(call)
    extra: Json = {}
    if call.arguments.get("metadata"):
        extra["metadata"] = call.structure("metadata")
    if call.flag("reply_broadcast"):
        extra["subtype"] = "thread_broadcast"
    message = call.workspace.post(
        conversation,
        call.workspace.bot,
        text,
        blocks=blocks,
        thread_ts=call.text("thread_ts"),
        extra=extra,
        link_names=call.flag("link_names") or call.text("parse") == "full",
    )
    call.workspace.tell_status(conversation, call.text("thread_ts"), "")
    return {"channel": conversation.id, "ts": message["ts"], "message": dict(message)}


def update(call: Call) -> Json:
    """chat.update: only the bot's own messages, and not while they stream."""
    call.needed("channel", "ts")
    conversation = call.conversation(writing=True)
    message = conversation.find(call.text("ts"))
    if message.get("user") != world.BOT_USER_ID:
        raise SlackError("cant_update_message")
    call.workspace.check_not_streaming(conversation, message["ts"])
    text, blocks = read_content(call)
    if len(text) > UPDATE_TEXT_CHARACTERS:
        raise SlackError("msg_too_long")
    changes: Json = {"text": text}
    if blocks is not None or "text" in call.arguments:
        changes["blocks"] = blocks or []
    if call.arguments.get("metadata"):
        changes["metadata"] = call.structure("metadata")
    call.workspace.edit(conversation, message, changes, editor=world.BOT_USER_ID)
    return {
        "channel": conversation.id,
        "ts": message["ts"],
        "text": text,
        "message": dict(message),
    }


def delete(call: Call) -> Json:
    """chat.delete: only the bot's own messages."""
    call.needed("channel", "ts")
    conversation = call.conversation(writing=True)
    message = conversation.find(call.text("ts"))
    if message.get("user") != world.BOT_USER_ID:
        raise SlackError("cant_delete_message")
    call.workspace.delete(conversation, message["ts"])
    return {"channel": conversation.id, "ts": message["ts"]}


def post_ephemeral(call: Call) -> Json:
    """chat.postEphemeral."""
    call.needed("channel", "user")
    conversation = call.conversation(writing=True)
    recipient = call.text("user")
    if recipient not in conversation.members:
        raise SlackError("user_not_in_channel")
    text, blocks = read_content(call)
    message = call.workspace.post_ephemeral(
        conversation, recipient, text, blocks=blocks, thread_ts=call.text("thread_ts")
    )
    return {"message_ts": message["ts"]}


def get_permalink(call: Call) -> Json:
    """chat.getPermalink."""
    call.needed("channel", "message_ts")
    conversation = call.conversation()
    message = conversation.find(call.text("message_ts"))
    link = permalink(call.workspace.base_url, conversation.id, message)
    return {"channel": conversation.id, "permalink": link}


def permalink(base_url: str, channel: str, message: Json) -> str:
    """The address of a message, which opens it on the page."""
    address = f"{base_url}/archives/{channel}/p{message['ts'].replace('.', '')}"
    thread_ts = message.get("thread_ts", message["ts"])
    if thread_ts == message["ts"]:
        return address
    return f"{address}?thread_ts={thread_ts}&cid={channel}"


def readable(message: Json, call: Call) -> Json:
    """The message as history shows it to this call."""
    return public(message, with_metadata=call.flag("include_all_metadata"))

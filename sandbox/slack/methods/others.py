"""auth, apps, reactions, files, views, assistant and agents."""

from __future__ import annotations

from sandbox.slack import world
from sandbox.slack.blocks import check_view
from sandbox.slack.errors import SlackError
from sandbox.slack.methods.call import Call, Json
from sandbox.slack.things import File, OpenView
from sandbox.slack.transports import SocketTransport

_VIEW_STACK = 3
_SESSION_STATES = ("processing", "active", "suspended", "closed")
_LOADING_MESSAGES = 10


def auth_test(call: Call) -> Json:
    """auth.test."""
    return {
        "url": f"{call.workspace.base_url}/",
        "team": world.TEAM_NAME,
        "user": world.BOT_NAME,
        "team_id": world.TEAM_ID,
        "user_id": world.BOT_USER_ID,
        "bot_id": world.BOT_ID,
        "is_enterprise_install": False,
    }


def connections_open(call: Call) -> Json:
    """apps.connections.open: the address of one Socket Mode connection."""
    if not isinstance(call.transport, SocketTransport):
        raise SlackError("socket_mode_not_enabled")
    address = call.workspace.base_url.replace("http", "ws", 1)
    return {"url": f"{address}/socket?ticket={call.transport.issue_ticket()}"}


def reactions_add(call: Call) -> Json:
    """reactions.add."""
    return _react(call, adding=True)


def reactions_remove(call: Call) -> Json:
    """reactions.remove."""
    return _react(call, adding=False)


def _react(call: Call, *, adding: bool) -> Json:
    call.needed("channel", "timestamp", "name")
    conversation = call.conversation(writing=True)
    name = call.text("name").strip(":")
    act = call.workspace.react if adding else call.workspace.unreact
    act(conversation, call.text("timestamp"), name, world.BOT_USER_ID)
    return {}


def upload_url(call: Call) -> Json:
    """files.getUploadURLExternal."""
    call.needed("filename", "length")
    file = call.workspace.new_file(
        call.text("filename"), call.number("length", 0), call.text("alt_txt")
    )
    return {"upload_url": f"{call.workspace.base_url}/upload/{file.id}", "file_id": file.id}


def complete_upload(call: Call) -> Json:
    """files.completeUploadExternal: posts the files, or keeps them private without a channel."""
    files = [_uploaded(call, row) for row in call.structure("files") or ()]
    if not files:
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: files"])
    objects = [file_object(call.workspace.base_url, file) for file in files]
    channel = call.text("channel_id") or call.text("channels").split(",")[0]
    if channel:
        named = Call(
            call.workspace, call.interactions, call.transport, call.arguments | {"c": channel}
        )
        call.workspace.post(
            named.conversation("c", writing=True),
            call.workspace.bot,
            call.text("initial_comment"),
            thread_ts=call.text("thread_ts"),
            extra={"files": objects, "upload": True},
        )
    return {"files": objects}


def _uploaded(call: Call, row: Json) -> File:
    file = call.workspace.files.get(str(row.get("id")))
    if file is None or not file.content:
        raise SlackError("file_not_found")
    file.title = str(row.get("title") or file.name)
    return file


def file_object(base_url: str, file: File) -> Json:
    """A file as messages carry it."""
    kind = file.name.rpartition(".")[2].lower()
    address = f"{base_url}/files/{file.id}/{file.name}"
    is_image = kind in ("png", "jpg", "jpeg", "gif")
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "filetype": kind,
        "mimetype": f"image/{kind.replace('jpg', 'jpeg')}" if is_image else "text/plain",
        "size": len(file.content),
        "mode": "hosted",
        "user": world.BOT_USER_ID,
        "url_private": address,
        "url_private_download": address,
        "permalink": address,
        "alt_txt": file.alt_text,
    }


def views_open(call: Call) -> Json:
    """views.open."""
    return _open(call, pushing=False)


def views_push(call: Call) -> Json:
    """views.push."""
    return _open(call, pushing=True)


def _open(call: Call, *, pushing: bool) -> Json:
    call.needed("trigger_id", "view")
    view = _checked_view(call)
    user = call.interactions.take_trigger(call.text("trigger_id"))
    shown = call.workspace.open_views(user)
    if len(shown) >= _VIEW_STACK:
        raise SlackError("push_limit_reached")
    if pushing and not shown:
        raise SlackError("not_found")
    previous = shown[-1].view["id"] if pushing else None
    opened = OpenView(user, call.interactions.new_view(view, previous_view_id=previous))
    call.interactions.show(opened)
    return {"view": opened.view}


def views_update(call: Call) -> Json:
    """views.update."""
    view = _checked_view(call)
    view_id = call.text("view_id")
    for opened in call.workspace.views:
        if view_id == opened.view["id"] or (
            call.text("external_id") and call.text("external_id") == opened.view["external_id"]
        ):
            if call.text("hash") not in ("", opened.view["hash"]):
                raise SlackError("hash_conflict")
            opened.view = call.interactions.new_view(view, id=opened.view["id"])
            opened.errors = {}
            call.interactions.show(opened)
            return {"view": opened.view}
    raise SlackError("not_found")


def views_publish(call: Call) -> Json:
    """views.publish: a user's Home tab."""
    call.needed("user_id", "view")
    user = call.workspace.user(call.text("user_id"))
    view = call.interactions.new_view(_checked_view(call))
    call.workspace.homes[user.id] = view
    call.workspace.tell("home", {"view": view}, user.id)
    return {"view": view}


def _checked_view(call: Call) -> Json:
    view = call.structure("view")
    complaints = check_view(view)
    if complaints:
        raise SlackError("invalid_arguments", complaints)
    return dict(view)


def set_status(call: Call) -> Json:
    """assistant.threads.setStatus: words beside the thread until the next post, or two minutes."""
    call.needed("channel_id", "thread_ts")
    conversation = call.conversation("channel_id", writing=True)
    loading = call.structure("loading_messages") or []
    if len(loading) > _LOADING_MESSAGES:
        raise SlackError("invalid_arguments", ["[ERROR] no more than 10 loading_messages"])
    call.workspace.tell_status(conversation, call.text("thread_ts"), call.text("status"))
    return {}


def set_suggested_prompts(call: Call) -> Json:
    """assistant.threads.setSuggestedPrompts: accepted, and not shown here."""
    call.needed("channel_id", "prompts")
    call.conversation("channel_id", writing=True)
    return {}


def session_status(call: Call) -> Json:
    """agents.sessions.setStatus."""
    call.needed("channel_id", "status")
    conversation = call.conversation("channel_id", writing=True)
    if call.text("status") not in _SESSION_STATES:
        raise SlackError("invalid_arguments", [f"[ERROR] status must be one of {_SESSION_STATES}"])
    words = "Working…" if call.text("status") == "processing" else ""
    call.workspace.tell_status(conversation, call.text("thread_ts"), words)
    return {}


def session_rename(call: Call) -> Json:
    """agents.sessions.rename: accepted, and not shown here."""
    call.conversation("channel_id", writing=True)
    return {}

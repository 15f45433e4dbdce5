"""All Web API methods by name, with the scopes they need."""

from __future__ import annotations

from sandbox.slack.methods import chat, conversations, others, streams
from sandbox.slack.methods.call import Method

METHODS: dict[str, Method] = {
    "agents.sessions.rename": Method(others.session_rename, "assistant:write"),
    "agents.sessions.setStatus": Method(others.session_status, "assistant:write"),
    "apps.connections.open": Method(
        others.connections_open, "connections:write", is_app_level=True
    ),
    "assistant.threads.setStatus": Method(others.set_status, "chat:write"),
    "assistant.threads.setSuggestedPrompts": Method(
        others.set_suggested_prompts, "assistant:write"
    ),
    "auth.test": Method(others.auth_test),
    "chat.appendStream": Method(streams.append_stream, "chat:write"),
    "chat.delete": Method(chat.delete, "chat:write"),
    "chat.getPermalink": Method(chat.get_permalink),
    "chat.postEphemeral": Method(chat.post_ephemeral, "chat:write"),
    "chat.postMessage": Method(chat.post_message, "chat:write"),
    "chat.startStream": Method(streams.start_stream, "chat:write"),
    "chat.stopStream": Method(streams.stop_stream, "chat:write"),
    "chat.update": Method(chat.update, "chat:write"),
    "conversations.history": Method(conversations.history, "history"),
    "conversations.info": Method(conversations.info, "read"),
    "conversations.list": Method(conversations.list_conversations, "list"),
    "conversations.members": Method(conversations.members, "read"),
    "conversations.open": Method(conversations.open_conversation, "im:write"),
    "conversations.replies": Method(conversations.replies, "history"),
    "files.completeUploadExternal": Method(others.complete_upload, "files:write"),
    "files.getUploadURLExternal": Method(others.upload_url, "files:write"),
    "reactions.add": Method(others.reactions_add, "reactions:write"),
    "reactions.remove": Method(others.reactions_remove, "reactions:write"),
    "usergroups.users.list": Method(conversations.group_members, "usergroups:read"),
    "users.info": Method(conversations.user_info, "users:read"),
    "views.open": Method(others.views_open),
    "views.publish": Method(others.views_publish),
    "views.push": Method(others.views_push),
    "views.update": Method(others.views_update),
}

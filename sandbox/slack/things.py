"""What a workspace keeps besides conversations: files, growing messages, modals; and changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """Something a reader's page should show.

    Attributes:
        kind: "message", "message_changed", "message_deleted", "ephemeral", "ephemeral_deleted",
            "status", "view", "view_closed", "home", "conversation", "connection" or "reset".
        data: What changed, as JSON.
        user: The only user who may see it; "" for everyone.
    """

    kind: str
    data: Json
    user: str = ""


@dataclass(slots=True)
class File:
    """An uploaded file; `content` is empty until the bytes have arrived."""

    id: str
    name: str
    length: int
    alt_text: str = ""
    title: str = ""
    content: bytes = b""


@dataclass(slots=True)
class Stream:
    """A message that grows. `started_at` is in workspace seconds."""

    started_at: float
    is_open: bool = True
    markdown: str = ""
    tasks: dict[str, Json] = field(default_factory=dict)
    plan_title: str = ""
    blocks: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class OpenView:
    """A modal on one user's screen, with the complaints its last submission got."""

    user: str
    view: Json
    errors: dict[str, str] = field(default_factory=dict)

"""Messages of digests, each to be posted once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.digests import Digest


class PostKind(StrEnum):
    """What a message of a digest, or beside one, is."""

    DIGEST = "digest"
    CHART = "chart"
    ITEM = "item"
    REST = "rest"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class Post:
    """One message that is to be posted once: a digest, a part of its thread, or an urgent one.

    Attributes:
        key: Names it for ever: a digest's slot, or what is made of it.
        slot: Of the digest it belongs to; '' where it belongs to none.
        channel: Where it goes, as configured.
        digest: What it tells: of a thread's part only that part.
        parent: The key of the message in whose thread it stands, or ''.
        thread_ts: Slack's name of that message; '' until it is posted.
        is_tried: It may have been posted.
        posted_ts: Slack's name of it, or ''.
        closed_at: Nothing more is to come.
    """

    key: str
    schedule: str
    slot: str
    channel: str
    digest: Digest
    made_at: datetime
    kind: PostKind
    parent: str = ""
    thread_ts: str = ""
    is_tried: bool = False
    posted_ts: str = ""
    closed_at: datetime | None = None

"""What was said in a thread before: the memory of a conversation, or the whole of it to retell."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.answer import FOOTER_BLOCK, FOOTER_MARK
from bot.blocks.notices import LOOKING_MARK, WAITING_MARK
from bot.mrkdwn import clip, unescape
from bot.notices import SLACK_FAILURES
from bot.people import People
from core.answers import Turn

log = logging.getLogger(__name__)

UNREAD = "I could not read the earlier messages of this thread."
CUT = "The thread is longer than I read; this tells of its beginning."
HISTORY_CHARS = 6_000  # about 1,500 tokens, beside which the evidence must still fit
TURN_CHARS = 1_500
_PAGE = 200
_PAGES = 5
_MENTION = re.compile(r"<@(?P<user>[UW][A-Z0-9]+)(?:\|[^>]*)?>")
_NAMED = re.compile(r"@([UW][A-Z0-9]+)\b")
_LINK = re.compile(r"<(?P<target>[^<>|]+)(?:\|(?P<label>[^<>]*))?>")


@dataclass(frozen=True, slots=True)
class Thread:
    """What was said in a thread, oldest first.

    Attributes:
        problem: '' or a whole sentence for the reader: what of the thread could not be read.
    """

    turns: tuple[Turn, ...] = ()
    problem: str = ""

    @property
    def is_read(self) -> bool:
        """False where nothing of it could be read."""
        return self.problem != UNREAD


async def history(
    client: AsyncWebClient, channel: str, thread_ts: str, before_ts: str, bot_user: str
) -> Thread:
    """The turns of a thread before a message: its parent and the newest that fit."""
    if thread_ts == before_ts:
        return Thread()
    messages, problem = await _read(client, channel, thread_ts, before_ts)
    # Of a thread that is too long to read, more is left out here anyway.
    return Thread(turns(messages, bot_user), problem if problem == UNREAD else "")


async def whole(  # noqa: PLR0917  (what names a place in Slack)
    client: AsyncWebClient,
    people: People,
    channel: str,
    thread_ts: str,
    before_ts: str,
    bot_user: str,
) -> Thread:
    """A thread to be told again, up to a message or ''; with names, times and addresses."""
    messages, problem = await _read(client, channel, thread_ts, before_ts)
    base = await _address(client, channel, thread_ts) if messages else ""
    told: list[Turn] = []
    for message in messages:
        turn = _turn(message, bot_user)
        # Of the bot's own words the findings of a digest count; questions to it and answers are
        # talk about the incident, not part of it. What opens a thread is its report all the same.
        is_to_bot = str(message.get("text") or "").lstrip().startswith(f"<@{bot_user}>")
        is_to_bot = is_to_bot and message.get("ts") != thread_ts
        if turn is None or is_to_bot or _is_own_answer(message):
            continue
        text = turn.text
        for user in dict.fromkeys(_NAMED.findall(text)):
            text = text.replace(f"@{user}", f"@{(await people.person(user)).name}")
        is_person = not turn.is_bot and bool(message.get("user"))
        author = (await people.person(str(message["user"]))).name if is_person else turn.author
        ts = str(message.get("ts") or "0")
        said_at = datetime.fromtimestamp(float(ts), UTC)
        within = "" if ts == thread_ts else f"?thread_ts={thread_ts}&cid={channel}"
        url = f"{base}/p{ts.replace('.', '')}{within}" if base else ""
        told.append(Turn(author, text, turn.is_bot, said_at, url))
    return Thread(tuple(told), problem)


async def _read(
    client: AsyncWebClient, channel: str, thread_ts: str, before_ts: str
) -> tuple[list[Mapping[str, Any]], str]:
    """The messages of a thread before one of them, and what is wrong: '', UNREAD or CUT."""
    messages: list[Mapping[str, Any]] = []
    cursor: str | None = None
    try:
        for _ in range(_PAGES):
            page = await client.conversations_replies(
                channel=channel, ts=thread_ts, limit=_PAGE, cursor=cursor
            )
            messages += page.get("messages") or []
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
    except SLACK_FAILURES as error:
        log.warning("could not read thread %s of %s: %s", thread_ts, channel, error)
        return [], UNREAD
    earlier = [message for message in messages if not before_ts or _is_before(message, before_ts)]
    return earlier, CUT if cursor else ""


async def _address(client: AsyncWebClient, channel: str, thread_ts: str) -> str:
    """Where a channel's messages are addressed below, or ''."""
    try:
        told = await client.chat_getPermalink(channel=channel, message_ts=thread_ts)
    except SLACK_FAILURES as error:
        log.info("no addresses for the messages of %s: %s", channel, error)
        return ""
    return str(told.get("permalink") or "").rpartition("/p")[0]


def turns(messages: Sequence[Mapping[str, Any]], bot_user: str) -> tuple[Turn, ...]:
    """The parent and as many of the newest messages as fit, oldest first."""
    told = [turn for message in messages if (turn := _turn(message, bot_user))]
    if not told:
        return ()
    parent, rest = told[0], told[1:]
    left = HISTORY_CHARS - len(parent.text)
    kept: list[Turn] = []
    for turn in reversed(rest):
        left -= len(turn.text)
        if left < 0:
            break
        kept.append(turn)
    return (parent, *reversed(kept))


def words_of(text: str, bot_user: str = "") -> str:
    """What a person typed, without the mention of the bot and without Slack's tokens."""
    without = _MENTION.sub(
        lambda found: " " if found["user"] == bot_user else f"@{found['user']}", text
    )
    shown = _LINK.sub(lambda found: found["label"] or found["target"], without)
    return unescape(shown).strip()


def said_in(message: Mapping[str, Any], bot_user: str = "") -> str:
    """The words of a message; of an alert, which has none of its own, those attached to it."""
    attached = (str(part.get("text") or part.get("fallback") or "") for part in _attached(message))
    written = str(message.get("text") or "") or "\n".join(attached)
    return words_of(written, bot_user)


def _attached(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return message.get("attachments") or ()


def _is_own_answer(message: Mapping[str, Any]) -> bool:
    return any(block.get("block_id") == FOOTER_BLOCK for block in message.get("blocks") or ())


def _turn(message: Mapping[str, Any], bot_user: str) -> Turn | None:
    if message.get("subtype") not in {None, "file_share", "bot_message", "thread_broadcast"}:
        return None
    user = str(message.get("user") or message.get("bot_id") or "someone")
    if bot_user and user == bot_user:
        text = _own_words(message)
        return Turn("opsbot", clip(text, TURN_CHARS), is_bot=True) if text else None
    text = said_in(message, bot_user)
    if not text:
        return None
    profile = message.get("user_profile") or message.get("bot_profile") or {}
    author = str(profile.get("display_name") or profile.get("name") or user)
    return Turn(author, clip(text, TURN_CHARS), is_bot=bool(message.get("bot_id")))


def _own_words(message: Mapping[str, Any]) -> str:
    """An earlier answer without its sources and footer; '' for what was only said in passing."""
    blocks = message.get("blocks") or ()
    if any(block.get("block_id") == FOOTER_BLOCK for block in blocks):
        written = [str(block["text"]) for block in blocks if block.get("type") == "markdown"]
        return unescape("\n\n".join(written)).strip()
    text = str(message.get("text") or "").partition(FOOTER_MARK)[0]
    if text.startswith((WAITING_MARK, LOOKING_MARK)):
        return ""
    return words_of(text)


def _is_before(message: Mapping[str, Any], ts: str) -> bool:
    return float(message.get("ts") or 0) < float(ts)

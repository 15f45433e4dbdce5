"""What was said in a thread before: the memory of a conversation."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.answer import FOOTER_BLOCK, FOOTER_MARK
from bot.blocks.notices import LOOKING_MARK, WAITING_MARK
from bot.mrkdwn import clip, unescape
from bot.notices import SLACK_FAILURES
from core.answers import Turn

log = logging.getLogger(__name__)

HISTORY_CHARS = 6_000  # about 1,500 tokens, beside which the evidence must still fit
TURN_CHARS = 1_500
_PAGE = 200
_PAGES = 5
_MENTION = re.compile(r"<@(?P<user>[UW][A-Z0-9]+)(?:\|[^>]*)?>")
_LINK = re.compile(r"<(?P<target>[^<>|]+)(?:\|(?P<label>[^<>]*))?>")


async def history(
    client: AsyncWebClient, channel: str, thread_ts: str, before_ts: str, bot_user: str
) -> tuple[Turn, ...] | None:
    """The turns of a thread before a message, oldest first: its parent and the newest that fit.

    Returns:
        () for a message that opens a thread; None when the thread could not be read.
    """
    if thread_ts == before_ts:
        return ()
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
        return None
    earlier = [message for message in messages if not before_ts or _is_before(message, before_ts)]
    return turns(earlier, bot_user)


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


def _turn(message: Mapping[str, Any], bot_user: str) -> Turn | None:
    if message.get("subtype") not in {None, "file_share", "bot_message", "thread_broadcast"}:
        return None
    user = str(message.get("user") or message.get("bot_id") or "someone")
    if bot_user and user == bot_user:
        text = _own_words(message)
        return Turn("opsbot", clip(text, TURN_CHARS), is_bot=True) if text else None
    text = words_of(str(message.get("text") or ""), bot_user)
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

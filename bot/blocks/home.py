"""The app's Home tab: how the bot fares, its digests, what one asked lately, what one may ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.blocks import parts
from bot.blocks.answer import asked
from bot.blocks.help import CommandHelp, listing
from bot.blocks.parts import Block
from bot.blocks.schedule import schedule_message
from bot.blocks.status import status_message
from bot.blocks.suggestions import suggestion_row
from bot.mrkdwn import clip, date, escape
from bot.services import ScheduledDigest
from core.answers import Answer, PartHealth

REFRESH_ACTION = "home_refresh"
AGAIN_ACTION = "home_again"
HOME_ASK_ACTIONS = ("home_ask_1", "home_ask_2", "home_ask_3")
SHOWN_ANSWERS = 5
_VIEW_BLOCKS = 100
_EXCERPT_CHARS = 200
# Marks of sources and of Markdown; what is left is read as a sentence.
_MARKS = re.compile(r"\s*\[\d+\]|[*`~|]+|(?m:^\s*(?:#+|>|-)\s+)")
_MORE = (
    "In a channel, mention me and ask; I answer in the thread and remember it. In *Messages* just "
    "write. On any message, *More actions* offers to explain an error or to sum a thread up."
)


@dataclass(frozen=True, slots=True)
class Recent:
    """Something this person asked.

    Attributes:
        can_repeat: Whether it makes sense apart from where it was asked.
    """

    reference: str
    channel: str
    asked_at: datetime
    answer: Answer
    can_repeat: bool = True


@dataclass(frozen=True, slots=True)
class Home:
    """What one person's Home tab shows.

    Attributes:
        health: None where this person may not ask for it.
        digests: Likewise.
        recent: The newest first.
        questions: Such as can be answered here, for buttons.
        commands: The command table's words.
        notice: What was just done, mrkdwn, or ''.
    """

    command: str
    now: datetime
    health: Sequence[PartHealth] | None
    digests: Sequence[ScheduledDigest] | None
    recent: Sequence[Recent]
    questions: Sequence[str]
    commands: Sequence[CommandHelp]
    notice: str = ""


def home_view(home: Home, channel: str) -> Block:
    """The view; it remembers the direct message with its reader."""
    refresh = parts.button("Refresh", REFRESH_ACTION, "refresh")
    top = parts.section(f"Looked at {date(home.now)}")
    blocks: list[Block] = [{**top, "accessory": refresh}]
    if home.notice:
        blocks.append(parts.section(home.notice))
    if home.health is not None:
        blocks += [parts.header("How I fare"), *status_message(home.health, home.now).blocks]
    blocks += [parts.header("Ask me")]
    if home.questions:
        blocks += [parts.section("From your runbooks:")]
        blocks += [suggestion_row(home.questions, HOME_ASK_ACTIONS)]
    blocks += [parts.context(_MORE), parts.header("What you asked lately"), *_recent(home)]
    if home.digests is not None:
        blocks += [parts.header("Digests"), *schedule_message(home.digests).blocks]
    blocks += [parts.header("Commands"), *(parts.section(told) for told in _commands(home))]
    return _view(blocks, channel)


def refused_view(words: str, channel: str) -> Block:
    """For somebody whom the bot may not answer; `words` are mrkdwn."""
    return _view([parts.section(words)], channel)


def _view(blocks: Sequence[Block], channel: str) -> Block:
    shown = list(blocks[:_VIEW_BLOCKS])
    return {"type": "home", "private_metadata": channel, "blocks": shown}


def _recent(home: Home) -> list[Block]:
    if not home.recent:
        return [parts.section("Nothing in the last days.")]
    rows: list[Block] = []
    for each in home.recent[:SHOWN_ANSWERS]:
        question = " ".join(asked(each.answer.task, each.answer.question).split())
        where = "here" if each.channel.startswith("D") else f"<#{each.channel}>"
        text = each.answer.text if each.answer.is_grounded else "Nothing was found."
        excerpt = " ".join(_MARKS.sub("", text.strip().partition("\n\n")[0]).split())
        row = parts.section(
            f"*{escape(clip(question, 150))}*\n{escape(clip(excerpt, _EXCERPT_CHARS))}"
        )
        if each.can_repeat:
            row["accessory"] = parts.button("Ask again", AGAIN_ACTION, each.reference)
        facts = f"{date(each.asked_at, home.now)} in {where} · ref {escape(each.reference)}"
        rows += [row, parts.context(facts)]
    return rows


def _commands(home: Home) -> list[str]:
    return [told for told, _ in listing(home.command, home.commands)]

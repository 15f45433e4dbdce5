"""The blocks of which every message is made, each within Slack's limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.mrkdwn import clip, clip_escaped

Block = dict[str, Any]

TEXT_CHARS = 4_000  # chat.update refuses more with msg_too_long
SECTION_CHARS = 3_000
CONTEXT_CHARS = 2_000
HEADER_CHARS = 150
BUTTON_TEXT_CHARS = 75
BUTTON_VALUE_CHARS = 2_000
MARKDOWN_CHARS = 12_000  # over all markdown blocks of a message
MESSAGE_BLOCKS = 50
TABLE_CHARS = 10_000
TABLE_CELLS_PER_ROW = 20
TABLE_ROWS = 100


@dataclass(frozen=True, slots=True)
class Message:
    """What goes to Slack in one call.

    Attributes:
        text: The whole message in escaped mrkdwn, at most 4,000 characters; screen readers and
            notifications show only this.
        blocks: At most 50 blocks.
    """

    text: str
    blocks: tuple[Block, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for chat.postMessage and chat.update."""
        return {"text": self.text, "blocks": list(self.blocks)}


def message(text: str, blocks: Iterable[Block] = ()) -> Message:
    """A message cut to Slack's limits; `text` is escaped mrkdwn."""
    return Message(clip_escaped(text, TEXT_CHARS), tuple(blocks)[:MESSAGE_BLOCKS])


def header(text: str) -> Block:
    """The one heading of a message; plain text."""
    return {"type": "header", "text": _plain(text, HEADER_CHARS)}


def section(text: str) -> Block:
    """A paragraph of escaped mrkdwn."""
    return {"type": "section", "text": _mrkdwn(text)}


def context(text: str, block_id: str = "") -> Block:
    """A paragraph in small grey type, of escaped mrkdwn."""
    block: Block = {"type": "context", "elements": [_mrkdwn(text, CONTEXT_CHARS)]}
    return {**block, "block_id": block_id} if block_id else block


def markdown(text: str) -> Block:
    """Escaped Markdown with headings, lists, tables and code, as a model writes it."""
    return {"type": "markdown", "text": text}


def divider() -> Block:
    """A thin line."""
    return {"type": "divider"}


def button(text: str, action_id: str, value: str, style: str = "") -> Block:
    """A button; `value` comes back with the click."""
    block: Block = {
        "type": "button",
        "text": _plain(text, BUTTON_TEXT_CHARS),
        "action_id": action_id,
        "value": value[:BUTTON_VALUE_CHARS],
    }
    return {**block, "style": style} if style else block


def actions(elements: Sequence[Block], block_id: str = "") -> Block:
    """A row of buttons."""
    block: Block = {"type": "actions", "elements": list(elements)}
    return {**block, "block_id": block_id} if block_id else block


def feedback(reference: str, action_id: str) -> Block:
    """Thumbs up and down; the value names the answer and the vote."""
    return {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": action_id,
                "positive_button": {
                    "text": _plain("Good answer", BUTTON_TEXT_CHARS),
                    "accessibility_label": "Mark this answer as helpful",
                    "value": f"{reference}:up",
                },
                "negative_button": {
                    "text": _plain("Bad answer", BUTTON_TEXT_CHARS),
                    "accessibility_label": "Mark this answer as not helpful",
                    "value": f"{reference}:down",
                },
            }
        ],
    }


def table(rows: Sequence[Sequence[str]], columns: Sequence[Mapping[str, object]] = ()) -> Block:
    """A table of plain cells: cluster text stands in it without any markup.

    Rows that would take it over 10,000 characters are left off; the caller says how many it showed.
    """
    kept: list[list[Block]] = []
    used = 0
    for row in rows[:TABLE_ROWS]:
        cells = [cell or "–" for cell in row[:TABLE_CELLS_PER_ROW]]  # an empty cell is refused
        used += sum(len(cell) for cell in cells)
        if used > TABLE_CHARS:
            break
        kept.append([{"type": "raw_text", "text": cell} for cell in cells])
    block: Block = {"type": "table", "rows": kept}
    return {**block, "column_settings": [dict(column) for column in columns]} if columns else block


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": clip(" ".join(text.split()) or "–", limit), "emoji": True}


def _mrkdwn(text: str, limit: int = SECTION_CHARS) -> Block:
    # verbatim: without it Slack looks for @here and #general in what a log wrote.
    shown = clip_escaped(text, limit)
    return {"type": "mrkdwn", "text": shown or " ", "verbatim": True}

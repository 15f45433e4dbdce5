"""The modal that asks what was wrong with an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.blocks.parts import Block

COMMENT_VIEW = "answer_feedback_comment"
_BLOCK = "comment"
_INPUT = "comment_text"
_COMMENT_CHARS = 1_000


def comment_view(private_metadata: str) -> Block:
    """A modal with one optional field."""
    return {
        "type": "modal",
        "callback_id": COMMENT_VIEW,
        "private_metadata": private_metadata,
        "title": {"type": "plain_text", "text": "What was wrong?"},
        "submit": {"type": "plain_text", "text": "Send"},
        "close": {"type": "plain_text", "text": "Skip"},
        "blocks": [
            {
                "type": "input",
                "block_id": _BLOCK,
                "optional": True,
                "label": {"type": "plain_text", "text": "What did you expect instead?"},
                "hint": {
                    "type": "plain_text",
                    "text": "A wrong fact, an outdated runbook, a missing source?",
                },
                "element": {
                    "type": "plain_text_input",
                    "action_id": _INPUT,
                    "multiline": True,
                    "max_length": _COMMENT_CHARS,
                },
            }
        ],
    }


def comment_of(view: Mapping[str, Any]) -> str:
    """What was written into a submitted modal."""
    values = view["state"]["values"]
    return str(values.get(_BLOCK, {}).get(_INPUT, {}).get("value") or "")

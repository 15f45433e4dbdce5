"""After a vote: thanks, keeping a helpful answer as knowledge, asking what was wrong with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.blocks import parts
from bot.blocks.parts import Block, Message

COMMENT_VIEW = "answer_feedback_comment"
KEEP_ACTION = "answer_keep"
FORGET_ACTION = "answer_forget"
_BLOCK = "comment"
_INPUT = "comment_text"
_COMMENT_CHARS = 1_000


def thanks_message() -> Message:
    """For a vote."""
    return _said("Thank you. Votes show which documents and answers need work.")


def offer_to_keep(reference: str) -> Message:
    """For a vote on an answer that others of the channel could use."""
    says = (
        "Thank you. Keep this answer as knowledge? I then use it again for questions like yours, "
        "in this channel only, marked as machine-made and with its sources."
    )
    return _said(says, parts.button("Keep as knowledge", KEEP_ACTION, reference))


def kept_message(reference: str) -> Message:
    """The answer is knowledge now, until somebody takes it back."""
    says = "Kept as knowledge for this channel. Vote on the answer again to find this button again."
    return _said(f"📌 {says}", parts.button("Forget it", FORGET_ACTION, reference))


def forgotten_message() -> Message:
    """The answer is no knowledge any more."""
    return _said("Forgotten: I do not use this answer again.")


def too_late_message() -> Message:
    """There is nothing left to keep or to forget."""
    return _said("This answer is too old to be kept, or it was taken back already.")


def _said(text: str, button: Block | None = None) -> Message:
    blocks = [parts.section(text), *([parts.actions([button])] if button else [])]
    return parts.message(text, blocks)


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

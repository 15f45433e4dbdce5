"""After a vote: thanks, keeping a helpful answer as knowledge, asking what was wrong with one."""

from __future__ import annotations

from bot.blocks import parts
from bot.blocks.modal import FieldModal
from bot.blocks.parts import Block, Message

KEEP_ACTION = "answer_keep"
FORGET_ACTION = "answer_forget"
COMMENT = FieldModal(
    callback_id="answer_feedback_comment",
    field="comment",
    title="What was wrong?",
    label="What did you expect instead?",
    hint="A wrong fact, an outdated runbook, a missing source?",
    max_chars=1_000,
    submit="Send",
    close="Skip",
    is_multiline=True,
)


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

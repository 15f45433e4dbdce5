"""Buttons that ask what a runbook answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.blocks import parts
from bot.blocks.answer import AnswerLayout
from bot.blocks.parts import Block, Message
from bot.mrkdwn import escape

# The buttons of one row must differ in their ids.
SUGGESTION_ACTIONS = ("suggestion_1", "suggestion_2", "suggestion_3")
_INSTEAD = "Perhaps one of these helps:"


def suggestion_row(
    questions: Sequence[str], action_ids: Sequence[str] = SUGGESTION_ACTIONS
) -> Block:
    """A button a question, which asks it."""
    pairs = zip(action_ids, questions, strict=False)
    return parts.actions([parts.button(each, action_id, each) for action_id, each in pairs])


def with_suggestions(message: Message, questions: Sequence[str]) -> Message:
    """The message, with questions to press below it; as it was where there are none."""
    if not questions:
        return message
    told = "\n".join((message.text, *(f"•  {escape(each)}" for each in questions)))
    return parts.message(told, (*message.blocks, suggestion_row(questions)))


def offered_instead(layout: AnswerLayout, questions: Sequence[str]) -> AnswerLayout:
    """An answer that found nothing, with what could be asked instead."""
    if not questions:
        return layout
    told = "\n".join((layout.text, _INSTEAD, *(f"•  {escape(each)}" for each in questions)))
    tail = (*layout.tail, parts.context(_INSTEAD), suggestion_row(questions))
    return replace(layout, tail=tail, text=told)

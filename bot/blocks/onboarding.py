"""What the bot says once when it is invited to a channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.blocks import parts
from bot.blocks.parts import Message
from bot.blocks.suggestions import with_suggestions
from bot.mrkdwn import clip, date, escape
from core.answers import Scope

_SHOWN = 5
_AXES = ("clusters", "namespaces", "sources", "teams")


def onboarding_message(
    bot_user: str,
    command: str,
    scope: Scope,
    questions: Sequence[str],
    *,
    next_digest: datetime | None = None,
    tells_of_alerts: bool = False,
    answers_follow_ups: bool = False,
) -> Message:
    """What it does here, what it may see here, and how to ask.

    Args:
        bot_user: The bot's own user id.
        command: The slash command.
        scope: What may be seen in the channel.
        questions: Such as can be answered here, for buttons.
        next_digest: When a digest is posted here next, or None where none is.
        tells_of_alerts: Whether alerts that are posted here get a reply.
        answers_follow_ups: Whether a question under an answer needs no mention here.
    """
    lines = [
        (
            "👋 I answer questions about your Kubernetes clusters and your runbooks, and say where "
            "each answer comes from. I only read; I change nothing."
        ),
        f"•  Mention <@{bot_user}> and ask: I answer in the thread, and remember it.",
        (
            f"•  `{escape(command)} help` lists what else I can do; what a command answers, only "
            "you see."
        ),
    ]
    if answers_follow_ups:
        lines.append("•  A question under one of my answers needs no mention here.")
    if next_digest is not None:
        lines.append(f"•  A digest of what is broken comes here next {date(next_digest)}.")
    if tells_of_alerts:
        lines.append("•  Under an alert that is posted here I put its runbook, owner and facts.")
    says, limits = "\n".join(lines), _limits(scope)
    message = parts.message(f"{says}\n{limits}", [parts.section(says), parts.context(limits)])
    return with_suggestions(message, questions)


def _limits(scope: Scope) -> str:
    told = [
        f"{axis} {_listed(sorted(getattr(scope, axis)))}" for axis in _AXES if getattr(scope, axis)
    ]
    return f"In this channel I look at: {' · '.join(told) or 'all that I can read'}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(escape(clip(name, 60)) for name in names[:_SHOWN])
    left = len(names) - _SHOWN
    return f"{shown} and {left} more" if left > 0 else shown

"""`show <ref>`: an answer once more, above all one that could not be posted, to one person."""

from __future__ import annotations

import re

from bot.access import ASK, Action
from bot.blocks import notices
from bot.blocks.answer import asked, lay_out
from bot.blocks.parts import Message
from bot.commands.command import Call
from bot.gate import Visit
from bot.mrkdwn import clip, code, escape

# As `bot.notices.new_reference` makes them; people copy them with the word before, and in quotes.
_REFERENCE = re.compile(r"(?:ref\s+)?`?(?P<reference>[0-9a-f]{8})`?", re.IGNORECASE)
# "show me the errors": so many words are no reference.
_QUESTION_WORDS = 3


async def run(call: Call) -> None:
    """Show it, where it may be seen today; else say what to do."""
    services, asker = call.edge.services, call.asker
    match = _REFERENCE.fullmatch(call.argument)
    if match is None:
        await call.reply.send(_no_reference(call))
        return
    reference = match["reference"].lower()
    answer = await services.answers.get(reference, asker.scope)
    if answer is None:
        await call.reply.send(
            notices.hint(
                f"There is no answer {code(reference)} to be seen here.",
                "I show an answer where it was asked, for a week. Try it there, or ask once more.",
            )
        )
        return
    # Who may not use a task may not read what it told, either.
    visit = Visit(asker.user, asker.channel, asker.team)
    if await call.edge.admit(visit, Action(answer.task or ASK), call.reply.send) is None:
        return
    if not answer.text:
        question = escape(clip(asked(answer.task, answer.question), 300))
        await call.reply.send(
            notices.hint(f"*{question}* was broken off before its answer.", "Ask it once more.")
        )
        return
    layout = lay_out(
        answer, reference, services.clock.now(), shows_question=True, offers_share=True
    )
    for message in layout.messages():
        await call.reply.send(message)


def _no_reference(call: Call) -> Message:
    command = call.edge.services.limits.command
    if len(call.argument.split()) >= _QUESTION_WORDS:
        return notices.offer_ask(command, f"{call.name} {call.argument}")
    return notices.hint(
        f"{code(clip(call.argument, 60))} is no reference of an answer.",
        f"It stands at the end of each answer: {code(f'{command} show a6a7dac5')}.",
    )

"""Short messages about the conversation itself: progress, problems, thanks."""

from __future__ import annotations

from bot.blocks import parts
from bot.blocks.parts import Message
from bot.mrkdwn import clip, escape

RETRY_ACTION = "answer_retry"
ASK_ACTION = "ask_instead"
WAITING_MARK = "⏳"
LOOKING_MARK = "🔎"


def looking(question: str) -> Message:
    """The first reply to `ask`: what was understood, before anything is known."""
    return _line(f"{LOOKING_MARK} Looking into: *{escape(clip(_flat(question), 300))}*…")


def progress(text: str) -> Message:
    """What is being done now, where a stream cannot tell it."""
    return _line(f"{LOOKING_MARK} {escape(clip(_flat(text), 300))}")


def asked_from_home(question: str) -> Message:
    """Opens the thread of a question that was asked by a button of the Home tab."""
    return _line(f"You asked from Home: *{escape(clip(_flat(question), 300))}*")


def alert_storm(replies: int, minutes: int, command: str) -> Message:
    """Told once instead of all further replies under alerts."""
    return _line(
        f"⛈️ Many alerts at once: I looked up {replies} in {minutes} minutes and leave the others "
        f"alone for now. `{escape(command)} digest` shows what is broken."
    )


def queued() -> Message:
    """An earlier question of the thread is still being answered."""
    return _line(f"{WAITING_MARK} One question at a time: yours is next in this thread.")


def problem(headline: str, remedy: str, reference: str, *, offers_retry: bool = False) -> Message:
    """A problem in a person's words; the reference finds it in the log.

    Args:
        headline: What failed, a whole sentence, not yet escaped.
        remedy: What still works, or what to try; may be ''.
        reference: What a reader quotes to an operator.
        offers_retry: Adds a button; the question must be stored under the reference.
    """
    says = "\n".join(part for part in (f"⚠️ *{escape(headline)}*", escape(remedy)) if part)
    blocks = [parts.section(says), parts.context(f"ref {escape(reference)}")]
    if offers_retry:
        retry = parts.button("Try again", RETRY_ACTION, reference)
        blocks.append(parts.actions([retry]))
    plain = "\n".join(part for part in (f"⚠️ {escape(headline)}", escape(remedy)) if part)
    return parts.message(f"{plain}\nref {escape(reference)}", blocks)


def hint(text: str, remedy: str = "") -> Message:
    """A user's slip and what to type instead; both are escaped mrkdwn."""
    blocks = [parts.section(text)]
    if remedy:
        blocks.append(parts.context(remedy))
    return parts.message(f"{text}\n{remedy}".strip(), blocks)


def offer_ask(command: str, question: str) -> Message:
    """Unknown words that read like a question: one click asks them."""
    says = (
        f"`{escape(command)}` does not know that command. It reads like a question, though:\n"
        f"> {escape(clip(_flat(question), 300))}"
    )
    ask = parts.button("Ask this", ASK_ACTION, question, "primary")
    return parts.message(says, [parts.section(says), parts.actions([ask])])


def interrupted() -> Message:
    """The process that was answering ended without a word."""
    return _line("⚠️ I was interrupted before the answer was ready. Please ask again.")


def stopped() -> Message:
    """The asker called the answer off."""
    return _line("⏹️ Stopped. Ask again whenever you like.")


def _line(text: str) -> Message:
    return parts.message(text, [parts.section(text)])


def _flat(text: str) -> str:
    return " ".join(text.split())

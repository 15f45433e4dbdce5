"""Prompts, rendered: templates are the Markdown files in `prompts/`, the rest is pure.

The room is counted before anything is sent: a server cuts a prompt that is too long at its
beginning, without a word, and the rules stand at the beginning.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from core.answers import Passage, Turn
from knowledge.evidence import full_title
from knowledge.ports import Prompt
from knowledge.quarantine import quarantined, without_orders

CHARS_PER_TOKEN = 3.0
"""Characters a token, from below. Llama 3.1 needs 3.6 and more on English runbooks, 3.0 to 3.3 on
YAML and pod names; counting with 3.0 keeps the sum an upper bound, without its tokenizer. Other
scripts need more tokens a character and are counted one a character."""

_TURN_CHARS = 600
OVERHEAD_TOKENS = 64  # chat template, roles, begin and end marks


@dataclass(frozen=True, slots=True)
class Rendered:
    """A prompt that fits, the passages that are in it, and a note on what is not.

    Attributes:
        passages: The first of those given; `[n]` in the reply counts these from 1.
        note: '' or a whole sentence for the reader.
    """

    prompt: Prompt
    passages: tuple[Passage, ...]
    note: str = ""


def count_tokens(text: str) -> int:
    """An upper bound of the tokens in a text."""
    plain = sum(1 for char in text if char.isascii())
    return math.ceil(plain / CHARS_PER_TOKEN) + (len(text) - plain)


@cache
def template(name: str) -> str:
    """The text of `prompts/NAME.md`."""
    return resources.files("knowledge").joinpath("prompts", f"{name}.md").read_text("utf-8")


def render(
    name: str,
    *,
    question: str,
    passages: Sequence[Passage],
    nonce: str,
    room_tokens: int,
    history: Sequence[Turn] = (),
) -> Rendered:
    """Fill a template so that it fits.

    Args:
        name: "answer", "errors" or "wording".
        question: The asker's words.
        passages: Best first; those that do not fit are dropped from the end. What in them speaks
            to a model is taken out, and out of the turns as well (see `quarantine`).
        nonce: Random for each call: a passage cannot know it, hence cannot close its own fence.
        room_tokens: What prompt and nothing else may take: context minus answer.
        history: Earlier turns, oldest first; the oldest go first when room is short.
    """
    passages = quarantined(passages)
    system = template("system")
    question = _clean(question, nonce)[: max(200, int(room_tokens * CHARS_PER_TOKEN / 4))]
    room = room_tokens - OVERHEAD_TOKENS - count_tokens(system)
    room -= count_tokens(template(name)) + count_tokens(question)
    turns, used = _turns(history, nonce, room // 4)
    room -= used
    blocks: list[str] = []
    for number, passage in enumerate(passages, start=1):
        block = _block(number, passage, nonce)
        needed = count_tokens(block) + 1
        if needed > room and not blocks:
            # The best passage is worth a part of itself; a prompt without any is worth nothing.
            block = _cut(block, room, nonce, number)
            needed = room
        if not block or needed > room:
            break
        blocks.append(block)
        room -= needed
    user = template(name).format(passages="\n".join(blocks), history=turns, question=question)
    left = len(passages) - len(blocks)
    note = ""
    if left:
        note = (
            f"{left} of {len(passages)} passages did not fit into the model's context and were "
            "left out; a larger LLM_CONTEXT_TOKENS makes room."
        )
    return Rendered(Prompt(system, user), passages[: len(blocks)], note)


def _block(number: int, passage: Passage, nonce: str) -> str:
    place = full_title(passage)
    kind = "observed fact" if passage.is_fact else "document"
    when = f", {passage.updated_at:%Y-%m-%d %H:%M} UTC" if passage.updated_at else ""
    head = _clean(f"{place} ({kind}, {passage.source}: {passage.location}{when})", nonce)
    body = _clean(passage.text.strip(), nonce, keep_lines=True)
    return f"<passage-{nonce} number={number}>\n{head}\n{body}\n</passage-{nonce}>"


def _cut(block: str, room_tokens: int, nonce: str, number: int) -> str:
    end = f"\n… (cut)\n</passage-{nonce}>"
    chars = int((room_tokens - count_tokens(end) - 2) * CHARS_PER_TOKEN)
    head = f"<passage-{nonce} number={number}>"
    while chars > len(head) + 80:
        text = block[:chars].rstrip() + end
        if count_tokens(text) <= room_tokens:
            return text
        chars = chars * 3 // 4
    return ""


def _turns(history: Sequence[Turn], nonce: str, room_tokens: int) -> tuple[str, int]:
    lines: list[str] = []
    used = 0
    for turn in reversed(history):
        author = "assistant" if turn.is_bot else f"engineer {_person(turn.author, nonce)}"
        text = _clean(without_orders(turn.text, is_prose=False), nonce)
        text = text if len(text) <= _TURN_CHARS else text[:_TURN_CHARS] + "…"
        line = f"{author}: {text}"
        needed = count_tokens(line) + 1
        if used + needed > room_tokens:
            break
        lines.append(line)
        used += needed
    if not lines:
        return "", 0
    body = "\n".join(reversed(lines))
    frame = f"\n<earlier-{nonce}>\n{body}\n</earlier-{nonce}>\n"
    return frame, used + count_tokens(frame) - count_tokens(body)


def _person(author: str, nonce: str) -> str:
    return _clean(without_orders(author, is_prose=False), nonce)[:40]


def _clean(text: str, nonce: str, *, keep_lines: bool = False) -> str:
    text = text.replace(nonce, "…").replace("\0", "")
    return text if keep_lines else " ".join(text.split())

"""An answer as an engineer reads it: the answer, what it rests on, how it came about, a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.blocks import parts
from bot.blocks.markdown import split_markdown
from bot.blocks.parts import Block, Message
from bot.charts import cited_series
from bot.mrkdwn import ago, clip, date, escape, escape_markdown, link
from core.answers import Answer, Citation, Confidence, Gap
from core.series import bars

FEEDBACK_ACTION = "answer_feedback"
SHARE_ACTION = "answer_share"
SHARE_BLOCK = "answer_share_row"
FOOTER_BLOCK = "answer_footer"
# Between an answer's text and what the bot adds below it; earlier answers are read back up to here.
FOOTER_MARK = "\n\n———\n"

_CERTAINTY = {
    Confidence.CONFIRMED: "confirmed by the evidence",
    Confidence.LIKELY: "likely, not proven",
}
SHOWN_SOURCES = 5
SHOWN_MESSAGES = 14
SHOWN_GAPS = 5
MESSAGES_PER_ANSWER = 3
_PART_CHARS = parts.MARKDOWN_CHARS - 500  # room for the line that says it was shortened
_TITLE_CHARS = 90


@dataclass(frozen=True, slots=True)
class AnswerLayout:
    """An answer laid out: `lead`, then the Markdown in parts, then `tail`.

    The parts stand apart because a stream has shown the first of them already when it ends.

    Attributes:
        is_shortened: The answer goes on after the last part.
    """

    lead: tuple[Block, ...]
    markdown_parts: tuple[str, ...]
    tail: tuple[Block, ...]
    text: str
    is_shortened: bool = False

    def messages(self) -> list[Message]:
        """One message a part; the first opens with the lead, the last ends with the tail."""
        last = len(self.markdown_parts) - 1
        built: list[Message] = []
        for position, part in enumerate(self.markdown_parts):
            blocks = (
                *(self.lead if position == 0 else ()),
                parts.markdown(part),
                *(self.tail if position == last else ()),
            )
            text = self.text if last == 0 else escape(part)
            built.append(parts.message(text, blocks))
        return built


def lay_out(
    answer: Answer,
    reference: str,
    now: datetime,
    *,
    shows_question: bool = False,
    asked_by: str = "",
    offers_share: bool = False,
    offers_feedback: bool = True,
) -> AnswerLayout:
    """Lay an answer out for Slack.

    Args:
        answer: What was found; its text is escaped here.
        reference: Names the answer in feedback, in the store and in the log.
        now: Against which the age of the sources is told.
        shows_question: For a slash command, whose question the channel did not see.
        asked_by: A user id, for an answer that was shared.
        offers_share: Adds the button that posts an ephemeral answer to its channel.
        offers_feedback: Adds thumbs up and down.
    """
    sources = _sources(answer, now)
    footer = _footer(answer, reference)
    warnings = [f"⚠️ {escape(note)}" for note in answer.notes]
    gaps = _gaps(answer.gaps)
    lead: list[Block] = []
    if shows_question or asked_by:
        by = f"Asked by <@{asked_by}>: " if asked_by else ""
        lead.append(
            parts.context(f"{by}*{escape(clip(_flat(asked(answer.task, answer.question)), 300))}*")
        )
    if warnings:
        lead.append(parts.section("\n".join(warnings)))
    tail: list[Block] = []
    if gaps:
        tail.append(parts.context(gaps))
    tail.append(parts.context(sources, "answer_sources"))
    tail.append(parts.context(footer, FOOTER_BLOCK))
    if offers_share:
        share = parts.button("Share to channel", SHARE_ACTION, reference)
        tail.append(parts.actions([share], SHARE_BLOCK))
    if offers_feedback:
        tail.append(parts.feedback(reference, FEEDBACK_ACTION))
    named = _messages(answer, now, linked=False) if _is_of_thread(answer) else sources
    below = "\n".join(line for line in (gaps, named, footer) if line)
    above = "\n".join([*warnings, ""]) if warnings else ""
    body_chars = max(200, parts.TEXT_CHARS - len(above) - len(FOOTER_MARK) - len(below) - 1)
    body = clip(answer.text.strip(), body_chars)
    while len(escape(body)) > body_chars and body:
        body = clip(body, len(body) - max(1, (len(escape(body)) - body_chars) // 4))
    markdown_parts, is_shortened = _markdown_parts(_with_bars(answer))
    return AnswerLayout(
        lead=tuple(lead),
        markdown_parts=markdown_parts,
        tail=tuple(tail),
        text=f"{above}{escape(body)}{FOOTER_MARK}{below}",
        is_shortened=is_shortened,
    )


def asked(task: str, question: str) -> str:
    """What was asked for, as it was typed after the slash command."""
    return f"{task} {question}".strip()


def without_share(blocks: list[Block]) -> list[Block]:
    """The blocks of a message that was shared: its button is gone."""
    return [block for block in blocks if block.get("block_id") != SHARE_BLOCK]


def _with_bars(answer: Answer) -> str:
    """The text with a row of bars for each metric it cites, where it shows none itself."""
    if any(bar in answer.text for bar in "▁▂▃▄▅▆▇█"):
        return answer.text
    rows = [f"- {each.name}: `{bars(each)}`" for each in cited_series(answer)]
    return "\n".join([answer.text.rstrip(), "", *rows]) if rows else answer.text


def _markdown_parts(text: str) -> tuple[tuple[str, ...], bool]:
    """The text in at most three parts, and whether it goes on after them."""
    split = split_markdown(escape_markdown(text.strip()), _PART_CHARS)
    if not split:
        return ("_The answer is empty._",), False
    kept = split[:MESSAGES_PER_ANSWER]
    is_shortened = len(split) > len(kept)
    if is_shortened:
        kept[-1] += "\n\n_… shortened here: the answer is longer than Slack shows well._"
    return tuple(kept), is_shortened


def _sources(answer: Answer, now: datetime) -> str:
    if not answer.citations:
        if answer.is_grounded:
            return "*No sources cited.* Check this before you act on it."
        return "*No sources:* nothing I can read answers this."
    if _is_of_thread(answer):
        return _messages(answer, now, linked=True)
    shown = [_source(citation, now) for citation in answer.citations[:SHOWN_SOURCES]]
    left = len(answer.citations) - len(shown)
    return "\n".join(["*Sources*", *shown, *([f"and {left} more"] if left else [])])


def _is_of_thread(answer: Answer) -> bool:
    return bool(answer.citations) and all(each.source == "thread" for each in answer.citations)


def _messages(answer: Answer, now: datetime, *, linked: bool) -> str:
    """The cited messages of a thread in one line: who, and when as the way to the message.

    Where screen readers read, only the names: two lines of addresses help nobody there.
    """
    shown = answer.citations[:SHOWN_MESSAGES]
    names = [f"[{each.number}] {escape(clip(_flat(each.title), 40))}" for each in shown]
    if linked:
        names = [
            f"{name} {date(each.updated_at, now, each.url)}" if each.updated_at else name
            for name, each in zip(names, shown, strict=True)
        ]
    left = len(answer.citations) - len(shown)
    return f"*Messages* {' · '.join(names)}{f' · and {left} more' if left else ''}"


def _source(citation: Citation, now: datetime) -> str:
    title = clip(_flat(citation.title or citation.location), _TITLE_CHARS)
    label = f"[{citation.number}] {link(citation.url, title)}"
    if citation.updated_at is None:
        return label
    verb = "seen" if citation.source == "cluster" else "updated"
    return f"{label} · {verb} {ago(now - citation.updated_at)}"


def _footer(answer: Answer, reference: str) -> str:
    facts = [_origin(answer)]
    if answer.confidence in _CERTAINTY:
        facts.append(_CERTAINTY[answer.confidence])
    facts += [f"{answer.elapsed_seconds:.1f} s", f"ref {escape(reference)}"]
    return " · ".join(facts)


def _origin(answer: Answer) -> str:
    if answer.model != "extractive":
        return f"AI-generated · {escape(clip(_flat(answer.model), 80))}"
    if not answer.is_grounded:
        return "Looked up, no model"
    if _is_of_thread(answer):
        return "Quoted from the thread, no model"
    sources = {citation.source == "cluster" for citation in answer.citations}
    if any(citation.source == "rules" for citation in answer.citations):
        return "Decided by rules, no model"
    if sources == {True}:
        return "Read from the cluster, no model"
    return "Read from cluster and documents" if True in sources else "Quoted from your documents"


def _gaps(gaps: tuple[Gap, ...]) -> str:
    lines = [
        f"⚠️ Could not look at {escape(clip(_flat(gap.what), 120))}: "
        f"{escape(clip(_flat(gap.why), 200))}"
        for gap in gaps[:SHOWN_GAPS]
    ]
    if len(gaps) > SHOWN_GAPS:
        lines.append(f"⚠️ and {len(gaps) - SHOWN_GAPS} more places")
    return "\n".join(lines)


def _flat(text: str) -> str:
    return " ".join(text.split())

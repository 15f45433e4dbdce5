"""`opsbot eval export`: what people voted on, as questions of the form that evals/README.md tells.

An answer that was found helpful becomes a case that can be scored: the code spans and numbers it
stated are what a right answer contains. One that was not comes with empty `answers`, for a person
to fill in; `said` and `comments` tell what was wrong.
"""

from __future__ import annotations

import asyncio
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from bot.evals.files import check_out, write_run
from bot.settings import load_settings
from core.clock import SystemClock
from core.feedback import JudgedAnswer, Shown
from state.answers import SqlAnswerStore
from state.database import Database

_MOST_FACTS = 5
_MARK = re.compile(r"\s*\[\d+\]")
_FENCE = re.compile(r"```.*?```", re.DOTALL)
_SPAN = re.compile(r"`([^`\n]{1,80})`")
_QUANTITY = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?\s?(?:%|[KMGT]i?B?|m?s|min|h|restarts?)(?!\w)")
_SENTENCE = re.compile(r"[^.!?\n]{12,160}[.!?]")


async def eval_export(out: Path) -> int:
    """Write every judged answer as a row; exit code 0.

    Args:
        out: JSON lines; replaced where it exists.

    Raises:
        OpsbotError: The state database cannot be read, or the file not be written.
    """
    await asyncio.to_thread(check_out, out)
    # Read beside a running bot: SQLite's readers and its writer do not wait for each other.
    database = await Database.open(load_settings().database_url)
    try:
        judged = await SqlAnswerStore(database, SystemClock()).judged(
            datetime.min.replace(tzinfo=UTC)
        )
    finally:
        await database.close()
    rows = [row_of(answer) for answer in judged]
    await asyncio.to_thread(write_run, out, rows)
    open_rows = sum(1 for row in rows if row["answerable"] and not row["answers"])
    sys.stdout.write(
        f"{len(rows)} judged answers in {out}; {open_rows} of them lack the strings of a right "
        "answer.\n"
    )
    return 0


def row_of(judged: JudgedAnswer) -> dict[str, object]:
    """One judged answer as a row of a questions file, with what a person needs to correct it."""
    up = sum(vote.is_helpful for vote in judged.votes)
    down = len(judged.votes) - up
    cited = [shown for shown in judged.passages if shown.is_cited]
    is_helpful = up > down
    return {
        "id": f"feedback-{judged.reference}",
        "kind": "feedback",
        "question": judged.question,
        "gold": list(dict.fromkeys(_place(shown) for shown in cited)) if is_helpful else [],
        "answers": facts_of(judged.text) if is_helpful and cited else [],
        # A refusal that helped was right to refuse; one that did not is a question to be answered.
        "answerable": bool(cited) or not is_helpful,
        "votes": {"helpful": up, "not_helpful": down},
        "comments": [vote.comment for vote in judged.votes if vote.comment],
        "said": judged.text,
        "model": judged.model,
        "passages": [
            {
                "id": shown.id,
                "source": shown.source,
                "location": shown.location,
                "cited": shown.is_cited,
            }
            for shown in judged.passages
        ],
        "judged_at": judged.judged_at.isoformat(),
    }


def facts_of(text: str) -> list[str]:
    """Strings of an answer that any right answer shares; its first sentence where it has none."""
    prose = _MARK.sub("", _FENCE.sub(" ", text))
    facts = [span for span in _SPAN.findall(prose) if len(span) > 1]
    facts += _QUANTITY.findall(_SPAN.sub(" ", prose))
    if not facts:
        first = _SENTENCE.search(prose)
        facts = [first[0].strip(" -*#")] if first else []
    return list(dict.fromkeys(facts))[:_MOST_FACTS]


def _place(shown: Shown) -> str:
    """A location as `gold` names it: a page, or `cluster:namespace/Kind/name`."""
    kind, _, rest = shown.location.partition("/")
    if shown.source == "cluster" and rest:
        namespace, _, name = rest.rpartition("/")
        return f"cluster:{namespace}/{kind}/{name}"
    return shown.location.partition("#")[0]

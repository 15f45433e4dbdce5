"""The tasks that tell a thread again, and the words that ask for them there."""

from __future__ import annotations

import re
from collections.abc import Callable

from core.clock import Clock
from knowledge.models import Models
from knowledge.past import ServiceGraphHolder
from knowledge.ports import Answerer
from knowledge.tasks.thread import ThreadSummary
from knowledge.tasks.thread_documents import Document, IncidentDocument, ToldFindings

SUMMARY = "summarise"
HAND_OVER = "hand-over"
POST_MORTEM = "post-mortem"
THREAD_TASKS = frozenset({SUMMARY, HAND_OVER, POST_MORTEM})
EXPLAIN = "explain"  # a single message
ALERT = "alert"  # what another bot posted; nobody asks for it
# Tasks whose answer is a file, with its title.
DOCUMENTS = {HAND_OVER: Document.HAND_OVER, POST_MORTEM: Document.POST_MORTEM}
# What is put to the task; with the task's name in front it reads as a sentence.
QUESTIONS = {
    SUMMARY: "this thread",
    HAND_OVER: "of this thread",
    POST_MORTEM: "of this thread",
}

_THIS = r"(?:\s+(?:of|for|on|about)?\s*(?:this|the|our)?\s*(?:whole\s+)?"
_THIS += r"(?:thread|conversation|discussion|incident|outage|shift|it|this|that))?"
_PLEASE = r"(?:(?:please|pls|can you|could you|hey)[\s,]+)*"
_END = r"(?:\s+(?:so far|please|pls|for me|now|up))*\s*[.!?]*"
_WRITE = (
    r"(?:(?:draft|write|create|make|prepare|give|do|start)\s+(?:me\s+|us\s+)?)?(?:(?:a|an|the)\s+)?"
)


def _asks(words: str) -> re.Pattern[str]:
    return re.compile(f"{_PLEASE}(?:{words}){_END}", re.IGNORECASE)


# Each has to be the whole message: "summarise the errors of payments" is a question like others.
_PATTERNS = {
    SUMMARY: _asks(
        rf"(?:{_WRITE}(?:summari[sz]e|summary|sum\s+up|recap|tl;?\s?dr){_THIS}|"
        r"(?:catch|bring)\s+(?:me|us)\s+up(?:\s+to\s+speed)?(?:\s+(?:here|on\s+this))?|"
        r"what\s+(?:did\s+(?:i|we)\s+miss|(?:has\s+)?happened\s+(?:here|in\s+this\s+thread)))"
    ),
    HAND_OVER: _asks(rf"{_WRITE}hand(?:ing)?[\s-]?over(?:\s+(?:summary|notes?))?{_THIS}"),
    POST_MORTEM: _asks(rf"{_WRITE}(?:post[\s-]?mortem|incident\s+report)(?:\s+draft)?{_THIS}"),
}


def task_of(question: str) -> str:
    """The task that a message to the bot asks for, or '' for a question to the chain."""
    words = " ".join(question.split())
    return next((task for task, asks in _PATTERNS.items() if asks.fullmatch(words)), "")


def thread_tasks(
    models: Models,
    graph: ServiceGraphHolder,
    told: ToldFindings,
    clock: Clock,
    *,
    redact: Callable[[str], str],
    timeout_seconds: float,
) -> dict[str, Answerer]:
    """What answers each of them; they stand beside the commands' tasks, which need no thread."""
    documents = {
        name: IncidentDocument(document, graph, told, clock, redact=redact)
        for name, document in DOCUMENTS.items()
    }
    summary = ThreadSummary(models, clock, redact=redact, timeout_seconds=timeout_seconds)
    return {SUMMARY: summary, **documents}

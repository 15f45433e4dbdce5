"""Which messages ask for the thread to be told again."""

from __future__ import annotations

import pytest

from bot.thread_tasks import HAND_OVER, POST_MORTEM, SUMMARY, task_of


@pytest.mark.parametrize(
    "words",
    [
        "summarise this thread",
        "Summarize this thread, please".replace(",", ""),
        "please summarise",
        "can you sum up this conversation so far?",
        "tl;dr",
        "TLDR?",
        "tldr of this thread",
        "catch me up",
        "catch me up on this",
        "bring us up to speed",
        "recap",
        "give me a summary of this thread",
        "what did I miss?",
        "what happened here",
    ],
)
def test_a_summary_is_asked_for_in_many_words(words: str) -> None:
    assert task_of(words) == SUMMARY


@pytest.mark.parametrize(
    ("words", "task"),
    [
        ("hand over this incident", HAND_OVER),
        ("write a hand-over summary", HAND_OVER),
        ("handover", HAND_OVER),
        ("draft a post-mortem", POST_MORTEM),
        ("please draft a postmortem for this incident", POST_MORTEM),
        ("post mortem draft", POST_MORTEM),
        ("write me an incident report", POST_MORTEM),
    ],
)
def test_so_are_documents(words: str, task: str) -> None:
    assert task_of(words) == task


@pytest.mark.parametrize(
    "words",
    [
        "summarise the errors of payments",
        "where is the post-mortem of the last outage?",
        "who hands over to storefront on friday?",
        "what happened to worker-3?",
        "why is tldr-service down",
        "",
    ],
)
def test_other_questions_stay_questions(words: str) -> None:
    assert task_of(words) == ""


def test_a_long_message_is_told_quickly() -> None:
    assert task_of("please " * 300 + "x") == ""

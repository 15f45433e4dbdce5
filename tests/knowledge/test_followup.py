from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answers import Turn
from knowledge.followup import resolve

NAMES = {"payments", "checkout", "worker-3", "redis", "shop"}
NAMESPACES = {"shop", "trading", "staging"}
HISTORY = [
    Turn("ines", "why is payments crashing in shop?"),
    Turn("opsbot", "payments was OOMKilled.", is_bot=True),
]


def resolved(question: str, history: list[Turn] | None = None) -> str:
    return resolve(question, HISTORY if history is None else history, NAMES, NAMESPACES)


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        ("and in staging?", "why is payments crashing in staging?"),
        ("how about in trading?", "why is payments crashing in trading?"),
        ("what about checkout?", "why is checkout crashing in shop?"),
        ("and yesterday?", "why is payments crashing in shop yesterday?"),
        ("and since 9:30?", "why is payments crashing in shop since 9:30?"),
        ("and in payments?", "why is payments crashing in shop?"),
        ("who owns it?", "who owns payments in shop?"),
        ("and who owns it?", "and who owns payments in shop?"),
        ("and its limits?", "and payments's limits in shop?"),
        ("What are its memory limits?", "What are payments's memory limits in shop?"),
        ("which services use this service?", "which services use payments in shop?"),
        ("how do I fix that in staging?", "how do I fix payments in staging?"),
        ("is it safe to restart it?", "is it safe to restart payments in shop?"),
        ("who is on call?", "who is on call for payments in shop?"),
    ],
)
def test_what_a_follow_up_leaves_out_is_filled_in(question: str, whole: str) -> None:
    assert resolved(question) == whole


@pytest.mark.parametrize(
    "question",
    [
        "why is redis down?",
        "which pods of checkout that are pending have events this week?",
        "thanks",
        "what happened this morning?",
        "who owns checkout?",
        "",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    assert resolved(question) == question


def test_without_history_there_is_nothing_to_fill_in() -> None:
    assert resolved("who owns it?", []) == "who owns it?"
    assert resolved("who owns it?", [Turn("bot", "payments", is_bot=True)]) == "who owns it?"
    assert resolved("who owns it?", [Turn("ines", "hello there")]) == "who owns it?"


def test_follow_ups_follow_each_other() -> None:
    history = [*HISTORY, Turn("ines", "<@UOPSBOT> and checkout?")]
    assert resolved("who owns it?", history) == "who owns checkout in shop?"


def test_a_place_is_added_where_there_was_none() -> None:
    assert resolved("and in staging?", [Turn("i", "why is redis down?")]) == (
        "why is redis down in staging?"
    )
    assert resolved("and in prod-eu?", [Turn("i", "why is redis down?")]) == (
        "why is redis down in prod-eu?"
    )


def test_what_the_bot_named_counts_when_nobody_else_named_anything() -> None:
    history = [Turn("i", "what is wrong?"), Turn("b", "ledger-1 is pending.", is_bot=True)]
    assert resolved("who owns it?", history) == "who owns ledger-1?"


@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=3))
def test_no_text_makes_it_fail(question: str, texts: list[str]) -> None:
    turns = [Turn("a", text, is_bot=bool(number % 2)) for number, text in enumerate(texts)]
    assert isinstance(resolve(question, turns, NAMES, NAMESPACES), str)

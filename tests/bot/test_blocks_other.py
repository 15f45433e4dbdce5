from __future__ import annotations

import dataclasses
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.blocks import feedback, notices, parts
from bot.blocks.help import CommandHelp, greeting, help_message
from bot.blocks.status import status_message
from core.answers import PartState
from tests.bot.checks import assert_fits, assert_harmless, shown
from tests.bot.samples import HOSTILE, NOW, part

ENTRIES = (
    CommandHelp("ask <question>", "answers", "ask why?", "Ask"),
    CommandHelp("help", "this", "help", "The bot"),
)


def test_help_gives_usage_summary_and_example_of_every_command() -> None:
    text = shown(help_message("/k8s", ENTRIES))
    assert "`/k8s ask &lt;question&gt;`  answers" in text
    assert "e.g. `/k8s ask why?`" in text
    assert text.count("/k8s help") == 1


def test_help_opens_with_what_went_wrong() -> None:
    built = help_message("/k8s", ENTRIES, "Unknown command `x`.")
    assert built.text.startswith("Unknown command `x`.")
    assert built.blocks[0]["text"]["text"] == "Unknown command `x`."


def test_an_empty_mention_is_greeted_with_three_questions() -> None:
    assert greeting("/k8s", ["a?", "b?", "c?"]).text.count("•") == 3
    assert "For example" not in greeting("/k8s", []).text


def test_status_lists_the_broken_parts_first_with_a_remedy() -> None:
    built = status_message(
        (
            part("slack"),
            part("model", PartState.DEGRADED, "Pull the model."),
            part("cluster demo", PartState.DOWN),
        ),
        NOW,
    )
    lines = built.text.split("\n")
    assert lines[0] == "*❌ 2 of 3 parts need attention, the rest works*"
    assert lines[1].startswith("❌  *cluster demo*")
    assert lines[3] == "→ Pull the model."
    assert lines[4] == "✅  *slack*  as told"
    assert lines[5] == "checked just now"


def test_a_part_that_was_checked_earlier_says_so() -> None:
    old = dataclasses.replace(part("model"), checked_at=NOW - timedelta(minutes=5), detail="")
    lines = status_message((part("slack"), old), NOW).text.split("\n")
    assert lines[2] == "✅  *model*  ·  checked 5 min before the others"


def test_a_name_with_stars_is_shown_as_code() -> None:
    assert "`csv-logs:*.csv`" in status_message((part("csv-logs:*.csv"),), NOW).text


def test_status_headlines() -> None:
    assert "✅ Everything works" in status_message((part("slack"),), NOW).text
    degraded = (part("slack", PartState.DEGRADED),)
    assert "⚠️ No part is fully working" in status_message(degraded, NOW).text
    assert "No part reports" in status_message((), NOW).text


def test_a_problem_offers_another_try_only_when_asked_to() -> None:
    plain = notices.problem("It broke.", "", "ab12")
    assert [block["type"] for block in plain.blocks] == ["section", "context"]
    again = notices.problem("It broke.", "Wait.", "ab12", offers_retry=True)
    assert again.blocks[-1]["elements"][0]["value"] == "ab12"


@given(st.text(max_size=3_000) | st.just(HOSTILE))
def test_every_notice_fits_and_does_no_harm(text: str) -> None:
    for built in (
        notices.looking(text),
        notices.progress(text),
        notices.problem(text[:900], text[:900], text[:50], offers_retry=True),
        notices.offer_ask("/k8s", text or "x"),
        notices.queued(),
        feedback.thanks_message(),
        feedback.offer_to_keep("ab12"),
        feedback.kept_message("ab12"),
        feedback.forgotten_message(),
        status_message((part(text, PartState.DOWN, text),) * 20, NOW),
        help_message("/k8s", ENTRIES),
    ):
        assert_fits(built)
        assert_harmless(built)


def test_a_table_keeps_within_ten_thousand_characters() -> None:
    block = parts.table([["x" * 600, ""]] * 40)
    assert len(block["rows"]) == 16
    assert block["rows"][0][1]["text"] == "–"
    assert "column_settings" not in block


def test_a_divider_is_a_block() -> None:
    assert parts.divider() == {"type": "divider"}

"""Block Kit limits, one complaint per wrong thing and none for what Slack takes."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.slack.blocks import check_message, check_view, with_ids

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def button(**changes: Any) -> Json:
    return {"type": "button", "action_id": "a", "text": plain("Go"), "value": "v"} | changes


def options(number: int) -> list[Json]:
    return [{"text": plain("o"), "value": str(n)} for n in range(number)]


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def rows(height: int, width: int, text: str = "x") -> list[list[Json]]:
    return [[{"type": "raw_text", "text": text}] * width] * height


FEEDBACK: Json = {
    "type": "feedback_buttons",
    "action_id": "f",
    "positive_button": {"text": plain("Good"), "value": "up"},
    "negative_button": {"text": plain("Bad"), "value": "down"},
}

FINE: dict[str, Json] = {
    "actions": actions(*(button(action_id=str(n)) for n in range(25))),
    "context": {"type": "context", "elements": [mrkdwn("x")] * 10},
    "context image": {
        "type": "context",
        "elements": [{"type": "image", "image_url": "https://a.b/c.png", "alt_text": "c"}],
    },
    "context_actions": {"type": "context_actions", "elements": [FEEDBACK]},
    "divider": {"type": "divider"},
    "header": {"type": "header", "text": plain("x" * 150)},
    "image": {"type": "image", "image_url": "https://a.b/c.png", "alt_text": "c"},
    "markdown": {"type": "markdown", "text": "x" * 12_000},
    "overflow": actions({"type": "overflow", "options": options(5)}),
    "plan": {"type": "plan", "title": "p", "tasks": [{"task_id": "1", "title": "t"}]},
    "rich_text": {"type": "rich_text", "elements": [{"type": "rich_text_section"}]},
    "section": {"type": "section", "text": mrkdwn("x" * 3000), "fields": [mrkdwn("x")] * 10},
    "select": {
        "type": "section",
        "text": mrkdwn("x"),
        "accessory": {"type": "static_select", "options": options(100)},
    },
    "table": {"type": "table", "rows": rows(100, 20), "column_settings": [{"align": "right"}]},
}


@pytest.mark.parametrize("name", FINE)
def test_blocks_at_their_limits_are_taken(name: str) -> None:
    assert check_message([FINE[name]]) == []


WRONG: dict[str, tuple[Any, str]] = {
    "no list": ("x", "must be an array"),
    "51 blocks": ([FINE["divider"]] * 51, "no more than 50 items"),
    "unknown block": ([{"type": "song"}], "unsupported type: song"),
    "no object": (["x"], "unsupported type"),
    "modal block": ([{"type": "alert", "text": plain("x")}], "unsupported type: alert"),
    "long header": ([{"type": "header", "text": plain("x" * 151)}], "less than 151"),
    "mrkdwn header": ([{"type": "header", "text": mrkdwn("x")}], "must be plain_text"),
    "empty text": ([{"type": "section", "text": mrkdwn("")}], "must be more than 0"),
    "section without text": ([{"type": "section"}], "must provide text or fields"),
    "no text object": ([{"type": "section", "text": "x"}], "must provide an object"),
    "11 fields": ([{"type": "section", "fields": [mrkdwn("x")] * 11}], "no more than 10"),
    "long text": ([{"type": "section", "text": mrkdwn("x" * 3001)}], "less than 3001"),
    "two long markdowns": ([{"type": "markdown", "text": "x" * 6001}] * 2, "in all"),
    "26 buttons": ([actions(*(button(action_id=str(n)) for n in range(26)))], "no more than 25"),
    "same action": ([actions(button(), button())], "action_id already exists"),
    "long button": ([actions(button(text=plain("x" * 76)))], "less than 76"),
    "long value": ([actions(button(value="x" * 2001))], "less than 2001"),
    "long url": ([actions(button(url="x" * 3001))], "less than 3001"),
    "odd style": ([actions(button(style="pink"))], "must be one of primary, danger"),
    "long action_id": ([actions(button(action_id="x" * 256))], "less than 256"),
    "odd element": ([actions({"type": "song"})], "unsupported type: song"),
    "6 options": ([actions({"type": "overflow", "options": options(6)})], "no more than 5"),
    "101 options": ([actions({"type": "static_select", "options": options(101)})], "than 100"),
    "11 context": ([{"type": "context", "elements": [mrkdwn("x")] * 11}], "no more than 10"),
    "button in context_actions": (
        [{"type": "context_actions", "elements": [button()]}],
        "unsupported type: button",
    ),
    "half feedback": (
        [{"type": "context_actions", "elements": [{**FEEDBACK, "negative_button": None}]}],
        "must provide an object",
    ),
    "101 rows": ([{"type": "table", "rows": rows(101, 1)}], "no more than 100"),
    "21 cells": ([{"type": "table", "rows": rows(1, 21)}], "no more than 20"),
    "odd cell": ([{"type": "table", "rows": [[mrkdwn("x")]]}], "unsupported type: mrkdwn"),
    "large tables": ([{"type": "table", "rows": rows(1, 1, "x" * 5001)}] * 2, "10001"),
    "no alt text": ([{"type": "image", "image_url": "https://a.b"}], "must be a string"),
    "long alt text": ([{**FINE["image"], "alt_text": "x" * 2001}], "less than 2001"),
    "no picture": ([{"type": "image", "alt_text": "x"}], "must provide image_url"),
    "same block_id": ([{"type": "divider", "block_id": "b"}] * 2, "block_id already exists"),
    "odd task": (
        [{"type": "task_card", "task_id": "1", "title": "t", "status": "lost"}],
        "must be one of pending",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_blocks_beyond_their_limits_are_refused(name: str) -> None:
    blocks, words = WRONG[name]
    complaints = check_message(blocks)
    assert complaints
    assert any(words in complaint for complaint in complaints)
    assert all("json-pointer:/" in complaint for complaint in complaints)


def modal(**changes: Any) -> Json:
    return {"type": "modal", "title": plain("Why?"), "blocks": []} | changes


INPUT: Json = {
    "type": "input",
    "label": plain("Reason"),
    "element": {"type": "plain_text_input"},
}


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (None, "must provide an object"),
        (modal(type="song"), "must be modal or home"),
        (modal(title=plain("x" * 25)), "less than 25"),
        (modal(close=plain("x" * 25)), "less than 25"),
        (modal(private_metadata="x" * 3001), "less than 3001"),
        (modal(blocks=[INPUT]), "submit is required"),
        (modal(blocks=[{"type": "divider"}] * 101), "no more than 100"),
        (modal(blocks=[FINE["markdown"]]), "unsupported type: markdown"),
    ],
)
def test_views_beyond_their_limits_are_refused(view: Any, words: str) -> None:
    assert any(words in complaint for complaint in check_view(view))


def test_a_modal_takes_inputs_and_alerts() -> None:
    alert = {"type": "alert", "text": mrkdwn("Careful")}
    assert check_view(modal(submit=plain("Send"), blocks=[INPUT, alert])) == []


def test_ids_are_given_where_they_are_missing() -> None:
    given = {"type": "section", "block_id": "mine", "text": mrkdwn("x"), "accessory": button()}
    bare = {key: value for key, value in button().items() if key != "action_id"}
    blocks = [given, actions(bare), {"type": "markdown", "text": "x", "block_id": "lost"}]
    first, second, third = with_ids(blocks)
    assert first["block_id"] == "mine"
    assert second["elements"][0]["action_id"]
    assert third["block_id"] != "lost"
    assert "action_id" not in bare

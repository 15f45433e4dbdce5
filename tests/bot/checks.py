"""What holds for every message that leaves for Slack, as functions over the built message."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from slack_sdk.models.blocks import Block as SdkBlock

from bot.blocks.parts import Message

# Our own dates and https links are allowed; anything else in angle brackets would act.
_TOKEN = re.compile(r"<(?!!date\^\d+\^)(?!https://docs\.example/)(?!@UASKER>)[^>]*>?")
_HIDDEN_LINK = re.compile(r"\]\(\s*(?:https?:|www\.|//)", re.IGNORECASE)


def texts(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every text object of a message with the object that holds it."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"], value
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


def assert_fits(message: Message) -> None:
    """Slack's limits on one message."""
    assert 0 < len(message.text) <= 4_000
    assert len(message.blocks) <= 50
    markdown = [block["text"] for block in message.blocks if block["type"] == "markdown"]
    assert sum(map(len, markdown)) <= 12_000
    for block in message.blocks:
        parsed = SdkBlock.parse(block)
        if parsed is not None and block["type"] not in {"table", "context_actions"}:
            parsed.validate_json()
        if block["type"] == "header":
            assert len(block["text"]["text"]) <= 150
        if block["type"] == "section":
            assert 0 < len(block["text"]["text"]) <= 3_000
        if block["type"] == "table":
            cells = [cell["text"] for row in block["rows"] for cell in row]
            assert all(cells)
            assert sum(map(len, cells)) <= 10_000


def assert_harmless(message: Message) -> None:
    """Nothing in it can notify anyone or hide an address."""
    _assert_no_token(message.text)
    for text, holder in texts(list(message.blocks)):
        if holder["type"] in {"mrkdwn", "markdown"}:
            _assert_no_token(text)
        if holder["type"] == "mrkdwn":
            assert holder["verbatim"] is True
        if holder["type"] == "markdown":
            assert _HIDDEN_LINK.search(text) is None, text


def shown(message: Message) -> str:
    """All texts of the blocks, for assertions on what a reader sees."""
    return "\n".join(text for text, _ in texts(list(message.blocks)))


def _assert_no_token(text: str) -> None:
    found = _TOKEN.search(text)
    assert found is None, text


def is_balanced(part: str) -> bool:
    """Whether every fence that a Markdown text opens is closed in it, by one as long."""
    opened = ""
    for line in part.split("\n"):
        mark = line.strip()
        sign = mark[:1]
        run = mark[: len(mark) - len(mark.lstrip(sign))] if sign in {"`", "~"} else ""
        if len(run) >= 3 and not opened:
            opened = run
        elif opened and run.startswith(opened) and run == mark:
            opened = ""
    return not opened

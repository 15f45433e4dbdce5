from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.mrkdwn import (
    clip,
    clip_escaped,
    code,
    date,
    duration,
    escape,
    escape_markdown,
    fence,
    is_web_address,
    link,
    settled,
    unescape,
)
from tests.bot.samples import HOSTILE, NOW

PIECES = st.sampled_from(
    ["<!channel>", "<@U1>", "](", "]", "(", "[x]", "http", "https://e", "://", ":", " ", "<", ">",
     "&", "`", "```", "\n", "a", "mailto:", "www.", "//"]
)  # fmt: skip


@given(st.text() | st.lists(PIECES).map("".join))
def test_no_angle_bracket_survives_either_escape(text: str) -> None:
    assert not set("<>") & set(escape(text))
    assert not set("<>") & set(escape_markdown(text))


@given(st.text())
def test_unescape_gives_back_what_was_escaped(text: str) -> None:
    assert unescape(escape(text)) == text


@given(st.lists(PIECES, max_size=30).map("".join))
def test_no_label_hides_an_address_in_markdown(text: str) -> None:
    assert re.search(r"\]\(\s*(?:&lt;)?(?:[a-z]+:|//|www\.)", escape_markdown(text)) is None


def test_a_hidden_link_is_opened_up_so_that_its_address_is_read() -> None:
    assert escape_markdown("see [docs](https://e.example)") == "see [docs] (https://e.example)"
    assert escape_markdown("[docs]: https://e.example") == "[docs] : https://e.example"


def test_code_that_looks_like_a_link_without_an_address_is_left_alone() -> None:
    command = "grep -E '[0-9](ms|s)' && jq '.items[0](x)'"
    assert escape_markdown(command) == command


def test_markdown_keeps_ampersands_and_shows_placeholders_of_kubectl() -> None:
    assert escape_markdown("a && b <none>") == "a && b &lt;none&gt;"


@given(st.lists(PIECES, max_size=25).map("".join), st.integers(0, 200))
def test_what_is_settled_stays_the_beginning_of_what_is_escaped_later(text: str, cut: int) -> None:
    early = escape_markdown(settled(text[:cut]))
    assert escape_markdown(text).startswith(early)


@given(st.text(), st.text())
def test_a_link_is_one_token_whatever_is_in_its_address_and_label(tail: str, label: str) -> None:
    made = link(f"https://docs.example/{tail}", label)
    assert made.count("<") <= 1
    assert made.count(">") <= 1
    assert made.count("|") <= 1


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "runbooks/a.md", "https://", "http://[", "ftp://a/b"]
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert not is_web_address(url)
    assert link(url, "a <b>") == "a &lt;b&gt;"


def test_a_link_without_a_label_shows_its_address() -> None:
    assert link("https://a.example/x", "") == "<https://a.example/x|https://a.example/x>"


def test_a_date_is_a_token_with_a_fallback_in_utc() -> None:
    stamp = int(NOW.timestamp())
    assert date(NOW) == f"<!date^{stamp}^{{date_short_pretty}} {{time}}|2026-03-02 09:00 UTC>"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (45, "45 s"), (100, "2 min"), (5_400, "2 h"), (90_000, "25 h"), (260_000, "3 d")],
)
def test_a_duration_is_told_in_its_one_telling_unit(seconds: int, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words


def test_backticks_cannot_end_code() -> None:
    assert code("a`b\n`c") == "`a'b 'c`"
    assert code("  ") == ""
    assert fence("a```b").count("```") == 2


@given(st.text(alphabet="ab<>&; "), st.integers(1, 40))
def test_clipping_escaped_text_cuts_no_entity_in_two(text: str, limit: int) -> None:
    cut = clip_escaped(escape(text), limit)
    assert len(cut) <= max(limit, 1)
    assert "&" not in re.sub(r"&(?:amp|lt|gt);", "", cut)


def test_clipping_never_leaves_half_a_token() -> None:
    assert clip_escaped(f"at {date(NOW)}", 30) == "at…"
    assert clip("abcdef", 4) == "abc…"


def test_hostile_text_comes_out_without_a_token() -> None:
    assert "<" not in escape(HOSTILE)
    assert "](" not in escape_markdown(HOSTILE)

"""How a reply is cut into pieces, and where it ends."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.ollama.pieces import Drop, End, Fail, Pause, stream, tokens


@given(st.text(max_size=80))
def test_tokens_joined_give_the_text_again(text: str) -> None:
    assert "".join(tokens(text)) == text


@settings(max_examples=300)
@given(
    st.lists(st.text("ab .", max_size=12), max_size=4),
    st.lists(st.text("ab", min_size=1, max_size=3), max_size=2),
)
def test_the_text_ends_right_before_the_first_stop_sequence(
    parts: list[str], stops: list[str]
) -> None:
    whole = "".join(parts)
    places = [whole.find(stop) for stop in stops if stop in whole]
    pieces = list(stream(parts, stops))
    assert isinstance(pieces[-1], End)
    sent = "".join(piece for piece in pieces if isinstance(piece, str))
    # A stop sequence that is complete first counts, even if a longer one began before it.
    assert not any(stop in sent for stop in stops)
    assert whole.startswith(sent)
    if not places:
        assert sent == whole


def test_a_stop_sequence_across_pieces_is_found() -> None:
    assert list(stream(["half of ##", "# the rest"], ["###"])) == [
        "half",
        " of",
        " ",
        End("stop", 4),
    ]


def test_what_was_held_back_is_sent_when_it_becomes_no_stop_sequence() -> None:
    pieces = list(stream(["a #", "b"], ["##"]))
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == "a #b"


@pytest.mark.parametrize("limit", [0, -1, -2])
def test_a_limit_of_zero_or_less_is_none(limit: int) -> None:
    assert list(stream("a b", limit=limit)) == ["a", " b", End("stop", 2)]


def test_a_limit_ends_the_text_and_says_length() -> None:
    assert list(stream("a b c", limit=2)) == ["a", " b", End("length", 2)]


def test_marks_come_through_in_their_place() -> None:
    assert list(stream(["a #", Pause(1), "b", Fail("out of memory"), Drop()], ["##"])) == [
        "a",
        " ",
        "#",
        Pause(1),
        "b",
        Fail("out of memory"),
        Drop(),
        End("stop", 3),
    ]

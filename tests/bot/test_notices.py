from __future__ import annotations

from types import SimpleNamespace

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.notices import explain, new_reference, retry_after_seconds, slack_code, slack_error
from core.errors import ClusterError


def refused(code: str, **more: str) -> SlackApiError:
    answer = {"ok": False, "error": code, **more}
    return SlackApiError("refused", answer)  # type: ignore[no-untyped-call]


def test_an_error_of_ours_is_told_in_its_own_words() -> None:
    told = explain(ClusterError("read prod", "no route.", "Check the VPN."), "ab12")
    assert (told.headline, told.remedy) == ("I could not read prod: no route.", "Check the VPN.")
    assert told.reference == "ab12"


def test_anything_else_is_told_without_its_text() -> None:
    told = explain(ValueError("secret"), "ab12")
    assert "secret" not in f"{told.headline}{told.remedy}"


def test_a_timeout_is_told_as_one() -> None:
    assert "longer than I may wait" in explain(TimeoutError(), "ab12").headline


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("not_in_channel", "not a member"),
        ("invalid_auth", "does not accept the token"),
        ("fatal_error", "Slack answered fatal_error"),
    ],
)
def test_slacks_word_becomes_ours(code: str, words: str) -> None:
    assert words in explain(refused(code), "ab12").headline


def test_a_missing_scope_is_named() -> None:
    assert (
        "the scope chat:write"
        in slack_error(refused("missing_scope", needed="chat:write"), "post").wrong
    )
    assert "the scope one more" in slack_error(refused("missing_scope"), "post").wrong


def test_no_answer_from_slack_is_said_so() -> None:
    assert slack_error(aiohttp.ClientError("x"), "post").wrong == "Slack could not be reached"
    assert slack_code(TimeoutError()) == ""


def test_references_differ() -> None:
    assert len({new_reference() for _ in range(50)}) == 50


def test_a_pause_is_read_from_slacks_answer() -> None:
    def limited(headers: dict[str, str]) -> SlackApiError:
        answer = SimpleNamespace(headers=headers)
        return SlackApiError("limited", answer)  # type: ignore[no-untyped-call]

    assert retry_after_seconds(limited({"Retry-After": "7"})) == 7
    assert retry_after_seconds(limited({"Retry-After": "soon"})) == 1
    assert retry_after_seconds(limited({})) == 1
    assert retry_after_seconds(TimeoutError()) == 1

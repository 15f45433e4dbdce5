from __future__ import annotations

from typing import Any

import pytest

from bot.gate import Visit
from bot.listeners.incoming import (
    delivery_keys,
    reason_to_ignore,
    visit_of_click,
    visit_of_event,
)

BODY = {"team_id": "T1", "event_id": "Ev1"}
PLAIN = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.0", "team": "T1"}


@pytest.mark.parametrize(
    "change",
    [
        {"subtype": "message_changed"},
        {"subtype": "message_deleted"},
        {"subtype": "bot_message"},
        {"subtype": "channel_join"},
        {"bot_id": "B1"},
        {"bot_profile": {"id": "B1"}},
        {"message": {"bot_id": "B1"}},
        {"user": "USLACKBOT"},
        {"user": "UBOT"},
        {"user": None},
        {"edited": {"ts": "2.0"}},
        {"hidden": True},
    ],
)
def test_what_no_person_wrote_just_now_is_ignored(change: dict[str, Any]) -> None:
    assert reason_to_ignore({**PLAIN, **change}, "UBOT")


@pytest.mark.parametrize("change", [{}, {"subtype": "file_share"}, {"thread_ts": "0.5"}])
def test_what_a_person_wrote_is_not(change: dict[str, Any]) -> None:
    assert reason_to_ignore({**PLAIN, **change}, "UBOT") == ""


def test_a_mention_and_its_message_share_a_key() -> None:
    mention = delivery_keys(PLAIN, BODY)
    message = delivery_keys({**PLAIN, "type": "message"}, {**BODY, "event_id": "Ev2"})
    assert mention == ("event:Ev1", "message:T1:C1:1.0")
    assert set(mention) & set(message) == {"message:T1:C1:1.0"}
    assert delivery_keys(PLAIN, {"team_id": "T1"})[0] == ""


@pytest.mark.parametrize(
    ("change", "team"),
    [
        ({}, "T1"),
        ({"team": None}, "T1"),
        ({"user_team": "T2"}, "T2"),
        ({"source_team": "T3"}, "T3"),
    ],
)
def test_a_visit_names_the_team_that_is_not_ours(change: dict[str, Any], team: str) -> None:
    assert visit_of_event({**PLAIN, **change}, BODY) == Visit("U1", "C1", team, is_shared=False)


def test_an_event_tells_that_its_channel_is_shared_a_click_does_not() -> None:
    assert visit_of_event(PLAIN, {**BODY, "is_ext_shared_channel": True}).is_shared is True
    click = {"user": {"id": "U1"}, "team": {"id": "T1"}, "channel": {"id": "D1"}}
    visit = visit_of_click(click)
    assert visit == Visit("U1", "D1", "T1", is_shared=None)
    assert visit.is_direct

"""Tokens: what the composer makes, who is notified, which links hide where they lead."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.slack.entities import Entities, compose, escape, message_entities, rich_text
from sandbox.slack.workspace import Workspace

USERS = {"opsbot": "UOPSBOT", "you": "UYOU"}
CHANNELS = {"ops": "COPS"}


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("hi @opsbot, all", "hi <@UOPSBOT>, all"),
        ("<@UOPSBOT> hi", "<@UOPSBOT> hi"),
        ("<@UNOBODY> a<b & c", "&lt;@UNOBODY&gt; a&lt;b &amp; c"),
        ("in #ops or #nowhere", "in <#COPS|ops> or #nowhere"),
        ("mail me@you.example", "mail me@you.example"),
        ("@here @channel", "<!here> <!channel>"),
        ("see https://a.b/c?d=1&e=2 now", "see <https://a.b/c?d=1&amp;e=2> now"),
        ("image shop/cart@sha", "image shop/cart@sha"),
    ],
)
def test_the_composer_makes_tokens_of_names_and_addresses(typed: str, sent: str) -> None:
    assert compose(typed, USERS, CHANNELS) == sent


@given(st.text())
def test_escaped_text_never_holds_a_token(text: str) -> None:
    found = Entities()
    found.add_text(escape(text))
    assert found == Entities()


@given(st.text(alphabet="<>@!|#here UOPSBOTchannel"))
def test_typed_text_notifies_only_through_names_it_really_has(text: str) -> None:
    found = Entities()
    found.add_text(compose(text, USERS, CHANNELS))
    assert found.users <= set(USERS.values())


def entities(**message: Any) -> Entities:
    return message_entities({"ts": "1.0", **message}, USERS)


def test_tokens_are_found_in_text_and_in_every_kind_of_block() -> None:
    found = entities(
        text="<@U1> <!here|here> <!subteam^S1|@ops> <!date^1^{time}|x> <http://evil|ok> <#C1|c>",
        blocks=[
            {"type": "section", "text": {"type": "mrkdwn", "text": "<@U2> @you @nobody"}},
            {"type": "markdown", "text": "`<@U3>` <!channel>"},
            {
                "type": "rich_text",
                "elements": [
                    {"type": "user", "user_id": "U4"},
                    {"type": "broadcast", "range": "everyone"},
                    {"type": "usergroup", "usergroup_id": "S2"},
                ],
            },
        ],
    )
    assert found.users == {"U1", "U2", "U3", "U4", "UYOU"}
    assert found.broadcasts == {"here", "channel", "everyone"}
    assert found.groups == {"S1", "S2"}
    assert found.hidden_links() == [("http://evil", "ok")]


def test_plain_and_verbatim_text_and_raw_cells_notify_nobody() -> None:
    found = entities(
        text="&lt;!here&gt;",
        blocks=[
            {"type": "header", "text": {"type": "plain_text", "text": "<!here> @you"}},
            {"type": "table", "rows": [[{"type": "raw_text", "text": "<@UYOU>"}]]},
            {
                "type": "context",
                "elements": [{"type": "mrkdwn", "text": "@here @you", "verbatim": True}],
            },
        ],
    )
    assert found == Entities()


def test_bare_names_in_text_notify_only_with_link_names() -> None:
    workspace = Workspace()
    ops = workspace.conversation("COPS")
    quiet = workspace.post(ops, workspace.bot, "@you look")
    loud = workspace.post(ops, workspace.bot, "@you look", link_names=True)
    assert workspace.notified(ops, quiet) == []
    assert workspace.notified(ops, loud) == ["UYOU"]


def test_a_broadcast_notifies_all_members_but_its_author() -> None:
    workspace = Workspace()
    ops = workspace.conversation("COPS")
    message = workspace.post(ops, workspace.bot, "<!here> <!subteam^S1>")
    notified = workspace.notified(ops, message)
    assert set(notified) == ops.members - {"UOPSBOT"} | {"S1"}


def test_typed_words_become_rich_text() -> None:
    (block,) = rich_text("a &lt; <@U1> <#C1|c> <!here> <https://a.b|x> <https://c.d>")
    elements = block["elements"][0]["elements"]
    kinds = [item["type"] for item in elements if item.get("text") != " "]
    assert kinds == ["text", "user", "channel", "broadcast", "link", "link"]
    assert elements[0]["text"] == "a < "
    assert elements[-3] == {"type": "link", "url": "https://a.b", "text": "x"}

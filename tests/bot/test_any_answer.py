"""Any Markdown and any hostile text, as Slack would take it: nothing refused, nobody notified."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.answer import lay_out
from bot.blocks.help import CommandHelp, greeting, help_message
from bot.blocks.home import Home, Recent, home_view
from bot.blocks.onboarding import onboarding_message
from bot.blocks.parts import Message
from bot.blocks.suggestions import offered_instead
from bot.replies import _plainly
from core.answers import Scope
from sandbox.slack.blocks import check_message, check_view
from sandbox.slack.entities import message_entities
from tests.bot.checks import is_balanced
from tests.bot.samples import HOSTILE, NOW, answer, citation, gap

USERS = {"ines": "UINES", "you": "UYOU"}
SIGNS = (
    "<!here>", "<!channel>", "<@UYOU>", "<!subteam^S1>", "@here", "@ines", "<http://e.vil|ok>",
    "[ok](http://e.vil)", "[ok]: //e.vil", "<none>", "&lt;!here&gt;", "&amp;", HOSTILE,
)  # fmt: skip
WORDS = st.lists(
    st.sampled_from([*SIGNS, "payments", "`code`", "**bold**", "_it_", "[1]", "[2]", "~~x~~"])
    | st.text(max_size=30),
    max_size=8,
).map(" ".join)
CODE = st.tuples(
    st.sampled_from(["```", "```yaml", "````", "~~~"]),
    st.lists(WORDS, max_size=12),
    st.sampled_from(["```", "````", "~~~", ""]),
).map(lambda parts: "\n".join((parts[0], *parts[1], parts[2])))
TABLE = st.lists(st.lists(WORDS, min_size=1, max_size=4), min_size=1, max_size=6).map(
    lambda rows: "\n".join(
        f"| {' | '.join(cells)} |" + ("\n|---|" if not number else "")
        for number, cells in enumerate(rows)
    )
)
BLOCK = st.one_of(
    WORDS,
    WORDS.map(lambda words: f"## {words}"),
    st.lists(WORDS, max_size=6).map(lambda rows: "\n".join(f"- {row}" for row in rows)),
    CODE,
    TABLE,
    WORDS.map(lambda words: f"> {words}"),
    st.just("x" * 7_000),
)
MARKDOWN = st.lists(BLOCK, max_size=10).map("\n\n".join)


def assert_taken(message: Message) -> None:
    """Slack takes it, nobody is notified, and code ends where it should."""
    assert check_message(list(message.blocks)) == []
    assert 0 < len(message.text) <= 4_000
    _assert_silent({"text": message.text, "blocks": list(message.blocks)})
    for block in message.blocks:
        if block["type"] == "markdown":
            assert is_balanced(block["text"])


def _assert_silent(message: dict[str, Any]) -> None:
    found = message_entities(message, USERS)
    assert not found.users - {"UASKER", "UOPSBOT"}
    assert not found.groups
    assert not found.broadcasts
    assert all("e.vil" not in address for address, _ in found.hidden_links())


@given(MARKDOWN, WORDS, st.integers(0, 3), st.booleans())
def test_any_answer_is_taken_on_every_way(
    text: str, words: str, count: int, is_grounded: bool
) -> None:
    told = answer(
        text,
        question=words,
        is_grounded=is_grounded,
        notes=(words,) * count,
        gaps=(gap(words),) * count,
        citations=tuple(citation(number, title=words) for number in range(1, count + 1)),
    )
    layout = lay_out(told, "ab12", NOW, shows_question=True, asked_by="UASKER", offers_share=True)
    for message in offered_instead(layout, [words] * count).messages():
        assert_taken(message)
        assert_taken(_plainly(message))


@given(MARKDOWN, WORDS, st.integers(0, 3))
def test_so_is_what_the_bot_offers(text: str, words: str, count: int) -> None:
    questions = [words] * count
    entry = CommandHelp("ask <question>", words, words, words or "Ask")
    assert_taken(help_message("/k8s", [entry], questions=questions))
    assert_taken(greeting("/k8s", questions))
    scope = Scope(namespaces=frozenset({words}), teams=frozenset({text}))
    assert_taken(onboarding_message("UOPSBOT", "/k8s", scope, questions))
    recent = Recent("ab12", "COPS", NOW, answer(text, question=words))
    view = home_view(Home("/k8s", NOW, (), (), [recent] * count, questions, [entry]), "DYOU")
    assert check_view(view) == []
    _assert_silent({"blocks": view["blocks"]})

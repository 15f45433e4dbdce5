from __future__ import annotations

from typing import Any

from bot.blocks.answer import lay_out
from bot.threads import HISTORY_CHARS, TURN_CHARS, Thread, history, turns, words_of
from core.answers import Turn
from tests.bot.bench import Bench
from tests.bot.samples import NOW, answer, gap

BOT = "UOPSBOT"


def message(text: str, user: str = "UINES", ts: str = "1.0", **more: Any) -> dict[str, Any]:
    return {"type": "message", "user": user, "text": text, "ts": ts, **more}


def test_authors_are_labelled_and_mentions_of_the_bot_left_out() -> None:
    told = turns(
        [
            message("<@UOPSBOT> why is <@UMEI|mei> paged? &lt;none&gt;"),
            message("pod is gone", user_profile={"display_name": "tomas"}),
            message("firing", user="UALERTS", bot_id="B1", bot_profile={"name": "alerts"}),
        ],
        BOT,
    )
    assert told == (
        Turn("UINES", "why is @UMEI paged? <none>"),
        Turn("tomas", "pod is gone"),
        Turn("alerts", "firing", is_bot=True),
    )


def test_own_answers_come_without_footer_and_sources() -> None:
    layout = lay_out(answer("Use `a<b` [1].", gaps=(gap(),), notes=("Note.",)), "ab12", NOW)
    (built,) = layout.messages()
    as_blocks = message(built.text, BOT, blocks=list(built.blocks))
    as_text = message(built.text, BOT)
    (turn,) = turns([as_blocks], BOT)
    assert turn == Turn("opsbot", "Use `a<b` [1].", is_bot=True)
    (turn,) = turns([as_text], BOT)
    assert turn.text == "⚠️ Note.\nUse `a<b` [1]."


def test_what_was_said_in_passing_is_left_out() -> None:
    passing = [
        message("🔎 Looking into it…", BOT),
        message("⏳ One question at a time", BOT),
        message("joined", subtype="channel_join"),
        message(""),
    ]
    assert turns(passing, BOT) == ()


def test_the_parent_and_the_newest_are_kept_within_the_budget() -> None:
    long = "x" * (TURN_CHARS * 2)
    told = turns([message("parent"), *(message(f"{n} {long}") for n in range(9))], BOT)
    assert told[0].text == "parent"
    assert [turn.text[0] for turn in told[1:]] == ["6", "7", "8"]
    assert sum(len(turn.text) for turn in told) <= HISTORY_CHARS
    assert all(len(turn.text) <= TURN_CHARS for turn in told)


def test_links_are_read_as_their_labels() -> None:
    assert words_of("see <https://a.example|the docs> in <#C1|ops>") == "see the docs in ops"
    assert words_of("<https://a.example>") == "https://a.example"


async def test_a_message_that_opens_a_thread_has_no_history(bench: Bench) -> None:
    ts = bench.say("hello")
    assert await history(bench.client, "COPS", ts, ts, BOT) == Thread()
    assert bench.calls("conversations.replies") == []


async def test_history_ends_before_the_question(bench: Bench) -> None:
    parent = bench.say("one")
    bench.say("two", thread=parent)
    asked = bench.say("three", thread=parent)
    bench.say("four", thread=parent)
    told = await history(bench.client, "COPS", parent, asked, BOT)
    assert told.turns == (Turn("UYOU", "one"), Turn("UYOU", "two"))


async def test_a_long_thread_is_read_page_by_page_to_its_newest(bench: Bench) -> None:
    parent = bench.say("parent")
    for number in range(230):
        bench.say(f"reply {number}", thread=parent)
    await bench.settle()
    told = await history(bench.client, "COPS", parent, "", BOT)
    assert told.turns[0].text == "parent"
    assert told.turns[-1].text == "reply 229"
    assert len(bench.calls("conversations.replies")) == 2


async def test_a_thread_that_cannot_be_read_is_not_an_empty_one(bench: Bench) -> None:
    parent = bench.say("parent")
    bench.fault(kind="error", method="conversations.replies", error="missing_scope")
    told = await history(bench.client, "COPS", parent, "", BOT)
    assert not told.is_read
    assert told.problem == "I could not read the earlier messages of this thread."


async def test_a_follow_up_knows_what_was_answered(either: Bench) -> None:
    parent = either.say("<@UOPSBOT> why?")
    await either.eventually(either.own)
    await either.settle()
    either.say("<@UOPSBOT> and now?", thread=parent)
    await either.eventually(lambda: len(either.own()) == 2)
    assert either.fakes.answerer.asked[1] == (
        "and now?",
        (Turn("UYOU", "why?"), Turn("opsbot", "Raise the limit [1].", is_bot=True)),
    )

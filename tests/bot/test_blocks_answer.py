from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.answer import FOOTER_MARK, SHARE_BLOCK, lay_out, without_share
from bot.blocks.parts import Message
from core.answers import Answer, Confidence
from tests.bot.checks import assert_fits, assert_harmless, shown
from tests.bot.samples import HOSTILE, NOW, answer, citation, gap


def only(given_answer: Answer, **options: bool) -> Message:
    built = lay_out(given_answer, "ab12", NOW, **options).messages()  # type: ignore[arg-type]
    assert len(built) == 1
    return built[0]


def kinds(message: Message) -> list[str]:
    return [block["type"] for block in message.blocks]


def test_the_order_is_answer_sources_footer_feedback() -> None:
    built = only(answer())
    assert kinds(built) == ["markdown", "context", "context", "context_actions"]
    assert built.blocks[0]["text"] == "Raise the limit [1]."
    assert built.blocks[1]["elements"][0]["text"] == (
        "*Sources*\n[1] <https://docs.example/1|Runbook 1> · updated 3 d ago"
    )
    assert built.blocks[2]["elements"][0]["text"] == (
        "AI-generated · ollama:llama3.1 · likely, not proven · 8.2 s · ref ab12"
    )


def test_an_answer_without_a_model_says_that_it_quotes() -> None:
    quoted = answer(model="extractive", elapsed_seconds=0.4, confidence=Confidence.UNKNOWN)
    assert "Quoted from your documents · 0.4 s · ref ab12" in shown(only(quoted))


def test_facts_of_the_cluster_alone_are_not_called_documents() -> None:
    read = answer(model="extractive", citations=(citation(source="cluster"),))
    assert "Read from the cluster, no model" in shown(only(read))
    assert "seen 3 d ago" in shown(only(read))
    both = answer(model="extractive", citations=(citation(source="cluster"), citation(2)))
    assert "Read from cluster and documents" in shown(only(both))


def test_missing_sources_are_said_explicitly() -> None:
    assert "*No sources cited.*" in shown(only(answer(citations=())))
    lost = answer(citations=(), is_grounded=False, model="extractive")
    assert "*No sources:* nothing I can read" in shown(only(lost))
    assert "Looked up, no model" in shown(only(lost))


def test_five_sources_are_linked_and_the_rest_counted() -> None:
    many = answer(citations=tuple(citation(number) for number in range(1, 9)))
    text = shown(only(many))
    assert text.count("https://docs.example/") == 5
    assert "and 3 more" in text


def test_a_source_without_address_or_age_is_its_title_alone() -> None:
    bare = answer(citations=(citation(url="", updated_at=None, title=""),))
    assert "*Sources*\n[1] runbooks/1.md\n" in f"{shown(only(bare))}\n"


def test_notes_stand_first_and_gaps_before_the_sources() -> None:
    degraded = answer(
        notes=("The model did not answer. Here is what I found:",),
        gaps=tuple(gap(f"cluster {number}") for number in range(7)),
    )
    built = only(degraded)
    assert kinds(built)[:4] == ["section", "markdown", "context", "context"]
    assert built.blocks[0]["text"]["text"].startswith("⚠️ The model did not answer.")
    assert "⚠️ Could not look at cluster 0: no connection" in built.blocks[2]["elements"][0]["text"]
    assert "⚠️ and 2 more places" in built.blocks[2]["elements"][0]["text"]


def test_the_text_alone_is_complete() -> None:
    built = only(answer(notes=("Careful.",), gaps=(gap(),)))
    before, _, below = built.text.partition(FOOTER_MARK)
    assert before == "⚠️ Careful.\nRaise the limit [1]."
    for part in ("documentation search", "Runbook 1", "ref ab12"):
        assert part in below


def test_a_shared_answer_names_who_asked_and_loses_its_button() -> None:
    offered = only(answer(), shows_question=True, offers_share=True)
    assert offered.blocks[0]["elements"][0]["text"] == "*why is payments restarting?*"
    assert SHARE_BLOCK in [block.get("block_id") for block in offered.blocks]
    assert SHARE_BLOCK not in [
        block.get("block_id") for block in without_share(list(offered.blocks))
    ]
    shared = lay_out(answer(), "ab12", NOW, asked_by="UASKER").messages()[0]
    assert "Asked by <@UASKER>: *why is payments" in shown(shared)


def test_a_long_answer_is_split_and_its_tail_comes_last() -> None:
    built = lay_out(answer("word " * 5_000), "ab12", NOW).messages()
    assert len(built) == 3
    assert kinds(built[0]) == ["markdown"]
    assert kinds(built[-1]) == ["markdown", "context", "context", "context_actions"]


def test_what_three_messages_cannot_hold_is_said_to_be_left_out() -> None:
    built = lay_out(answer("word " * 20_000), "ab12", NOW).messages()
    assert len(built) == 3
    assert "shortened here" in shown(built[-1])


def test_an_empty_answer_is_still_a_message() -> None:
    assert "The answer is empty" in shown(only(answer("  ")))


NASTY = st.one_of(
    st.text(max_size=400),
    st.just(HOSTILE),
    st.lists(st.sampled_from([HOSTILE, "```", "<", "&", "\n\n", "| a | b |", "x" * 3_000])).map(
        "".join
    ),
)


@given(NASTY, NASTY, st.integers(0, 12))
def test_every_answer_fits_and_does_no_harm(text: str, words: str, count: int) -> None:
    hostile = answer(
        text,
        question=words,
        model=words or "extractive",
        notes=(words,) * (count % 3),
        gaps=(gap(words),) * count,
        citations=tuple(
            citation(number, title=words, updated_at=NOW - timedelta(days=number))
            for number in range(count)
        ),
    )
    layout = lay_out(hostile, "ab12", NOW, shows_question=True, offers_share=True)
    for built in layout.messages():
        assert_fits(built)
        assert_harmless(built)

"""The whole chain, with a real LangChain client in front of a scripted Ollama."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from core.answers import (
    Answer,
    AnswerEvent,
    Confidence,
    Delta,
    Done,
    Gap,
    GenerationOptions,
    Inquiry,
    Lookup,
    Passage,
    Progress,
    Scope,
    Turn,
)
from core.clock import ManualClock
from core.errors import KnowledgeError
from core.questions import Intent, Reading
from knowledge.chain import (
    BUSY_NOTE,
    CUT_NOTE,
    LATE_NOTE,
    LOST_NOTE,
    NO_MODEL_NOTE,
    OTHER_NOTE,
    ChainLimits,
    RagChain,
)
from knowledge.evidence import citations, confidence, is_answerable, merge, renumber
from knowledge.models import ModelConfig, Models
from knowledge.ports import LiveFacts
from sandbox.ollama import scripts
from sandbox.ollama.pieces import Pause
from sandbox.ollama.server import RunningOllama, run_ollama
from tests.knowledge.fakes import (
    EVIDENCE,
    LIMITS,
    NOW,
    OWNER,
    POD,
    RUNBOOK,
    LiveCluster,
    WrittenDown,
    let_go,
    reading,
    until,
)

QUESTION = "why does payments restart?"
GOOD = (
    "The container of payments reached its memory limit, because the settlement batch is too "
    "large [2]. It was OOMKilled at 256Mi [1]."
)


@dataclass
class Bench:
    """A chain with everything around it."""

    chain: RagChain
    running: RunningOllama
    written: WrittenDown


@asynccontextmanager
async def bench(
    script: Any = GOOD,
    *,
    written: WrittenDown | None = None,
    live: LiveFacts | None = None,
    limits: ChainLimits | None = None,
    **config: Any,
) -> AsyncIterator[Bench]:
    said = (lambda _messages, _options: script) if isinstance(script, (str, list)) else script
    source = written or WrittenDown((RUNBOOK, LIMITS))
    clock = ManualClock(NOW)
    async with run_ollama(said) as running:
        models = Models(ModelConfig(ollama_url=running.url, **config), clock)
        chain = RagChain(
            source,
            live if live is not None else LiveCluster((POD,)),
            models,
            clock,
            limits=limits or ChainLimits(),
            nonce=lambda: "n0nce",
            redact=lambda text: text.replace("hunter2", "<REDACTED:password:abcd>"),
        )
        yield Bench(chain, running, source)
        await let_go()  # an answer that was broken off is closed by the loop, a few turns later


async def drained(
    chain: RagChain, question: str = QUESTION, **kwargs: Any
) -> tuple[list[AnswerEvent], Answer]:
    async with aclosing(chain.stream(Inquiry(question, **kwargs))) as events:
        found = [event async for event in events]
    done = [event for event in found if isinstance(event, Done)]
    assert len(done) == 1
    assert found[-1] is done[0]
    return found, done[0].answer


def deltas(events: Sequence[AnswerEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


async def test_an_answer_streams_checked_sentences_and_ends_with_its_evidence() -> None:
    async with bench() as it:
        events, answer = await drained(it.chain)
    assert isinstance(events[0], Progress)
    assert "live cluster" in events[0].text
    assert sum(isinstance(event, Delta) for event in events) >= 2
    assert deltas(events) == answer.text
    assert answer.text == GOOD.replace("[2]", "[x]").replace("[1]", "[2]").replace("[x]", "[1]")
    assert [citation.title for citation in answer.citations] == [
        "payments restarts › Look first",
        "Pod shop/payments-7d9f8c6b5-x2x4q",
    ]
    assert [citation.number for citation in answer.citations] == [1, 2]
    assert answer.passages == (POD, RUNBOOK, LIMITS)
    assert (answer.model, answer.confidence) == ("ollama:llama3.1", Confidence.CONFIRMED)
    assert answer.is_grounded
    assert answer.notes == ()


async def test_the_model_sees_the_passages_fenced_and_secrets_redacted() -> None:
    async with bench() as it:
        _, answer = await drained(
            it.chain,
            f"{QUESTION} password hunter2",
            history=[Turn("ines", "the password is hunter2")],
        )
    sent = str(it.running.chats()[0].messages)
    assert "<passage-n0nce number=1>" in sent
    assert "<earlier-n0nce>" in sent
    assert "hunter2" not in sent
    assert answer.question.endswith("hunter2")


async def test_a_hostile_model_does_no_harm() -> None:
    async with bench(scripts.hostile) as it:
        events, answer = await drained(it.chain)
    for text in (deltas(events), answer.text):
        for evil in ("<!channel>", "<@", "warp-drive", "worker-99", "kubectl delete", "http://"):
            assert evil not in text
    assert answer.model == "extractive"
    assert answer.notes == (CUT_NOTE,)
    assert "OOMKilled" in answer.text


@pytest.mark.parametrize("script", [scripts.garbage, ""])
async def test_a_model_that_says_nothing_of_use_leaves_the_quotes(script: Any) -> None:
    async with bench(script) as it:
        events, answer = await drained(it.chain)
    assert answer.notes == (CUT_NOTE,)
    assert deltas(events) == answer.text


async def test_a_model_that_breaks_off_leaves_the_quotes_and_a_note() -> None:
    async with bench(scripts.failing) as it:
        _, answer = await drained(it.chain)
        assert answer.notes == (LOST_NOTE,)
        assert answer.model == "extractive"
        assert "OOMKilled" in answer.text
        it.running.models = ()
        _, again = await drained(it.chain)
    assert again.notes == ()  # with "auto" no model was promised; the answer says itself
    assert again.model == "extractive"


async def test_a_configured_model_that_is_not_there_is_told() -> None:
    async with bench(model="ollama:absent") as it:
        it.running.models = ()
        _, answer = await drained(it.chain)
    assert answer.notes in ((NO_MODEL_NOTE,), (LOST_NOTE,))
    assert "OOMKilled" in answer.text


async def test_without_sources_and_cluster_it_says_what_is_not_configured() -> None:
    class Nothing(WrittenDown):
        async def look(self, _: Reading, __: Scope, limit: int = 8) -> Lookup:
            return Lookup()

    async with run_ollama() as running:
        models = Models(ModelConfig(ollama_url=running.url), ManualClock(NOW))
        chain = RagChain(Nothing(), None, models, ManualClock(NOW))
        answer = await chain.answer(Inquiry(QUESTION))
    assert "KNOWLEDGE_SOURCES is empty and no cluster is configured" in answer.text
    assert not answer.is_grounded


@pytest.mark.parametrize(
    ("question", "names", "codes", "expected"),
    [
        ("what is the limit for pod billing?", [], [], False),
        ("what is the limit of the billing service?", [], [], False),
        ("what is the limit for pod payments?", ["payments"], [], True),
        ("which Terraform module makes them?", [], [], False),
        ("what does INC-2100 say?", [], ["INC-2100"], False),
        ("what is the root password of payments?", ["payments"], [], False),
        ("why did the pod fail?", [], [], True),
        ("is it Payments that restarts?", [], [], True),
    ],
)
def test_a_thing_that_nobody_wrote_of_is_not_answered_by_others(
    question: str, names: list[str], codes: list[str], expected: bool
) -> None:
    asked = reading(question, names=names, codes=codes)
    assert is_answerable(asked, EVIDENCE) is expected


async def test_a_list_of_errors_looks_up_what_is_written_on_each() -> None:
    finding = replace(
        POD, id="cluster:demo:Deployment/shop/payments:finding", title="Finding on payments",
        text="payments keeps restarting: it is OOMKilled.\nSeverity critical, since 10:00 UTC.",
    )  # fmt: skip
    page = replace(
        RUNBOOK, heading="payments restarts › Fix", text="1. Give it more memory than before."
    )
    written = WrittenDown((page,), intents=(Intent.LOGS,), limit=10)
    async with bench(written=written, live=LiveCluster((finding,)), model="extractive") as it:
        answer = await it.chain.answer(Inquiry("summarise the last 10 critical errors"))
    assert "1. **payments** keeps restarting: it is OOMKilled [1]." in answer.text
    assert "Fix (runbook *payments restarts*): Give it more memory than before [2]." in answer.text


@pytest.mark.parametrize("is_streamed", [True, False])
async def test_a_slow_model_is_given_up_when_the_answer_is_due(is_streamed: bool) -> None:
    limits = ChainLimits(answer_timeout_seconds=2.5)
    async with bench([GOOD[:40], Pause(30)], limits=limits) as it:
        _, answer = await drained(it.chain, options=GenerationOptions(stream=is_streamed))
    assert answer.notes == (LATE_NOTE,)
    assert answer.citations


async def test_the_models_own_limit_counts_as_late() -> None:
    async with bench([Pause(30)], first_token_seconds=0.1) as it:
        _, answer = await drained(it.chain)
    assert answer.notes == (LATE_NOTE,)


async def test_without_a_model_the_answer_is_quoted() -> None:
    async with bench(model="extractive") as it:
        events, answer = await drained(it.chain)
        assert it.running.requests == []
    assert answer.model == "extractive"
    assert answer.notes == ()
    assert deltas(events) == answer.text
    marks = {int(n) for n in re.findall(r"\[(\d+)\]", answer.text)}
    assert marks == {citation.number for citation in answer.citations}


async def test_another_model_can_be_asked_for_and_its_absence_is_told() -> None:
    async with bench() as it:
        _, answer = await drained(it.chain, options=GenerationOptions(model="anthropic:x"))
    assert "install langchain-anthropic" in answer.notes[0]


async def test_nothing_found_says_where_it_looked_and_where_it_could_not() -> None:
    gap = Gap("cluster demo", "it refused the token", "Renew the token.")
    async with bench(written=WrittenDown(()), live=LiveCluster((), gap=gap)) as it:
        events, answer = await drained(it.chain)
        assert it.running.requests == []
    assert not answer.is_grounded
    assert answer.confidence is Confidence.UNKNOWN
    assert "I looked in: cluster demo, 12 runbooks." in answer.text
    assert "I could not look at cluster demo: it refused the token. Renew the token." in answer.text
    assert answer.gaps == (gap,)
    assert deltas(events) == answer.text


async def test_nothing_found_anywhere_gives_a_hint() -> None:
    async with bench(written=WrittenDown(()), live=LiveCluster(())) as it:
        answer = await it.chain.answer(Inquiry("blue?"))
    assert "often helps" in answer.text


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (KnowledgeError("search", "Qdrant is away", "Start it."), "Qdrant is away"),
        (RuntimeError("secret detail"), "it failed"),
    ],
)
async def test_a_search_that_fails_is_a_gap_and_the_cluster_still_answers(
    error: Exception, why: str
) -> None:
    async with bench(written=WrittenDown(error=error), model="extractive") as it:
        answer = await it.chain.answer(Inquiry(QUESTION))
    assert [(gap.what, gap.why) for gap in answer.gaps] == [("documentation search", why)]
    assert "OOMKilled" in answer.text
    assert "secret detail" not in str(answer)


async def test_what_hangs_is_a_gap_too() -> None:
    limits = ChainLimits(look_timeout_seconds=0.05)
    async with bench(live=LiveCluster(is_hanging=True), limits=limits, model="extractive") as it:
        answer = await it.chain.answer(Inquiry(QUESTION))
    assert answer.gaps[0].what == "the live cluster"
    assert "0.05 s" in answer.gaps[0].why
    assert answer.text


async def test_without_a_cluster_the_runbooks_answer() -> None:
    async with run_ollama() as running:
        models = Models(ModelConfig(ollama_url=running.url), ManualClock(NOW))
        chain = RagChain(WrittenDown((RUNBOOK,)), None, models, ManualClock(NOW))
        answer = await chain.answer(Inquiry(QUESTION))
    assert answer.is_grounded
    assert answer.confidence is Confidence.LIKELY
    assert answer.gaps == ()


async def test_a_follow_up_is_searched_as_a_whole_question() -> None:
    async with bench() as it:
        await it.chain.answer(
            Inquiry("and in trading?", [Turn("ines", "why does payments restart in shop?")])
        )
    assert it.written.asked == ["why does payments restart in trading?"]


async def test_errors_are_summarised_by_their_own_prompt() -> None:
    written = WrittenDown((RUNBOOK,), intents=(Intent.LOGS,), limit=10)
    async with bench(written=written) as it:
        await it.chain.answer(Inquiry("summarise the last 10 critical errors and suggest fixes"))
    assert "the most severe first" in str(it.running.chats()[0].messages)


async def test_a_model_that_admits_not_to_know_is_believed() -> None:
    async with bench("The passages do not say who owns payments.") as it:
        _, answer = await drained(it.chain, "who owns payments?")
    assert not answer.is_grounded
    assert answer.confidence is Confidence.UNKNOWN
    assert answer.text.startswith("The passages do not say who owns payments.")
    assert "Nearest to it:\n- Pod shop/payments-7d9f8c6b5-x2x4q [1]" in answer.text
    assert len(answer.citations) == 3


async def test_without_streaming_there_is_one_delta() -> None:
    async with bench() as it:
        events, answer = await drained(it.chain, options=GenerationOptions(stream=False))
        assert it.running.chats()
    assert sum(isinstance(event, Delta) for event in events) == 1
    assert deltas(events) == answer.text


async def test_passages_that_do_not_fit_are_told() -> None:
    many = [replace(RUNBOOK, id=str(n), text=RUNBOOK.text + "filler " * 400) for n in range(5)]
    async with bench(
        written=WrittenDown((RUNBOOK, *many)), context_tokens=3200, max_tokens=400
    ) as it:
        _, answer = await drained(it.chain)
    assert "did not fit" in answer.notes[0]


async def test_a_context_too_small_for_any_passage_leaves_the_quotes() -> None:
    async with bench(context_tokens=300) as it:
        _, answer = await drained(it.chain)
        assert it.running.chats() == []
    assert "2 of 2 passages" in answer.notes[0] or "3 of 3 passages" in answer.notes[0]
    assert "OOMKilled" in answer.text


async def test_a_reader_who_leaves_stops_the_model() -> None:
    async with bench([GOOD, " More. ", Pause(30)]) as it:
        stream = it.chain.stream(Inquiry(QUESTION))
        async for event in stream:
            if isinstance(event, Delta):
                break
        await stream.aclose()
        await until(lambda: it.running.hung_up > 0)


async def test_cancelling_stops_the_search() -> None:
    written = WrittenDown(delay_seconds=3600)
    async with bench(written=written) as it:
        task = asyncio.create_task(it.chain.answer(Inquiry(QUESTION)))
        await until(lambda: bool(written.asked))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert written.was_cancelled


def test_of_a_runbook_that_does_not_fit_its_remedy_stays() -> None:
    asked = reading("why does payments restart?", names=["payments"], intents=[Intent.WHY])
    facts = tuple(replace(POD, id=f"f{n}") for n in range(6))
    sections = ("Look first", "What users see", "Owners", "Mitigate", "History")
    prose = tuple(
        replace(RUNBOOK, id=name, heading=f"{RUNBOOK.title} › {name}") for name in sections
    )
    merged = merge([Lookup(facts), Lookup(prose)], asked, 6)
    assert [p.id for p in merged][3:] == ["Look first", "What users see", "Mitigate"]


def test_facts_come_first_and_leave_room_for_prose() -> None:
    asked = reading("who owns payments?", names=["payments"], intents=[Intent.OWNER])
    facts = [replace(POD, id=f"f{n}") for n in range(8)]
    prose = [replace(RUNBOOK, id=f"p{n}") for n in range(8)]
    both = merge([Lookup((*prose, facts[0])), Lookup(tuple(facts))], asked, 6)
    assert [passage.id for passage in both] == ["f0", "f1", "f2", "p0", "p1", "p2"]
    assert [p.id for p in merge([Lookup(tuple(facts)), Lookup((prose[0],))], asked, 6)] == [
        "f0", "f1", "f2", "f3", "f4", "p0",
    ]  # fmt: skip


def test_marks_in_code_are_left_alone_and_marks_of_nothing_go() -> None:
    text = "a [2] `x[0]` [9] b [1]\n```\ny[1]\n```"
    renumbered, used = renumber(text, (1, 2), (POD, RUNBOOK))
    assert renumbered == "a [1] `x[0]`  b [2]\n```\ny[1]\n```"
    assert used == (RUNBOOK, POD)


@pytest.mark.parametrize(
    ("intents", "used", "expected"),
    [
        ([Intent.OWNER], (OWNER,), Confidence.CONFIRMED),
        ([Intent.WHY], (POD, RUNBOOK), Confidence.CONFIRMED),
        ([Intent.WHY], (POD,), Confidence.LIKELY),
        ([Intent.WHY], (POD, LIMITS), Confidence.LIKELY),
        ([Intent.WHY, Intent.STATUS], (POD,), Confidence.LIKELY),
        ([Intent.OWNER], (RUNBOOK,), Confidence.LIKELY),
        ([Intent.OWNER], (), Confidence.UNKNOWN),
    ],
)
def test_confidence_follows_from_the_evidence(
    intents: list[Intent], used: tuple[Passage, ...], expected: Confidence
) -> None:
    asked = reading(QUESTION, names=["payments"], intents=intents)
    assert confidence(asked, used) is expected


def test_a_fact_about_something_else_confirms_nothing() -> None:
    asked = reading("who owns ledger?", names=["ledger"], intents=[Intent.OWNER])
    assert confidence(asked, (OWNER,)) is Confidence.LIKELY


def test_a_citation_says_where_to_look() -> None:
    (citation,) = citations((replace(RUNBOOK, url="https://wiki.example.com/p"),))
    assert citation.url == "https://wiki.example.com/p"
    assert citation.location == "runbooks/payments-restarts.md"


async def test_who_waits_for_the_model_sees_where_they_stand() -> None:
    async with bench([Pause(0.3), GOOD]) as it:
        results = await asyncio.gather(*(drained(it.chain) for _ in range(3)))
    told = [[e.text for e in events if isinstance(e, Progress)][1:] for events, _ in results]
    assert sorted(told, key=len) == [
        [],
        ["The model is busy; your question is next…"],
        [
            "The model is busy; your question is number 2 in the line…",
            "The model is busy; your question is next…",
        ],
    ]
    assert all(answer.model == "ollama:llama3.1" for _, answer in results)


async def test_a_full_line_gives_quotes_at_once() -> None:
    async with bench([Pause(0.3), GOOD], longest_line=0) as it:
        (_, first), (_, second) = await asyncio.gather(drained(it.chain), drained(it.chain))
    assert first.notes == ()
    assert second.notes == (BUSY_NOTE,)
    assert "256Mi" in second.text


async def test_a_question_that_waits_until_it_is_due_is_quoted_and_leaves_the_line() -> None:
    limits = ChainLimits(answer_timeout_seconds=2.5)
    async with bench([Pause(1.5), GOOD], limits=limits) as it:
        (_, first), (_, second) = await asyncio.gather(drained(it.chain), drained(it.chain))
        assert (first.notes, second.notes) == ((LATE_NOTE,), (LATE_NOTE,))
        it.running.script = lambda _messages, _options: GOOD
        _, third = await drained(it.chain)
    assert third.notes == ()


async def test_a_value_that_stands_nearby_is_not_taken_for_the_answer() -> None:
    written = WrittenDown((LIMITS,))
    wrong = "The memory limit of matching-engine is 16Gi [1]."
    async with bench(wrong, written=written, live=LiveCluster()) as it:
        _, answer = await drained(it.chain, "What is the memory limit of payments?")
    assert answer.notes == (OTHER_NOTE,)
    assert "512Mi" in answer.text

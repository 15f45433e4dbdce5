"""`/k8s search`: what a person sees of hits, of nothing, and of mistakes."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.search import _marked, search_message
from core.answers import Gap, Lookup, Passage
from knowledge.searchquery import SearchQuery, parse_search
from tests.bot.bench import Bench, seen
from tests.bot.checks import assert_fits, assert_harmless, shown
from tests.bot.samples import HOSTILE, NOW, gap


def hit(**changes: object) -> Passage:
    values: dict[str, object] = {
        "id": "1",
        "source": "markdown",
        "title": "Payments restarts",
        "location": "runbooks/payments.md",
        "text": "Payments is OOMKilled when the batch grows.\nRaise its limit.",
        "heading": "Payments restarts › Memory",
        "updated_at": NOW - timedelta(days=3),
    }
    return Passage(**{**values, **changes})  # type: ignore[arg-type]  # keywords of one dataclass


def query(text: str) -> SearchQuery:
    found = parse_search(text, NOW, UTC)
    assert isinstance(found, SearchQuery)
    return found


def told(text: str, *hits: Passage, **rest: object) -> str:
    lookup = Lookup(hits, **rest)  # type: ignore[arg-type]  # keywords of one dataclass
    message = search_message(text, query(text), lookup, NOW)
    assert_fits(message)
    assert_harmless(message)
    assert message.text.startswith(message.blocks[0]["text"]["text"])
    return shown(message)


def test_a_hit_shows_title_section_marked_lines_source_age_and_path() -> None:
    says = told("oomkilled batches", hit())
    assert "*1 hit for* `oomkilled batches`" in says
    assert "1.  *Payments restarts › Memory*" in says
    assert "> Payments is *OOMKilled* when the *batch* grows.\n> Raise its limit." in says
    assert "document · 3 d ago · `runbooks/payments.md`" in says


def test_a_page_on_the_web_is_linked_and_its_path_left_out() -> None:
    says = told("limit", hit(url="https://docs.example/p", heading=""))
    assert "*<https://docs.example/p|Payments restarts>*" in says
    assert "runbooks/payments.md" not in says


def test_other_sources_are_named_as_people_do_and_an_unknown_age_is_left_out() -> None:
    says = told("x1", hit(source="csv-logs", updated_at=None), hit(source="past"), hit(source="?"))
    assert "CSV logs · `runbooks" in says
    assert "past digests · 3 d ago" in says
    assert "? · 3 d ago" in says


def test_nothing_found_says_where_it_looked_and_that_filters_narrow() -> None:
    places = ("runbooks and documents", "CSV logs", "the service graph")
    says = told("redis", looked_in=places)
    assert "Nothing found for `redis`. I looked in runbooks and documents, CSV logs and the" in says
    assert "Without the filters" not in says
    assert "Without the filters" in told("redis ns:shop", looked_in=places[:1])
    assert "no source of that kind" in told("redis source:past")


def test_a_lost_store_is_not_taken_for_nothing_found() -> None:
    says = told("redis", gaps=(gap(),))
    assert "the search is not available" in says
    assert "⚠️ Could not look at documentation search: no connection. Start Qdrant." in says
    some = told("redis", hit(), gaps=(gap(),))
    assert "*1 hit for*" in some
    assert "Could not look at documentation search" in some


def test_what_a_document_says_cannot_act() -> None:
    says = told(
        "ok here none",
        hit(title=HOSTILE, heading=HOSTILE, text=f"{HOSTILE}\n```{HOSTILE}", location=HOSTILE),
        hit(url="javascript:alert(1)", text="*_`~ ok"),
        gaps=(Gap(HOSTILE, HOSTILE, HOSTILE),),
    )
    assert "javascript" not in says
    assert "> &amp;amp;" not in says


def test_styles_of_a_line_do_not_eat_the_marks() -> None:
    says = told("max_surge redis", hit(text="set `max_surge` of *redis* _now_ ~old~"))
    assert "> set *max_surge* of *redis* now old" in says


@given(st.text(max_size=400), st.text(max_size=400), st.text(min_size=1, max_size=60))
def test_any_text_fits_and_is_harmless(title: str, text: str, words: str) -> None:
    found = parse_search(words, NOW, UTC)
    if isinstance(found, SearchQuery):
        hits = tuple(hit(title=title, text=text, location=title) for _ in range(9))
        message = search_message(words, found, Lookup(hits), NOW)
        assert_fits(message)
        assert_harmless(message)


async def test_a_search_is_shown_to_the_person_alone_and_asks_no_model(either: Bench) -> None:
    either.fakes.search.found = Lookup((hit(), hit(id="2", title="Other")))
    await either.type("search batch ns:shop after:7d")
    (message,) = await either.eventually(either.ephemerals)
    assert "Payments restarts › Memory" in seen(message)
    assert "Other" in seen(message)
    assert either.fakes.search.asked == [query("batch ns:shop after:7d")]
    assert not either.fakes.answerer.asked
    assert not either.own()


async def test_a_document_that_pings_a_channel_notifies_nobody(bench: Bench) -> None:
    bench.fakes.search.found = Lookup((hit(title=HOSTILE, text=HOSTILE),))
    await bench.type("search here")
    (message,) = await bench.eventually(bench.ephemerals)
    assert "<!channel>" not in str(message)
    conversation = bench.running.controls.conversation("ops")
    assert bench.running.workspace.notified(conversation, message) == []


@pytest.mark.parametrize(
    ("typed", "says", "remedy"),
    [
        ("search redis foo:bar", "foo: is no filter", "source:, ns:, team:, after:, code:"),
        ("search redis source:wiki", "source:wiki is not one I know", "Allowed are markdown"),
        ("search redis after:soon", "after:soon is no day", "after:7d"),
        ("search ns:shop", "only filters", "code:503"),
        ("search redis team:<!here>", "team:&lt;!here&gt; cannot be a team", "team:orders"),
    ],
)
async def test_a_mistyped_filter_is_told_with_what_is_allowed(
    bench: Bench, typed: str, says: str, remedy: str
) -> None:
    await bench.type(typed)
    (message,) = await bench.eventually(bench.ephemerals)
    assert says in message["text"]
    assert remedy in message["text"]
    assert not bench.fakes.search.asked


async def test_search_without_words_gets_its_usage(bench: Bench) -> None:
    await bench.type("search")
    (message,) = await bench.eventually(bench.ephemerals)
    assert "Usage: `/k8s search &lt;words&gt;`" in message["text"]
    assert "search payments timeout after:7d" in message["text"]


def test_a_word_is_bold_only_where_slack_would_show_it_so() -> None:
    query = parse_search("payments", NOW, UTC)
    assert isinstance(query, SearchQuery)
    assert _marked("payments: 503 from payments/authorize, says payments.", query) == (
        "*payments*: 503 from payments/authorize, says *payments*."
    )

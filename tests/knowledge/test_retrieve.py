"""Fusion, grouping and the line between found and not found."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from core.answers import Scope
from core.errors import KnowledgeError
from core.questions import Reading
from knowledge.ports import Filter, Hit, Point
from knowledge.retrieve import (
    Legs,
    leg_limit,
    passage_of,
    rank,
    scope_filter,
    search,
)
from knowledge.store_edge import EdgeStore


def hit(key: str, score: float, path: str = "", text: str = "", **payload: str) -> Hit:
    return Hit(key, score, text, {"path": path or f"{key}.md", "title": "", **payload})


def read(question: str, *names: str, codes: tuple[str, ...] = ()) -> Reading:
    return Reading(question, question, names=names, codes=codes)


def order(legs: Legs, reading: Reading | None = None, limit: int = 10) -> list[str]:
    return [item.hit.id for item in rank(legs, reading or read("words"), limit)]


def test_a_leg_that_is_sure_keeps_its_lead_over_one_that_guesses() -> None:
    sure = (hit("right", 0.9), hit("a", 0.3), hit("b", 0.29), hit("c", 0.28))
    guess = (hit("b", 8.1), hit("c", 8.0), hit("a", 7.9), hit("d", 7.8))
    assert order(Legs(guess, sure))[0] in {"right", "b"}
    assert order(Legs((hit("b", 8.1), hit("x", 1.0)), sure))[:2] == ["b", "right"]


def test_found_by_both_legs_beats_found_by_one() -> None:
    legs = Legs((hit("a", 9), hit("both", 8), hit("z", 1)), (hit("both", 0.8), hit("c", 0.2)))
    assert order(legs)[0] == "both"


def test_one_page_gives_at_most_two_chunks_but_gains_by_having_more() -> None:
    page = tuple(hit(f"p{n}", 5 - n / 10, "page.md") for n in range(5))
    legs = Legs((hit("single", 5), *page, hit("last", 1)), ())
    found = order(legs)
    assert found[0] == "p0"
    assert [key for key in found if key.startswith("p")] == ["p0", "p1"]
    assert order(legs, limit=2) == ["p0", "single"]


def test_the_name_of_an_alert_or_error_finds_its_page() -> None:
    legs = Legs((hit("a", 9), hit("KubePodCrashLooping", 7), hit("z", 1)), ())
    assert order(legs)[0] == "a"
    assert order(legs, read("KubePodCrashLooping: pod restarts"))[0] == "KubePodCrashLooping"


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("KubePodCrashLoop", "right"),
        ("PodCrashLooping", "right"),
        ("what to do about KubePodsCrashLoopingHigh?", "right"),
        ("kube pod crash looping", "right"),
        ("crash looping", "other"),
        ("KubePodCrash", "right"),
        ("KubePodPending", "other"),
        ("why is one kube pod of many in our cluster crash looping since the upgrade", "other"),
    ],
)
def test_a_name_that_is_nearly_a_page_s_finds_it(question: str, first: str) -> None:
    legs = Legs((hit("other", 9), hit("right", 7, "x/KubePodCrashLooping.md"), hit("z", 1)), ())
    assert order(legs, read(question))[0] == first


def test_a_sibling_that_differs_in_one_word_of_three_is_another_alert() -> None:
    legs = Legs((hit("other", 9), hit("sibling", 8.5, "KubeJobFailed.md"), hit("z", 1)), ())
    assert order(legs, read("KubeJobSlow"))[0] == "other"
    assert order(legs, read("KubeJobFailed"))[0] == "sibling"


def test_a_page_of_a_kind_is_not_preferred_by_half_its_name() -> None:
    legs = Legs((hit("other", 9), hit("kind", 8.5, "stateful-set.md"), hit("z", 1)), ())
    assert order(legs, read("StatefulSet stuck"))[0] == "other"


def test_an_error_token_in_the_text_counts_only_as_a_whole() -> None:
    legs = Legs(
        (hit("part", 9, text="ERR_STOCK_SYNCED"), hit("whole", 8, text="say ERR_STOCK_SYNC!"),
         hit("z", 1)),
        (),
    )  # fmt: skip
    assert order(legs, read("?", codes=("ERR_STOCK_SYNC",)))[0] == "whole"
    assert order(legs, read("?", codes=("503",)))[0] == "part"


def test_a_page_about_the_named_service_is_preferred() -> None:
    legs = Legs(
        (hit("a", 9.0, title="Cart"), hit("b", 8.9, title="payments restarts"),
         hit("c", 8.8, service="payments"), hit("z", 1)),
        (),
    )  # fmt: skip
    assert set(order(legs, read("?", "payments"))[:2]) == {"b", "c"}
    assert order(legs, read("?", "pay"))[0] == "a"


def test_a_title_whose_words_are_all_asked_for_breaks_a_tie() -> None:
    legs = Legs((hit("a", 5, title="Disk pressure"), hit("b", 5, title="Other things")), ())
    assert order(legs, read("node under disk pressure"))[0] == "a"


def test_nothing_found_ranks_nothing() -> None:
    assert rank(Legs((), ()), read("x"), 5) == ()


@pytest.mark.parametrize(
    ("scope", "limits"),
    [
        (Scope(), None),
        (
            Scope(namespaces=frozenset({"shop"}), teams=frozenset({"orders"})),
            Filter({"namespace": ("", "shop"), "team": ("", "orders")}),
        ),
        (Scope(sources=frozenset({"markdown"})), Filter({"source": ("markdown",)})),
    ],
)
def test_the_scope_is_part_of_the_query(scope: Scope, limits: Filter | None) -> None:
    assert scope_filter(scope) == limits


def test_a_passage_shows_the_text_as_found() -> None:
    legs = Legs(
        (
            Hit("k", 3.0, "T › H\n\nbody", {
                "source": "markdown", "path": "a.md", "title": "T", "heading": "H",
                "context_chars": 7, "updated_at": "2026-03-04T10:00:00+00:00", "position": 3,
            }),
            hit("z", 1.0),
        ),
        (),
    )  # fmt: skip
    first, *_ = rank(legs, read("x"), 5)
    passage = passage_of(first, first.score)
    assert (passage.text, passage.title, passage.heading) == ("body", "T", "H")
    assert passage.location == "a.md"
    assert passage.score == 1.0
    assert passage.updated_at is not None
    assert not passage.is_fact
    assert passage_of(first, 0.0).score == 0.0
    assert passage_of(rank(Legs((hit("z", 1.0),), ()), read("x"), 1)[0], 1.0).updated_at is None


def test_a_question_finds_the_page_that_the_best_chunks_point_to() -> None:
    link = "see [nodes](/docs/architecture/nodes/)"
    legs = Legs(
        (hit("a", 9, "d/tasks/a.md", link), hit("b", 8, "d/tasks/b.md", link),
         hit("n", 6, "d/architecture/nodes.md"), hit("z", 1)),
        (),
    )  # fmt: skip
    assert order(legs, read("why do pods stay"))[0] == "n"
    assert order(legs, read("Pods have been pending for more than 15 minutes"))[0] == "a"


def test_the_file_name_counts_for_an_alert() -> None:
    legs = Legs((hit("a", 5.2), hit("b", 5, "x/broker-is-down.md"), hit("z", 1)), ())
    assert order(legs, read("the broker is down since 10 minutes"))[0] == "b"
    assert order(legs, read("what if the broker is down?"))[0] == "a"


def test_a_page_of_the_same_name_stands_beside_the_best_one() -> None:
    legs = Legs(
        (hit("one", 9, "x/TargetDown.md"), hit("b", 6), hit("two", 3, "y/TargetDown.md"),
         hit("z", 1)),
        (),
    )  # fmt: skip
    assert order(legs)[:2] == ["one", "two"]


def test_an_alert_does_not_look_as_far_down_as_a_question() -> None:
    deep = tuple(hit(f"h{n:03}", 400.0 - n) for n in range(400))
    assert len(order(Legs(deep, ()), read("why"), 400)) == 400
    assert len(order(Legs(deep, ()), read("Error rate too high"), 400)) == 150
    assert len(order(Legs(deep[:50], ()), read("Error rate too high"), 400)) == 50


class SlowEmbedder:
    """An encoder that never comes back; tells when it is called off."""

    name = "slow"
    size = 1

    def __init__(self) -> None:
        self.was_cancelled = False

    async def embed(self, _: Sequence[str]) -> list[list[float]]:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        return []


class BrokenWords(EdgeStore):
    """A store whose text leg fails once the encoder is at work."""

    async def search_sparse(
        self, text: str, limit: int, filters: Filter | None = None
    ) -> list[Hit]:
        await asyncio.sleep(0)
        raise KnowledgeError(f"search {text} in {limit}", f"{filters}", "Start it again")


async def test_a_text_leg_that_fails_calls_the_other_off(tmp_path: Path) -> None:
    store = await BrokenWords.open(tmp_path, "slow", 1)
    embedder = SlowEmbedder()
    with pytest.raises(KnowledgeError):
        await search(store, embedder, "why", Scope())
    await store.close()
    assert embedder.was_cancelled


def test_a_leg_looks_further_in_a_large_collection() -> None:
    assert leg_limit(0) == leg_limit(250) == 60
    assert leg_limit(250) < leg_limit(7_200) < leg_limit(14_243) <= leg_limit(10**6) == 400


async def test_the_text_leg_is_not_asked_for_identifiers(tmp_path: Path) -> None:
    store = await EdgeStore.open(tmp_path, "none", 1)
    await store.upsert(
        [
            Point(str(uuid4()), "scrape 10.0.0.1 each minute", {"path": "address.md"}),
            Point(str(uuid4()), "the cart keeps what was chosen", {"path": "cart.md"}),
        ]
    )
    legs = await search(store, None, "cart-7d9f8c6b57-x2x4q on 10.0.0.1 fails", Scope())
    await store.close()
    assert [item.payload["path"] for item in legs.sparse] == ["cart.md"]
    assert legs.dense == ()

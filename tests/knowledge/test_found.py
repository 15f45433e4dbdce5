from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.questions import Reading
from knowledge.asked import Wanted, is_factual, is_short, wanted
from knowledge.found import coverage, found_at, is_found
from knowledge.ports import Hit
from knowledge.ranking import Legs

SCHEDULER = "The scheduler waits until a node has memory for the pod."
MANY = 14_243


def hit(key: str, score: float, text: str = SCHEDULER, path: str = "") -> Hit:
    return Hit(key, score, text, {"path": path or f"{key}.md"})


def legs(cosine: float, *texts: str) -> Legs:
    hits = tuple(hit(str(n), 9.0 - n, text) for n, text in enumerate(texts or (SCHEDULER,)))
    return Legs(hits, (hit("near", cosine, (texts or (SCHEDULER,))[0]),))


def read(question: str, *names: str, codes: tuple[str, ...] = ()) -> Reading:
    return Reading(question, question, names=names, codes=codes)


def found(found_legs: Legs, question: Reading | str, points: int = MANY) -> bool:
    reading = read(question) if isinstance(question, str) else question
    return is_found(found_legs, reading, point_count=points, has_dense=True)


def test_a_near_passage_is_found_and_a_far_one_is_not() -> None:
    question = "why does the scheduler wait for memory"
    assert found(legs(0.6), question)
    assert not found(legs(0.3), question)
    assert not found(Legs((), ()), question)


def test_a_page_that_covers_the_question_may_be_farther_away() -> None:
    assert found(legs(0.5), "scheduler memory node")
    assert not found(legs(0.5, "The scheduler is a program."), "scheduler memory node")


def test_words_that_stand_nowhere_speak_against_it() -> None:
    assert found(legs(0.62), "the scheduler waits for memory on a node")
    assert not found(legs(0.62), "the scheduler waits for memory on a flux capacitor")


def test_a_fact_about_a_name_that_nothing_knows_is_not_found_however_near() -> None:
    near = legs(0.9)
    assert found(near, "Which node does the scheduler take?")
    assert not found(near, "Which node does the TurboScheduler take?")
    assert not found(near, "How many nodes does kube-turbo take?")
    assert found(near, read("Which node does kube-turbo take?", "kube-turbo"))
    assert found(near, "My kube-turbo pod waits for the scheduler and a node with memory.")


def test_a_named_thing_lets_more_through() -> None:
    assert not found(legs(0.4), "scheduler and cart memory")
    assert found(legs(0.4), read("scheduler and memory", "scheduler"))


def test_an_exact_error_token_is_enough_and_a_type_of_a_program_is_not() -> None:
    far = legs(0.1, "see ERR_X and v1.Pod and io.FooException here")
    assert found(far, read("what about it", codes=("ERR_X",)))
    assert found(far, read("what about it", codes=("io.FooException",)))
    assert not found(far, read("what about it", codes=("v1.Pod",)))


def test_the_mark_grows_with_the_collection_within_bounds() -> None:
    assert found_at(1) == 0.42
    assert found_at(265) < found_at(MANY) < found_at(200_000) <= 0.68
    assert found(legs(0.4), "scheduler memory", 265)
    assert not found(legs(0.4), "scheduler memory")


def test_text_alone_decides_until_all_vectors_are_there() -> None:
    reading, far = read("scheduler memory"), legs(0.1)
    assert is_found(far, reading, point_count=MANY, has_dense=False)
    assert not is_found(far, reading, point_count=MANY, has_dense=True)
    assert not is_found(far, read("quota of disks"), point_count=MANY, has_dense=False)
    assert is_found(Legs(far.sparse, ()), reading, point_count=MANY, has_dense=True)


def test_coverage_is_of_one_page_and_weighed_by_rarity() -> None:
    two = Legs((hit("a", 2, "pods pods", "x.md"), hit("b", 1, "pods quota", "x.md")), ())
    assert coverage(two, "pods quota", 100) == (1.0, 0.0)
    apart = Legs((hit("a", 2, "pods"), hit("b", 1, "pods quota disks"), hit("c", 1, "pods")), ())
    covered, unknown = coverage(apart, "pods quota flux", 100)
    assert 0.5 < covered < 1
    assert unknown == pytest.approx(1 / 3)
    assert coverage(apart, "the of and", 100) == (0.0, 0.0)


@given(st.text(max_size=80), st.lists(st.text(max_size=80), min_size=1, max_size=4))
def test_shares_are_shares(question: str, texts: list[str]) -> None:
    for share in coverage(legs(0.5, *texts), question, MANY):
        assert 0 <= share <= 1.0000001


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("On which port does the collector listen?", Wanted.PORT),
        ("After how long do the certificates expire?", Wanted.DURATION),
        ("What is the default sync interval of the controller?", Wanted.DURATION),
        ("How large may a Secret be?", Wanted.SIZE),
        ("Which version introduced it?", Wanted.VERSION),
        ("Up to how many nodes are supported?", Wanted.NUMBER),
        ("What is the default back-off limit?", Wanted.NUMBER),
        ("What is the default of the field?", Wanted.VALUE),
        ("What does a readiness probe do?", None),
        ("Why does the timeout not work?", None),
        ("How do I change the port?", None),
    ],
)
def test_what_a_question_asks_for(question: str, kind: Wanted | None) -> None:
    assert wanted(question) is kind


def test_a_story_is_no_factual_question() -> None:
    story = "What happens is that " + "my pod restarts and " * 8
    assert not is_short(story)
    assert not is_factual(story)
    assert is_factual("who owns payments")

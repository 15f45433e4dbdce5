"""Words that vary freely are variables; a few words in one place are not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.merging import MIN_WORDS, merge

NAMES = ("ann", "bob", "cleo", "dan", "eve", "fay", "gus", "hal", "ida", "joe")


def test_many_words_in_one_place_are_a_variable() -> None:
    merged = merge(f"login of {name} failed" for name in NAMES)
    assert set(merged.values()) == {"login of <*> failed"}


def test_a_few_words_in_one_place_are_as_many_things() -> None:
    templates = [f"session {word} again" for word in ("opened", "closed", "kept", "lost")]
    assert len(templates) < MIN_WORDS
    assert set(merge(templates).values()) == set(templates)


def test_words_that_vary_together_in_several_places_are_found() -> None:
    pairs = zip(NAMES, reversed(NAMES), strict=True)
    merged = merge(f"the user {one} asked for the page {other}" for one, other in pairs)
    assert set(merged.values()) == {"the user <*> asked for the page <*>"}


def test_of_two_varying_places_the_one_with_few_words_tells_kinds_apart() -> None:
    templates = [f"user {name} has {word} the page" for name in NAMES for word in ("read", "left")]
    assert set(merge(templates).values()) == {
        "user <*> has read the page",
        "user <*> has left the page",
    }


def test_the_first_word_and_the_number_of_words_tell_kinds_apart() -> None:
    templates = [f"{name} started well" for name in NAMES]
    assert set(merge(templates).values()) == set(templates)
    longer = [f"it says {' '.join(NAMES[:number])}" for number in range(1, 9)]
    assert len(set(merge(longer).values())) == 8


def test_placeholders_and_numbers_vary_whatever_their_type() -> None:
    merged = merge(["status: 200 of <IP>", "status: 404 of <URL>", "status: 404 of <IP>,<IP>"])
    assert set(merged.values()) == {"status: <*> of <*>"}


def test_a_word_that_is_a_variable_once_is_one_beside_a_single_other() -> None:
    templates = [
        f"from {host} at once now" for host in ("()", "host<NUM>", "<IP>", "x<NUM>", "y<NUM>")
    ]
    assert set(merge(templates).values()) == {"from <*> at once now"}


@given(st.lists(st.text(alphabet="ab 1<>*X", max_size=30), max_size=40))
def test_every_template_has_one_that_stands_for_it(templates: list[str]) -> None:
    merged = merge(templates)
    assert set(merged) == set(templates)
    # The order in which they come does not matter for what goes together.
    turned = merge(reversed(templates))
    assert _groups(merged) == _groups(turned)


def _groups(merged: dict[str, str]) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for template, general in merged.items():
        groups.setdefault(general, set()).add(template)
    return {frozenset(group) for group in groups.values()}

"""Whether what was found within one scope may be shown in another."""

from __future__ import annotations

import pytest

from core.answers import Scope

ALL = Scope(channel="C1")
SHOP = Scope(namespaces=frozenset({"shop"}), channel="C1")
BOTH = Scope(namespaces=frozenset({"shop", "pay"}), channel="C1")


@pytest.mark.parametrize(
    ("made", "reader", "fits"),
    [
        (ALL, ALL, True),
        (SHOP, ALL, True),
        (SHOP, BOTH, True),
        (BOTH, SHOP, False),
        (ALL, SHOP, False),
        (SHOP, Scope(channel="C2"), False),
        (ALL, Scope(channel="C2"), False),
        (SHOP, Scope(clusters=frozenset({"prod"}), channel="C1"), False),
        (Scope(sources=frozenset({"past"})), Scope(sources=frozenset({"markdown"})), False),
        (Scope(teams=frozenset({"a"})), Scope(teams=frozenset({"a", "b"})), True),
    ],
)
def test_an_answer_fits_where_all_it_may_hold_may_be_seen(
    made: Scope, reader: Scope, *, fits: bool
) -> None:
    assert made.is_within(reader) is fits

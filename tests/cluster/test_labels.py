"""Selectors find what carries all their labels, in their namespace."""

from __future__ import annotations

from cluster.labels import LabelIndex

INDEX = LabelIndex(
    [
        ("shop", {"app": "web", "tier": "front"}, "web-1"),
        ("shop", {"app": "web", "tier": "back"}, "web-2"),
        ("shop", {"app": "api"}, "api-1"),
        ("bank", {"app": "web", "tier": "front"}, "web-3"),
    ]
)


def test_all_labels_must_be_there() -> None:
    assert INDEX.selected("shop", {"app": "web"}) == ["web-1", "web-2"]
    assert INDEX.selected("shop", {"app": "web", "tier": "front"}) == ["web-1"]
    assert INDEX.selected("bank", {"tier": "front"}) == ["web-3"]


def test_nothing_is_selected_by_nothing_and_by_what_nobody_has() -> None:
    assert INDEX.selected("shop", {}) == []
    assert INDEX.selected("shop", {"app": "web", "zone": "a"}) == []
    assert INDEX.selected("nowhere", {"app": "web"}) == []


def test_there_is_an_example_for_each_value() -> None:
    assert INDEX.examples("shop", "app") == [{"app": "web", "tier": "front"}, {"app": "api"}]
    assert INDEX.examples("shop", "zone") == []

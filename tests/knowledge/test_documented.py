from __future__ import annotations

from core.answers import Passage
from knowledge.documented import documented_values

POLICY = """
| service | replicas | memory request | memory limit | CPU request |
|---|---|---|---|---|
| `cart` | 2 | 256Mi | **512Mi** | 250m |
| `cart-canary` | 1 | 64Mi | 128Mi | 50m |
| `search` | 2 | 2.4Gi | none | – |
"""
PAGE = """
| | request | limit |
|---|---|---|
| memory | 256Mi | **512Mi** |
| CPU | 250m | 1 |
| replicas | 2 | 4 |
"""
FACTS = """
| what | value |
|---|---|
| Documented memory | request 256Mi, limit **512Mi** |
"""


def page(text: str, title: str = "Policy", **more: str) -> Passage:
    return Passage(title, "markdown", title, f"config/{title}.md", text, **more)  # type: ignore[arg-type]  # only words


def told(name: str, *passages: Passage) -> list[str]:
    return [f"{v.resource} {v.setting} {v.value}" for v in documented_values(name, passages)]


def test_a_row_of_a_table_of_services_is_read_by_its_headings() -> None:
    assert told("cart", page(POLICY)) == [
        "memory request 256Mi",
        "memory limit 512Mi",
        "cpu request 250m",
    ]
    assert told("search", page(POLICY)) == ["memory request 2.4Gi"]


def test_a_name_inside_another_name_is_not_meant() -> None:
    assert told("canary", page(POLICY)) == []


def test_rows_on_a_resource_count_only_in_the_page_of_the_workload() -> None:
    its = page(PAGE, "Configuration", service="payments")
    expected = ["memory request 256Mi", "memory limit 512Mi", "cpu request 250m", "cpu limit 1"]
    assert told("payments", its) == expected
    assert told("payments", page(PAGE, "Configuration of payments")) == expected
    assert told("cart", its) == []


def test_settings_named_inside_a_cell_are_read() -> None:
    assert told("cart", page(FACTS, service="cart")) == [
        "memory request 256Mi",
        "memory limit 512Mi",
    ]


def test_reports_facts_and_prose_say_nothing() -> None:
    report = Passage("r", "markdown", "INC", "incidents/inc-1.md", POLICY)
    fact = Passage("f", "cluster", "x", "y", POLICY, is_fact=True)
    assert told("cart", report, fact, page("The limit of cart is 512Mi.")) == []


def test_the_same_value_of_one_page_is_told_once() -> None:
    assert len(told("cart", page(POLICY), page(POLICY))) == 3

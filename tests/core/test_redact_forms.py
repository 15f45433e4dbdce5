"""How many secrets of published forms are found, and how few lines without one are altered."""

from __future__ import annotations

from collections import Counter

from core.redact import Redactor
from tests.core.secret_forms import KEYED, TOKENS, benign, planted

REDACTOR = Redactor(b"key of the tests")


def test_of_the_published_forms_hardly_one_is_missed() -> None:
    tried, missed = Counter[str](), Counter[str]()
    for kind, secret, text in planted():
        tried[kind] += 1
        missed[kind] += secret in REDACTOR.redact(text)
    assert tried.total() >= 150
    assert len(TOKENS | KEYED) >= 20
    assert missed.total() <= 0.01 * tried.total(), +missed


def test_hardly_a_line_without_a_secret_is_altered() -> None:
    lines = list(benign(20_000))
    altered = [line for line in lines if REDACTOR.redact(line) != line]
    assert len(altered) <= 0.001 * len(lines), altered[:10]


def test_many_lines_at_once_lose_no_more_than_each_alone() -> None:
    text = "\n".join(benign(500))
    assert REDACTOR.redact(text) == text

"""YAML of others: what it may not do to the process."""

from __future__ import annotations

import pytest

from knowledge.yamltext import load_yaml, load_yaml_documents

LAUGHS = "\n".join(
    ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9))]
)


def test_documents_come_as_they_are() -> None:
    assert load_yaml("") is None
    assert load_yaml("base: &b {x: 1}\nother: {<<: *b, y: 2}")["other"] == {"x": 1, "y": 2}
    assert load_yaml_documents("a: 1\n---\n- 2\n") == [{"a": 1}, [2]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1, 2", "it is no YAML at line"),
        ("\0", "it is no YAML"),
        ("!!python/object/apply:os.system [id]", "it is no YAML at line 1"),
        ("[" * 300 + "]" * 300, "it is nested more than 200 deep"),
        (LAUGHS, "its aliases make more than 100,000 values of it"),
        ("a: &a [*a]", "its aliases make more than 100,000 values of it"),
    ],
)
def test_what_would_harm_is_refused_with_a_reason(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        load_yaml(text)

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.markdown import split_markdown
from tests.bot.checks import is_balanced

LINES = st.lists(
    st.sampled_from(["```", "```yaml", "~~~", "", "- item", "word " * 30, "x" * 900, "## Head"]),
    max_size=40,
)


@given(LINES.map("\n".join) | st.text(max_size=2_000), st.integers(200, 600))
def test_every_part_fits_and_balances_its_fences(text: str, limit: int) -> None:
    for part in split_markdown(text, limit):
        assert 0 < len(part) <= limit
        assert is_balanced(part)


@given(st.lists(st.text(alphabet="abc ", min_size=1, max_size=80), max_size=60))
def test_no_line_of_prose_is_lost(lines: list[str]) -> None:
    kept = "\n".join(split_markdown("\n".join(lines), 200)).split()
    assert kept == "\n".join(lines).split()


def test_short_text_is_one_part_and_nothing_gives_none() -> None:
    assert split_markdown("one\n\ntwo", 200) == ["one\n\ntwo"]
    assert split_markdown(" \n ", 200) == []


def test_a_cut_falls_between_paragraphs() -> None:
    first, second = "aaa\n" * 30, "bbb\n" * 30
    assert split_markdown(f"{first}\n{second}", 200) == [first.strip(), second.strip()]


def test_code_that_is_cut_opens_again_with_its_language() -> None:
    code = "\n".join(f"key{number}: value" for number in range(40))
    parts = split_markdown(f"```yaml\n{code}\n```", 250)
    assert len(parts) > 2
    assert all(part.startswith("```yaml\n") and part.endswith("\n```") for part in parts)

"""Cutting Markdown: along headings, blocks whole, and no line lost."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from knowledge.chunks import (
    LARGEST_BLOCK_TOKENS,
    LONGEST_LINE_CHARS,
    TARGET_TOKENS,
    chunk_markdown,
    count_tokens,
)

SENTENCE = "The pod restarts because its memory limit is too small for the settlement batch. "


def test_each_section_is_a_chunk_under_its_heading_path() -> None:
    page = f"""# Payments
{SENTENCE * 6}
## Restarts
{SENTENCE * 6}
### Look first
{SENTENCE * 6}
## Rollback
{SENTENCE * 6}
"""
    chunks = chunk_markdown(page, "Payments")
    assert [chunk.heading for chunk in chunks] == [
        "Payments",
        "Payments › Restarts",
        "Payments › Restarts › Look first",
        "Payments › Rollback",
    ]
    assert chunks[2].context == "Payments › Restarts"
    assert chunks[2].body.startswith("### Look first")
    assert chunks[2].text.startswith("Payments › Restarts\n\n### Look first")


def test_a_short_section_keeps_its_sub_sections() -> None:
    chunks = chunk_markdown(f"# A\n\nshort\n\n## B\n\nalso short\n\n# C\n\n{SENTENCE}", "T")
    assert [chunk.heading for chunk in chunks] == ["A", "C"]
    assert "## B" in chunks[0].body


def test_a_long_section_is_cut_and_each_part_says_where_it_stands() -> None:
    page = "# Top\n## Deep\n" + "\n\n".join(SENTENCE * 3 for _ in range(12))
    chunks = chunk_markdown(page, "Page")
    assert len(chunks) > 2
    assert all(count_tokens(chunk.body) <= TARGET_TOKENS for chunk in chunks)
    assert {chunk.heading for chunk in chunks[1:]} == {"Top › Deep"}
    assert {chunk.context for chunk in chunks[1:]} == {"Page › Top › Deep"}


def test_a_heading_never_stands_alone() -> None:
    block = "```\n" + "\n".join(f"line {number} of some output" for number in range(60)) + "\n```"
    chunks = chunk_markdown(f"# Title\n## Output\n{block}\n")
    assert "## Output" in chunks[0].body
    assert "line 59" in chunks[0].body


def test_code_blocks_and_tables_stay_whole_up_to_their_limit() -> None:
    code = "```yaml\n" + "\n".join(f"key{number}: value" for number in range(80)) + "\n```"
    table = "| a | b |\n|---|---|\n" + "\n".join(f"| row {number} | x |" for number in range(40))
    chunks = chunk_markdown(f"{SENTENCE * 12}\n\n{code}\n\n{table}\n")
    assert any(code in chunk.body for chunk in chunks)
    assert any(table in chunk.body for chunk in chunks)


def test_a_giant_fence_is_cut_between_lines_with_fences_balanced() -> None:
    lines = [f"kubectl get pods --namespace number-{number}" for number in range(400)]
    chunks = chunk_markdown("# Commands\n\n```bash\n" + "\n".join(lines) + "\n```\n\nafter\n")
    assert len(chunks) > 3
    for chunk in chunks:
        assert chunk.body.count("```") % 2 == 0
        assert count_tokens(chunk.body) < LARGEST_BLOCK_TOKENS * 1.5
    fenced = [line for chunk in chunks for line in chunk.body.splitlines() if "kubectl" in line]
    assert fenced == lines
    assert all("```bash" in chunk.body for chunk in chunks if "kubectl" in chunk.body)


def test_a_fence_inside_a_long_list_is_balanced_too() -> None:
    items = "\n".join(
        f"- Step {number}: {SENTENCE}\n\n  ```sh\n  echo {number}\n  ```" for number in range(20)
    )
    for chunk in chunk_markdown(items):
        assert chunk.body.count("```") % 2 == 0


def test_a_giant_table_repeats_its_head() -> None:
    rows = [f"| service-{number} | team-{number} | {SENTENCE} |" for number in range(60)]
    table = "\n".join(("| service | team | note |", "|---|---|---|", *rows))
    chunks = chunk_markdown(table)
    assert len(chunks) > 3
    assert all(chunk.body.startswith("| service | team | note |\n|---|") for chunk in chunks)


def test_an_endless_line_is_cut_at_blanks_or_anywhere() -> None:
    chunks = chunk_markdown("word " * 3000 + "\n\n" + "x" * (LONGEST_LINE_CHARS * 2 + 10))
    longest = max(len(line) for chunk in chunks for line in chunk.body.splitlines())
    assert longest <= LONGEST_LINE_CHARS
    assert sum(chunk.body.count("x") for chunk in chunks) == LONGEST_LINE_CHARS * 2 + 10
    assert sum(chunk.body.count("word") for chunk in chunks) == 3000


def test_lines_that_give_no_block_are_kept() -> None:
    (chunk,) = chunk_markdown("See [docs].\n\n[docs]: https://example.com/docs\n")
    assert "https://example.com/docs" in chunk.body
    (first,) = chunk_markdown("\n\n[only]: https://example.com\n")
    assert "https://example.com" in first.body


def test_nothing_gives_nothing_and_anchors_leave_the_heading_path() -> None:
    assert chunk_markdown("") == ()
    assert chunk_markdown(" \n\n \n", "Title") == ()
    (chunk,) = chunk_markdown("## Use `kubectl` {#use}\n\ntext")
    assert chunk.heading == "Use kubectl"


LINES = st.sampled_from(
    [
        "", "", "# One", "## Two", "### Three", "Title", "=====", "---", "```", "```yaml", "~~~",
        "- item", "  - nested", "1. first", "| a | b |", "|---|---|", "| 1 | 2 |", "> quote",
        "    indented", "plain words here", SENTENCE * 4, "<div>", "</div>", "[ref]: https://x.y",
        "\tTab", "* * *", "key: value", "```inline``` ticks", "<!-- note -->", "> ```",
    ]
)  # fmt: skip


@given(st.lists(LINES, max_size=60).map("\n".join))
def test_no_line_that_is_not_blank_is_lost(page: str) -> None:
    found = [line for chunk in chunk_markdown(page, "T") for line in chunk.text.splitlines()]
    rest = iter(found)
    for line in page.splitlines():
        if line.strip():
            assert any(other == line for other in rest), line


@given(st.text(max_size=400))
def test_any_text_keeps_its_words(page: str) -> None:
    joined = re.sub(r"\s", "", "".join(chunk.body for chunk in chunk_markdown(page)))
    assert joined == re.sub(r"\s", "", page) or set(page) & set("`~|#")

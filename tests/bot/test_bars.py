from __future__ import annotations

import io

from rich.console import Console

from bot.bars import progress_bars
from knowledge.index import IndexProgress


def test_where_no_bar_can_be_drawn_each_tenth_is_a_line() -> None:
    out = io.StringIO()
    with progress_bars(Console(file=out, width=200)) as show:
        for done in range(1, 101):
            show(IndexProgress("embedding", "minilm", done, 100))
        show(IndexProgress("indexing", "markdown:docs", 3, 3))
    lines = out.getvalue().splitlines()
    assert lines[0] == "embedding minilm: 1 of 100"
    assert lines[-2:] == ["embedding minilm: 100 of 100", "indexing markdown:docs: 3 of 3"]
    assert len(lines) == 12


def test_on_a_terminal_bars_stand_while_the_work_goes_on() -> None:
    out = io.StringIO()
    with progress_bars(Console(file=out, force_terminal=True, width=100)) as show:
        show(IndexProgress("indexing", "markdown:docs", 1, 3))
        show(IndexProgress("indexing", "markdown:docs", 2, 3))
    assert "indexing markdown:docs" in out.getvalue()
    assert "indexing markdown:docs: 1 of 3" not in out.getvalue()

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from bot.setup.envfile import merged, read_env, write_env
from core.errors import SettingsError

NAMES = st.sampled_from(["SLACK_BOT_TOKEN", "DIGEST_CHANNEL", "LLM_MODEL", "A"])
# What a terminal can type; a NUL or a lone surrogate cannot stand in an environment.
VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=30)


def test_values_take_their_places_and_all_else_stays() -> None:
    before = (
        "# Copy me\nSLACK_BOT_TOKEN=\n\n# --- The model ---\n# LLM_MODEL=auto\n"
        "# LLM_STOP=\nOTHER=1\n"
    )
    after = merged(before, {"SLACK_BOT_TOKEN": "xoxb-1", "LLM_MODEL": "ollama:a", "NEW": "x"})
    assert after == (
        "# Copy me\nSLACK_BOT_TOKEN=xoxb-1\n\n# --- The model ---\n# LLM_MODEL=auto\n"
        "LLM_MODEL=ollama:a\n# LLM_STOP=\nOTHER=1\nNEW=x\n"
    )


def test_of_two_lines_with_one_name_the_one_that_counts_is_replaced() -> None:
    assert merged("A=1\nB=2\nA=3", {"A": "4"}) == "A=1\nB=2\nA=4\n"


def test_a_value_of_several_lines_is_replaced_as_a_whole() -> None:
    assert merged('\n\nA="1\n2"\nB=3\n', {"A": "x"}) == "\n\nA=x\nB=3\n"


def test_a_line_that_cannot_be_read_is_kept() -> None:
    assert merged("what is this\nA=1\n", {"A": "2"}) == "what is this\nA=2\n"


@given(st.dictionaries(NAMES, VALUES), st.dictionaries(NAMES, VALUES, min_size=1))
def test_what_is_written_is_what_is_read(old: dict[str, str], new: dict[str, str]) -> None:
    text = merged(merged("# A comment\n# A=shown\n", old), new)
    assert dotenv_values(stream=StringIO(text), interpolate=False) == old | new
    assert merged(text, new) == text, "a second run changes nothing"
    assert text.startswith("# A comment\n")


def test_the_file_is_replaced_at_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text("A=1\n")
    real.chmod(0o644)
    link = tmp_path / ".env"
    link.symlink_to(real)
    write_env(link, "A=2\n")
    assert link.is_symlink()
    assert real.read_text() == "A=2\n"
    assert real.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {".env", "real"}


def test_without_a_file_the_example_is_the_beginning(tmp_path: Path) -> None:
    assert read_env(tmp_path / ".env") == ""
    (tmp_path / ".env.example").write_text("# Copy\n")
    assert read_env(tmp_path / ".env") == "# Copy\n"
    (tmp_path / ".env").write_text("A=1\n")
    assert read_env(tmp_path / ".env") == "A=1\n"


def test_what_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="no UTF-8 text"):
        read_env(tmp_path / ".env")
    with pytest.raises(SettingsError, match="No such file or directory"):
        write_env(tmp_path / "absent" / ".env", "")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SettingsError, match="write"):
        write_env(tmp_path / "folder", "A=1\n")
    assert list(tmp_path.glob(".env-*")) == []

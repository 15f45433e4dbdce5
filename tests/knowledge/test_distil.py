"""Search texts: short questions as they are, pasted YAML and logs distilled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.distil import ABBREVIATIONS, MOST_CHARS, search_text


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("my pvc is pending", "PersistentVolumeClaim persistent volume claim"),
        ("the HPA does not scale", "HorizontalPodAutoscaler"),
        ("svc without endpoints", "Service"),
        ("a crd is missing", "CustomResourceDefinition"),
        ("the sts and its cm", "ConfigMap"),
        ("OOM in the sa", "out of memory OOMKilled"),
        ("how do I roll back", "rollback"),
    ],
)
def test_abbreviations_are_written_out_behind_the_question(question: str, words: str) -> None:
    text = search_text(question)
    assert text.startswith(question)
    assert words in text


def test_a_question_without_abbreviations_stays_as_it_is() -> None:
    assert search_text("  why does payments restart?  ") == "why does payments restart?"
    assert all(key == key.lower() for key in ABBREVIATIONS)


def test_pasted_yaml_leaves_its_kind_and_telling_keys() -> None:
    text = search_text(
        "Why is this rejected?\n```yaml\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n"
        "  name: data-ledger-1\nspec:\n  storageClassName: fast-nvme\n```\n"
    )
    assert text.startswith("Why is this rejected?")
    assert "PersistentVolumeClaim storageClassName" in text
    assert "apiVersion" not in text
    assert "fast-nvme" not in text


def test_pasted_logs_leave_their_error_lines_once_without_times_and_addresses() -> None:
    line = "2026-03-04T10:00:0{}Z redis: dial tcp 10.0.3.17:6379: connect: connection refused"
    lines = "\n".join(line.format(number) for number in range(9))
    text = search_text(f"What does this mean?\n{lines}\n2026-03-04T10:00:00Z all fine here\n")
    assert text.count("connection refused") == 1
    assert "2026" not in text
    assert "10.0.3.17" not in text
    assert "all fine" not in text


def test_fenced_output_counts_as_log_and_bare_yaml_as_yaml() -> None:
    text = search_text(
        "Help\n```\nError: cannot pull image\nprogress 10\n```\nreplicas: 3\nstrategy:\n- run it\n"
    )
    assert "Error: cannot pull image" in text
    assert "progress" not in text
    assert "replicas strategy" in text


def test_a_long_question_is_cut_and_a_short_one_with_lines_is_kept() -> None:
    assert len(search_text("pods restart " * 400)) <= MOST_CHARS
    assert search_text("one line\nand another") == "one line\nand another"
    assert len(search_text("x" * 5000)) <= MOST_CHARS


@given(st.text(max_size=600))
def test_any_text_gives_a_search_text_of_bounded_size(question: str) -> None:
    assert len(search_text(question)) <= MOST_CHARS + 1200

from __future__ import annotations

import re
from pathlib import Path

from knowledge.problemrules import RULES
from knowledge.problems import PROBLEMS, matches

# Names that detectors give the same problems, see cluster/detectors.
DETECTED = re.compile(r'problem="([a-z-]+)"')


def names(text: str) -> list[str]:
    return [match.rule.problem for match in matches(text)]


def test_every_rule_leads_to_a_class_and_every_class_has_rules() -> None:
    assert {rule.problem for rule in RULES} == set(PROBLEMS)


def test_classes_share_their_names_with_the_detectors() -> None:
    folder = Path(__file__).parents[2] / "cluster" / "detectors"
    detected = {
        name for path in folder.glob("*.py") for name in DETECTED.findall(path.read_text("utf-8"))
    }
    assert len(detected & set(PROBLEMS)) >= 12


def test_a_cause_outranks_what_follows_from_it() -> None:
    assert names("dial tcp: lookup redis: no such host: connection refused") == ["dns"]
    assert names("Readiness probe failed: connection refused") == ["not-ready"]
    assert names("Failed to pull image: 429 Too Many Requests") == ["image-pull"]


def test_words_that_weigh_the_same_leave_it_open() -> None:
    assert names("upstream timed out: 502 Bad Gateway") == ["timeout", "http-5xx"]


def test_a_line_that_says_it_is_no_error_is_benign_unless_it_names_a_cause() -> None:
    assert names("INFO connection refused once, retrying") == ["benign"]
    assert names("INFO OOMKilled: payments") == ["oom"]


def test_the_words_that_decided_are_given() -> None:
    (match,) = matches("FATAL redis: dial tcp 10.0.3.17:6379:  connect: connection\n refused")
    assert match.words == "connection refused"
    assert not matches("all is quiet tonight")

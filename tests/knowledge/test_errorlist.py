"""The list of errors: findings and kinds of lines joined, each with the fix of its runbook."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.answers import Passage
from core.questions import Intent
from knowledge.errorlist import error_items, is_error_list
from knowledge.extract import extract
from tests.knowledge.fakes import POD, RUNBOOK, reading

ASKED = reading(
    "summarize the last 10 critical errors and suggest fixes", intents=[Intent.LOGS], limit=10
)


def finding(service: str, text: str, severity: str = "critical") -> Passage:
    return replace(
        POD, id=f"cluster:demo:Deployment/shop/{service}:finding", service=service,
        title=f"Finding on Deployment shop/{service}", location=f"Deployment/shop/{service}",
        text=f"{text}\nThe log of {service} ends with `x failed`.\nSeverity {severity}, since 9.",
    )  # fmt: skip


def kind(service: str, text: str) -> Passage:
    return Passage(
        f"csv-logs:{service}{text}", "csv-logs", f"Errors in the log of {service}", "logs/*.csv",
        f"{service} wrote `{text}` 3 times between 9:00 and 9:30.", service=service, is_fact=True,
    )  # fmt: skip


LINES = Passage(
    "csv-logs:all", "csv-logs", "Log lines", "logs/*.csv",
    "214 lines of level ERROR or above; first 8:00.", is_fact=True,
)  # fmt: skip


def test_a_finding_and_its_lines_are_one_item_and_the_worst_comes_first() -> None:
    facts = (
        finding("ledger", "ledger waits.", "medium"),
        finding("payments", "payments is OOMKilled."),
        LINES,
        kind("payments", "heap space"),
        kind("checkout", "503"),
    )
    items = error_items(facts, 10)
    assert [item.service for item in items] == ["payments", "checkout", "ledger"]
    assert len(items[0].passages) == 2
    assert items[0].words.startswith("payments payments is OOMKilled.")
    text = extract(ASKED, facts)
    assert text.startswith(
        "3 troubles, the worst first; the log files hold 214 lines of level ERROR or above [3]."
    )
    assert "1. **payments** is OOMKilled [2]. Log: `heap space` 3 times between 9:00" in text
    assert "2. **checkout** wrote `503` 3 times" in text
    assert "3. **ledger** waits [1]. Log: `x failed` [1]." in text
    assert [item.service for item in error_items(facts, 1)] == ["payments"]


@pytest.mark.parametrize(
    ("page", "fix"),
    [
        (
            (
                "Intro of this section here.\n\n1. Go back to the old version.\n\n"
                "   ```\n   # needs approval\n   kubectl -n shop rollout undo \\\n"
                "     deploy/x\n   ```\n"
            ),
            (
                "Go back to the old version: `kubectl -n shop rollout undo deploy/x` "
                "(⚠️ changes the cluster) [2]."
            ),
        ),
        (
            (
                "1. Correct the value in the manifest.\n2. Or remove the thing.\n\n"
                "   ```\n   kubectl delete pod x\n   ```\n"
            ),
            "Correct the value in the manifest [2].",
        ),
        (
            "Set the values that are documented:\n\n```\nkubectl patch x -p '[\n]'\n```\n",
            "Set the values that are documented [2].",
        ),
        ("```\nkubectl get pods\n```\n", "`kubectl get pods` [2]."),
        (
            "- The consumer is stuck: skip the message, see below.\n",
            "The consumer is stuck: skip the message [2].",
        ),
    ],
)
def test_a_fix_is_the_first_step_with_its_own_command(page: str, fix: str) -> None:
    remedy = replace(RUNBOOK, heading="payments restarts › Fix", text=page)
    facts = (finding("payments", "payments is OOMKilled."), remedy)
    text = extract(ASKED, facts, {facts[0].id: (remedy.id,)})
    assert text.endswith(f"   - Fix (runbook *payments restarts*): {fix}")
    assert "the worst first" not in text


def test_a_remedy_that_says_nothing_is_left_out() -> None:
    empty = replace(RUNBOOK, text="Too short.")
    facts = (finding("payments", "payments is OOMKilled."), empty)
    assert "Fix" not in extract(ASKED, facts, {facts[0].id: (empty.id, "gone")})


def test_only_a_question_for_the_errors_gets_the_list() -> None:
    facts = (finding("payments", "payments is OOMKilled."),)
    assert is_error_list(ASKED, facts)
    assert not is_error_list(ASKED, (RUNBOOK,))
    assert not is_error_list(replace(ASKED, question="last 10 log lines with error"), facts)
    assert not is_error_list(replace(ASKED, question="last 10 pods"), facts)

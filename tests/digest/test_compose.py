from __future__ import annotations

import pytest

from core.answers import Confidence, Lookup, Passage
from core.digests import ItemState, Ownership, Wording
from core.findings import Evidence, Finding, ObjectRef, Severity
from digest.causes import next_command, own_cause, problem_of
from digest.compose import compose, search_text
from digest.diff import Change
from digest.rank import rank
from tests.digest.conftest import NINE, finding

RUNBOOK = Passage(
    "1", "markdown:docs", "Payments restarts", "runbooks/payments-restarts.md",
    "# Payments restarts\n\nThe pod is OOMKilled again and again.\n\n## Fix\n\n"
    "1. Raise the memory limit to 768Mi. Then wait.\n2. Call.\n",
    heading="Payments restarts › Fix", kind="runbook",
)  # fmt: skip
CAUSES = Passage(
    "2",
    "markdown:docs",
    "Payments restarts",
    "runbooks/payments-restarts.md#causes",
    "| a | b |\n|---|---|\n\n```\ncode. here it is.\n```\n\nWe see it often at night. "
    "The settlement batch reads all rows at once, see [INC-2031](../incidents/x.md), and runs out "
    "of memory.",
    heading="Payments restarts › Causes",
    kind="runbook",
)
OTHER = Passage(
    "3", "markdown:docs", "Image cannot be pulled", "runbooks/cart-image-pull.md",
    "It waits because it must.\n\nA pull that fails is caused by a tag that does not exist."
    "\n\n- Ask in the channel.\n",
    kind="runbook",
)  # fmt: skip
INCIDENT = Passage("4", "markdown:docs", "INC-2031", "incidents/inc-2031.md", "It was OOMKilled.")


def _change(found: Finding) -> Change:
    return Change(found, ItemState.NEW, NINE)


def test_a_proven_cause_is_told_with_its_evidence() -> None:
    found = finding(evidence=(Evidence("resources.limits.memory", "256Mi"),))
    item = compose(_change(found), Lookup((INCIDENT, OTHER, RUNBOOK, CAUSES)), Ownership(), None)
    assert item.cause == "The container used more memory than its limit allows: 256Mi."
    assert item.confidence is Confidence.CONFIRMED
    assert item.runbook is not None
    assert item.runbook.location == "runbooks/payments-restarts.md"
    assert item.suggestion == "Raise the memory limit to 768Mi."


def test_an_unproven_cause_is_completed_by_the_runbook() -> None:
    item = compose(_change(finding()), Lookup((RUNBOOK, CAUSES)), Ownership(), None)
    assert item.confidence is Confidence.LIKELY
    assert item.cause.endswith(
        "The settlement batch reads all rows at once, see INC-2031, and runs out of memory."
    )
    pull = compose(
        _change(finding("cart", problem="image-pull")), Lookup((OTHER,)), Ownership(), None
    )
    assert "caused by a tag that does not exist" in pull.cause
    assert pull.suggestion == "Ask in the channel."


def test_a_step_is_taken_from_what_to_do_not_from_what_to_ask() -> None:
    def page(heading: str, text: str) -> Passage:
        return Passage(
            heading, "m", "OOM", "runbooks/oom.md", text, f"OOM › {heading}", kind="runbook"
        )

    look = page("Look first", "1. Which pod is OOMKilled?\n2. Read the log of it.")
    never = page("What not to do", "- Do not restart it blindly.")
    plain = page("Tag is missing", "- Run:\n- Ask the team about it.")
    fix = page("Fix", "1. Raise the limit now. And wait.")

    def suggestion(*pages: Passage) -> str:
        return compose(_change(finding()), Lookup((look, *pages)), Ownership(), None).suggestion

    assert suggestion(never, plain, fix) == "Raise the limit now."
    assert suggestion(never, plain) == "Ask the team about it."
    assert suggestion(never) == "Read the log of it."


def test_the_owners_runbook_is_preferred_where_it_fits() -> None:
    general = Passage("5", "m", "OOM in general", "runbooks/oom.md", "OOM.", kind="runbook")
    owned = Ownership(team="orders", runbook="payments-restarts.md")
    item = compose(_change(finding()), Lookup((general, RUNBOOK)), owned, None)
    assert item.runbook is not None
    assert item.runbook.title == "Payments restarts"
    # It does not speak of images, and the other one does.
    pull = compose(_change(finding(problem="image-pull")), Lookup((RUNBOOK, OTHER)), owned, None)
    assert pull.runbook is not None
    assert pull.runbook.title == "Image cannot be pulled"


def test_without_passages_the_graphs_runbook_is_cited() -> None:
    owned = Ownership("orders", "#team-orders", ("checkout",), "runbooks/payments-restarts.md")
    item = compose(_change(finding()), Lookup(), owned, None)
    assert item.runbook is not None
    assert (item.runbook.title, item.runbook.source) == ("payments restarts", "graph")
    assert (item.team, item.on_call, item.affected) == ("orders", "#team-orders", ("checkout",))
    assert compose(_change(finding()), Lookup((INCIDENT,)), Ownership(), None).runbook is None


def test_what_nobody_knows_is_unknown() -> None:
    item = compose(_change(finding(problem="odd")), Lookup(), Ownership(), None)
    assert (item.cause, item.confidence, item.suggestion) == ("", Confidence.UNKNOWN, "")
    worded = compose(
        _change(finding(problem="odd")), Lookup(), Ownership(), Wording("it is odd", "look")
    )
    assert (worded.cause, worded.confidence) == ("it is odd", Confidence.LIKELY)


def test_an_empty_wording_leaves_what_is_known() -> None:
    item = compose(_change(finding()), Lookup((RUNBOOK,)), Ownership(), Wording("", ""))
    assert item.cause
    assert item.suggestion == "Raise the memory limit to 768Mi."


def test_long_evidence_is_shortened() -> None:
    found = finding(problem="config-error", evidence=(Evidence("state.waiting.X", "x\n" * 400),))
    cause, _ = own_cause(found)
    assert len(cause) <= 240
    assert "\n" not in cause


@pytest.mark.parametrize(
    ("kind", "problem", "command"),
    [
        ("Pod", "oom", "kubectl -n shop logs p-1 -c app --previous --tail=100"),
        ("Pod", "not-ready", "kubectl -n shop logs p-1 -c app --tail=100"),
        ("Pod", "image-pull", "kubectl -n shop describe pod p-1"),
        ("Job", "job-failed", "kubectl -n shop logs job/p-1 --tail=100"),
        ("Deployment", "replicas-short", "kubectl -n shop describe deployment p-1"),
        ("PersistentVolumeClaim", "pvc", "kubectl -n shop describe persistentvolumeclaim p-1"),
        ("Service", "no-endpoints",
         "kubectl -n shop get endpointslices -l kubernetes.io/service-name=p-1"),
        ("Pod", "event-BackOff", "kubectl -n shop describe pod p-1"),
    ],
)  # fmt: skip
def test_the_next_command_only_reads(kind: str, problem: str, command: str) -> None:
    place = ObjectRef("demo", kind, "shop", "p-1")
    found = Finding(
        "d", problem, "R", Severity.HIGH, "t", place, place, NINE, NINE,
        (Evidence("container", "app"),),
    )  # fmt: skip
    assert next_command(found) == command


def test_the_next_command_of_a_node_has_no_namespace_and_odd_names_are_quoted() -> None:
    node = ObjectRef("demo", "Node", "", "worker 3; rm -rf")
    found = Finding("d", "node-not-ready", "R", Severity.HIGH, "t", node, node, NINE, NINE)
    assert next_command(found) == "kubectl describe node 'worker 3; rm -rf'"


def test_an_unknown_problem_is_searched_by_its_reason() -> None:
    assert problem_of(finding(problem="odd")).words == ("odd",)
    assert search_text(finding()) == "payments OOMKilled payments: oom"


def test_ranking_puts_what_changed_first_then_severity_then_size() -> None:
    def change(name: str, severity: Severity, state: ItemState, count: int = 1) -> Change:
        return Change(finding(name, severity=severity, count=count), state, NINE)

    hit = finding("hit", count=1)
    changes = [
        change("medium", Severity.MEDIUM, ItemState.NEW, 99),
        change("ongoing", Severity.HIGH, ItemState.ONGOING, 99),
        change("escalating", Severity.HIGH, ItemState.ESCALATING),
        change("few", Severity.HIGH, ItemState.NEW, 1),
        change("hit", Severity.HIGH, ItemState.NEW, 1),
        change("many", Severity.HIGH, ItemState.REGRESSED, 5),
        change("critical", Severity.CRITICAL, ItemState.ONGOING),
    ]
    ranked = rank(changes, {hit.identity: 3})
    assert [each.finding.owner.name for each in ranked] == [
        "many", "hit", "few", "escalating", "medium", "critical", "ongoing",
    ]  # fmt: skip
    assert rank(list(reversed(changes)), {hit.identity: 3}) == ranked

"""The Markdown pages: whole, linked, safe, and true to the world."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sandbox.knowledge.generate import source_folder
from tests.sandbox.knowledge.conftest import Page

RUNBOOK_OF_TROUBLE = {
    1: "payments-restarts",
    2: "cart-image-pull",
    3: "search-unschedulable",
    4: "checkout-config-error",
    5: "inventory-readiness",
    6: "risk-engine-redis",
    7: "ledger-pvc",
    8: "market-data-rollout",
    9: "log-forwarder-mount",
    10: "reconciliation-deadlock",
    11: "report-export-deadline",
    12: "disk-pressure-evictions",
    13: "hpa-metrics",
}
TELLING = {
    1: ("OOMKilled", "256Mi", "512Mi", "Java heap space", "137"),
    2: ("ImagePullBackOff", "-rc"),
    3: ("0/5 nodes are available: 5 Insufficient memory.", "24Gi"),
    4: ("checkout-canary-config", "CreateContainerConfigError"),
    5: ("HTTP probe failed with statuscode: 503", "ERR_STOCK_SYNC"),
    6: ("connect: connection refused", "REDIS_ADDR"),
    7: ("fast-nvme", "data-ledger-1", "ProvisioningFailed"),
    8: ("ProgressDeadlineExceeded", "timeout after 1s"),
    9: ("hostPath type check failed: /var/log/journal is not a directory",),
    10: ("BackoffLimitExceeded", "psycopg.errors.DeadlockDetected: deadlock detected"),
    11: ("DeadlineExceeded", "3600"),
    12: ("The node was low on resource: ephemeral-storage.", "DiskPressure"),
    13: ("FailedGetResourceMetric", "unable to get metrics for resource cpu"),
}
INCIDENTS = {"INC-2031", "INC-1987", "INC-2044", "INC-1956", "INC-2010", "INC-2052"}
CHANGES = re.compile(
    r"kubectl (?:-n \S+ )?(?:delete|apply|patch|scale|drain|cordon|taint|create|edit|replace|"
    r"set (?:env|image|resources)|rollout (?:undo|restart))\b|redis-cli failover|--execute|"
    r"kafka-topics\.sh .*--create|mkdir|systemctl|pg_cancel_backend"
)


def _page(pages: list[Page], name: str) -> Page:
    (found,) = [page for page in pages if page.path.endswith(f"/{name}.md")]
    return found


def test_there_is_enough_to_ask_about(pages: list[Page]) -> None:
    assert len(pages) >= 30
    assert {page.path.split("/")[0] for page in pages} == {"runbooks", "incidents", "config"}


def test_front_matter_tells_title_service_team_and_age(
    pages: list[Page], graph: dict[str, Any]
) -> None:
    for page in pages:
        assert page.body.lstrip().startswith(f"# {page.meta['title']}"), page.path
        assert page.meta["team"] in graph["teams"], page.path
        assert page.meta["service"] in {*graph["services"], "any", "nodes", "platform"}, page.path
        assert f"{page.meta['updated']:%Y}" == "2026", page.path
        assert page.meta["tags"], page.path
        known = graph["services"].get(page.meta["service"])
        if known and page.path.startswith("config/stocktraderx"):
            assert page.meta["namespace"] == known["namespace"]


def test_links_and_their_anchors_resolve(pages: list[Page]) -> None:
    root = source_folder()
    seen = 0
    for page in pages:
        for target in re.findall(r"\]\(([^)]+)\)", page.body):
            path, _, anchor = target.partition("#")
            file = (root / page.path).parent / path if path else root / page.path
            assert file.is_file(), f"{page.path} links to {target}"
            if anchor:
                headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
                assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
            seen += 1
    assert seen > 60


def test_no_link_leaves_the_world(pages: list[Page]) -> None:
    hosts = {host for page in pages for host in re.findall(r"https?://([^/\s`)]+)", page.body)}
    assert hosts <= {"risk-engine.trading.svc:8080"}


@pytest.mark.parametrize("number", sorted(RUNBOOK_OF_TROUBLE))
def test_every_trouble_has_a_runbook_with_its_telling_facts(pages: list[Page], number: int) -> None:
    page = _page(pages, RUNBOOK_OF_TROUBLE[number])
    text = " ".join(page.body.split())
    for fact in TELLING[number]:
        assert fact in text, f"{page.path} lacks {fact}"
    for heading in ("## Impact", "## Look first", "## Verify"):
        assert heading in page.body.replace("## What users see", "## Impact").replace(
            "## What a deadline does", "## Impact"
        ), f"{page.path} lacks {heading}"


def test_the_world_has_no_trouble_without_a_runbook(world: str) -> None:
    assert {int(number) for number in re.findall(r"^\| (\d+) \|", world, re.MULTILINE)} == set(
        RUNBOOK_OF_TROUBLE
    )


def test_moving_troubles_have_runbooks(pages: list[Page]) -> None:
    assert (
        "KafkaTimeoutError: topic order-mails not present in metadata"
        in _page(pages, "email-worker-kafka").body
    )
    assert "Kubelet stopped posting node status." in _page(pages, "node-not-ready").body


def test_incident_reports_are_those_of_the_world(
    pages: list[Page], world: str, graph: dict[str, Any]
) -> None:
    reports = [page for page in pages if page.path.startswith("incidents/")]
    assert {page.meta["title"].split(":")[0] for page in reports} == INCIDENTS
    assert set(re.findall(r"INC-\d+", world)) == INCIDENTS
    for page in reports:
        assert page.meta["severity"] in {"SEV1", "SEV2", "SEV3"}
        assert f"{page.meta['date']}" in page.body
        assert set(page.meta["services"]) <= set(graph["services"])
        for heading in ("Summary", "Timeline (UTC)", "Root cause", "Fix", "Follow-ups"):
            assert f"\n## {heading}\n" in page.body, f"{page.path} lacks {heading}"


def test_incident_numbers_rise_with_their_dates(pages: list[Page]) -> None:
    reports = [page for page in pages if page.path.startswith("incidents/")]
    by_number = sorted(reports, key=lambda page: str(page.meta["title"]))
    assert by_number == sorted(reports, key=lambda page: str(page.meta["date"]))


def test_no_page_names_an_incident_that_has_no_report(pages: list[Page]) -> None:
    for page in pages:
        assert set(re.findall(r"INC-\d+", page.body)) <= INCIDENTS, page.path


def test_commands_that_change_something_say_that_they_need_approval(pages: list[Page]) -> None:
    changing = 0
    for page in pages:
        for block in re.findall(r"```bash\n(.*?)```", page.body, re.DOTALL):
            changes = bool(CHANGES.search(block.replace("\\\n", " ")))
            assert changes == ("# needs approval" in block), f"{page.path}: {block}"
            changing += changes
    assert changing > 20


def test_a_runbook_reads_before_it_changes(pages: list[Page]) -> None:
    for page in pages:
        if page.path.startswith("runbooks/"):
            first = re.search(r"```bash\n(.*?)```", page.body, re.DOTALL)
            assert first is None or "# needs approval" not in first[1], page.path


def test_the_documented_limit_of_payments_is_not_the_live_one(pages: list[Page]) -> None:
    body = _page(pages, "payments").body
    assert "The memory limit of payments is 512Mi" in body
    assert "| memory | 256Mi | **512Mi** |" in body


def test_stocktraderx_is_described_as_the_world_has_it(pages: list[Page]) -> None:
    text = " ".join(_page(pages, "stocktraderx-architecture").body.split())
    for fact in (
        "in-memory order book per symbol",
        "lock-free ring buffer",
        "single-writer disruptor",
        "static CPU manager policy",
        "Guaranteed QoS",
        "kernel-bypass networking",
        "180 µs",
    ):
        assert fact in text, fact
    limits = _page(pages, "stocktraderx-resource-limits").body
    for row in (
        "| `matching-engine` | StatefulSet | 8 | 16Gi |",
        "| `order-gateway` | Deployment | 4 | 4Gi |",
        "| `risk-engine` | Deployment | 2 | 2Gi |",
        "| `market-data` | Deployment | 2 | 3Gi |",
        "| `ledger` | StatefulSet | 2 | 8Gi |",
    ):
        assert row in limits, row


def test_one_page_quotes_hostile_text_inside_a_log(pages: list[Page]) -> None:
    (hostile,) = [page for page in pages if "IGNORE ALL PREVIOUS INSTRUCTIONS" in page.body]
    quoted = " ".join(re.findall(r"```text\n(.*?)```", hostile.body, re.DOTALL))
    assert "<!channel>" in quoted
    assert "IGNORE ALL PREVIOUS INSTRUCTIONS" in quoted
    assert "<!channel>" not in hostile.body.replace(quoted, "")


def test_the_pages_name_no_person_outside_the_world(
    pages: list[Page], graph: dict[str, Any]
) -> None:
    people = {team["on_call"] for team in graph["teams"].values()}
    for page in pages:
        for lead in re.findall(r"\| Lead \| (.+?) \|", page.body):
            assert lead in people

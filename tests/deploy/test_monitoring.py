"""Dashboard and alert rules against what the bot really counts, and against a real promtool."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.telemetry.metrics import Meter

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "monitoring"
# What a Prometheus adds to every series it scrapes, and what histograms have.
_ALWAYS = {"instance", "job", "le"}


def exported() -> dict[str, set[str]]:
    """Every sample that the bot gives, with its labels."""
    registry = Meter().registry
    found = {
        sample.name: set(sample.labels) for one in registry.collect() for sample in one.samples
    }
    for collector, names in registry._collector_to_names.items():
        labels = set(getattr(collector, "_labelnames", ()))
        found |= dict.fromkeys(names, labels)
    return found


def dashboard_queries() -> Iterator[str]:
    board = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "rules.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def names_in(query: str) -> list[str]:
    return re.findall(r"\b(?:opsbot|process)_\w+", query)


def labels_in(query: str) -> set[str]:
    matched = re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", query)
    grouped = re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", query)
    return set(matched) | {label.strip() for group in grouped for label in group.split(",")}


@pytest.mark.parametrize("query", [*dashboard_queries(), *(rule["expr"] for rule in rules())])
def test_a_query_asks_for_what_the_bot_counts(query: str) -> None:
    known = exported()
    names = names_in(query)
    assert names
    assert not [name for name in names if name not in known]
    allowed = set().union(*(known[name] for name in names)) | _ALWAYS
    assert labels_in(query) <= allowed


def test_every_metric_is_shown_or_watched() -> None:
    asked = {
        name for query in (*dashboard_queries(), *(r["expr"] for r in rules()))
        for name in names_in(query)
    }  # fmt: skip
    bases = {re.sub(r"_(?:bucket|count|sum|total)$", "", name) for name in asked}
    own = {
        family.name for family in Meter().registry.collect() if family.name.startswith("opsbot_")
    }
    assert own <= bases


def test_the_operators_page_tells_of_every_metric_and_no_other() -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    told = {
        name
        for row in re.findall(r"^\| (`.*?) \|", page, flags=re.MULTILINE)
        for name in re.findall(r"`([a-z0-9_]+)`", row)
    }
    samples = {name.removeprefix("opsbot_") for name in exported() if name.startswith("opsbot_")}
    families = {family.name for family in Meter().registry.collect()}
    assert told <= samples
    for family in families:
        name = family.removeprefix("opsbot_")
        assert family.startswith("process_") or {name, f"{name}_total"} & told, family


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_each_alert_has_a_runbook_and_says_how_bad_it_is(rule: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    alert = rule["alert"]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["runbook"] == f"docs/operating.md#{alert.lower()}"
    assert len(re.findall(rf"^### {alert}$", page, flags=re.MULTILINE)) == 1


def test_no_runbook_is_left_of_an_alert_that_is_gone() -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    written = re.findall(r"^### (Opsbot\w+)$", page, flags=re.MULTILINE)
    assert written == [rule["alert"] for rule in rules()]


@pytest.mark.parametrize("work", [("check", "rules.yaml"), ("test", "rules_test.yaml")])
def test_promtool_is_content(work: tuple[str, str]) -> None:
    command, name = work
    done = subprocess.run(  # noqa: S603  (Debian's own)
        ["/usr/bin/promtool", command, "rules", str(FOLDER / name)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_is_tested_where_it_fires_and_where_it_does_not() -> None:
    tests = yaml.safe_load((FOLDER / "rules_test.yaml").read_text(encoding="utf-8"))["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    for rule in rules():
        fires = {bool(case["exp_alerts"]) for case in cases if case["alertname"] == rule["alert"]}
        assert fires == {True, False}, rule["alert"]


def test_no_two_panels_overlap_or_share_an_id() -> None:
    board = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}  # fmt: skip
        assert not cells & taken, panel["title"]
        taken |= cells

"""`opsbot eval findings` on small states of our own, read through the recorded cluster."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app

NOW = "2026-03-01T12:00:00Z"


def pod(name: str, status: dict[str, Any], owner: str = "") -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": "shop"}
    if owner:
        metadata["ownerReferences"] = [{"kind": "Job", "name": owner, "controller": True}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "image": "a:1"}]},
        "status": {
            "phase": "Running",
            "containerStatuses": [{"name": "app", "image": "a:1", "restartCount": 4, **status}],
        },
    }


CRASHING = {
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {
        "terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-03-01T11:59:00Z"}
    },
}
HEALTHY = {"ready": True, "state": {"running": {"startedAt": NOW}}}
LOST_NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "n1"},
    "status": {
        "conditions": [
            {"type": "Ready", "status": "Unknown", "lastTransitionTime": "2026-03-01T11:59:59Z"}
        ]
    },
}


def case(name: str, *objects: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": name, "now": NOW, "objects": list(objects), "logs": {}, **more}


def measure(*cases: dict[str, Any] | str) -> tuple[int, str, dict[str, list[dict[str, str]]]]:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in cases]
    Path("cases.jsonl").write_text("\n".join(lines))
    arguments = ["eval", "findings", "--cases", "cases.jsonl", "--out", "run.jsonl"]
    done = CliRunner().invoke(app, arguments)
    run = Path("run.jsonl")
    rows = [json.loads(line) for line in run.read_text().splitlines()] if run.exists() else []
    found = {row["id"]: row["items"] for row in rows}
    return done.exit_code, " ".join(done.output.split()), found


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_states_are_read_one_by_one_with_their_logs(folder: Path) -> None:
    (folder / "logs").mkdir()
    log = {"shop/b-1/app#previous": "ERROR no route to the ledger\n"}
    (folder / "logs/b.json.gz").write_bytes(gzip.compress(json.dumps(log).encode()))
    code, output, found = measure(
        case("a", pod("a-1", CRASHING), logs={"shop/a-1/app#previous": "ERROR disk is full\n"}),
        case("quiet", pod("q-1", HEALTHY)),
        case("b", pod("b-1", CRASHING), logs_gz="logs/b.json.gz"),
    )
    assert code == 0, output
    assert "2 findings in 3 states." in output
    (item,) = found["a"]
    assert (item["kind"], item["namespace"], item["name"]) == ("Pod", "shop", "a-1")
    assert item["severity"] == "critical"
    assert "CrashLoopBackOff, 4 restarts" in item["text"]
    assert "1 (application error)" in item["text"]
    assert "disk is full" in item["text"]
    assert found["quiet"] == []
    assert "no route to the ledger" in found["b"][0]["text"]


def test_an_owner_is_one_item_and_a_lost_node_hides_nothing() -> None:
    first, second = pod("job-1", CRASHING, owner="job"), pod("job-2", CRASHING, owner="job")
    code, output, found = measure(case("a", first, second, LOST_NODE))
    assert code == 0, output
    assert sorted(item["name"] for item in found["a"]) == ["job", "n1"]


def test_alerts_are_findings_too() -> None:
    labels = {"alertname": "TargetDown", "severity": "warning", "namespace": "shop"}
    silenced = {**labels, "alertname": "Silenced"}
    alerts = [
        {"labels": labels, "annotations": {}, "startsAt": NOW, "status": {"state": "active"}},
        {"labels": silenced, "startsAt": NOW, "status": {"state": "suppressed"}},
    ]
    code, output, found = measure(case("a", alerts=alerts))
    assert code == 0, output
    assert [(item["kind"], item["name"]) for item in found["a"]] == [("Alert", "TargetDown")]


def test_errors_in_the_log_of_a_healthy_pod_count_unless_they_were_there_in_good_times(
    folder: Path,
) -> None:
    old, new = "ERROR cannot reach the cache\n", "ERROR the ledger is corrupt\n"
    (folder / "good.gz").write_bytes(gzip.compress(json.dumps({"shop/a-1/app": old}).encode()))
    rows = [
        case("alone", pod("a-1", HEALTHY), logs={"shop/a-1/app": old}),
        case("known", pod("a-1", HEALTHY), logs={"shop/a-1/app": old}, baseline_gz="good.gz"),
        case("news", pod("a-1", HEALTHY), logs={"shop/a-1/app": old + new}, baseline_gz="good.gz"),
    ]
    code, output, found = measure(*rows)
    assert code == 0, output
    assert "cannot reach the cache" in found["alone"][0]["text"]
    assert found["known"] == []
    (item,) = found["news"]
    assert item["severity"] == "critical"
    assert "the ledger is corrupt" in item["text"]


def test_information_is_left_out_and_medium_is_a_warning() -> None:
    cron_job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly", "namespace": "shop"},
        "spec": {"schedule": "0 1 * * *", "suspend": True},
    }
    broken = {**cron_job, "metadata": {"name": "weekly"}, "spec": {"schedule": "every monday"}}
    code, output, found = measure(case("a", cron_job, broken))
    assert code == 0, output
    assert [(item["name"], item["severity"]) for item in found["a"]] == [("weekly", "warning")]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "it holds no cases"),
        (["{"], "line 1 is no JSON"),
        (['{"now": 1}'], "line 1 has no id"),
        ([{"id": "a", "objects": []}], "read the case a"),
        ([case("a", logs_gz="gone.gz")], "Check `logs_gz`"),
        ([case("a", baseline_gz="gone.gz")], "and `baseline_gz`"),
        ([case("a", {"kind": "Pod"})], "without apiVersion"),
        ([case("a"), case("a")], "has the id 'a' again"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(rows: list[dict[str, Any] | str], told: str) -> None:
    code, output, _ = measure(*rows)
    assert code == 1
    assert told in output


def test_the_place_of_the_run_is_checked_first(folder: Path) -> None:
    (folder / "cases.jsonl").write_text(json.dumps(case("a")))
    arguments = ["eval", "findings", "--cases", "cases.jsonl", "--out", "nowhere/run.jsonl"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert "its folder does not exist" in " ".join(done.output.split())

"""What changed before it broke: every sort of change, who made it, and which one is suspected."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cluster.changes import timeline
from cluster.fold import fold
from cluster.template_diff import config_maps_of, differences
from cluster.template_objects import FullTemplate
from core.changes import Change, ChangeKind, Timeline
from core.findings import ObjectRef
from core.questions import TimeRange
from tests.cluster.histories import (
    APPS,
    bare,
    by,
    controller_revision,
    history,
    revision,
    template,
    written,
)
from tests.cluster.payloads import (
    NOW,
    Json,
    ago,
    claim,
    condition,
    container_status,
    cron_job,
    event,
    found_by_all,
    hpa,
    job,
    node,
    pod,
    running,
    snapshot,
    terminated,
    waiting,
    workload,
)

NEW = template(f"{APPS}/payments:2")
OLD = template(f"{APPS}/payments:1")


def changed(*objects: Json, about: str = "Deployment shop/payments", hours: float = 24) -> Timeline:
    state = snapshot(*objects)
    kind, _, place = about.partition(" ")
    namespace, _, name = place.rpartition("/")
    window = TimeRange(NOW - timedelta(hours=hours), NOW + timedelta(seconds=1))
    ref = ObjectRef("demo", kind, namespace, name)
    return timeline(state, history(*objects), ref, window, fold(found_by_all(*objects)))


def told(found: Timeline) -> list[tuple[float, str, str, str]]:
    """Minutes ago, object, what, by whom."""
    return [(_minutes(item), item.object.name, item.what, item.by) for item in found.changes]


def _minutes(change: Change) -> float:
    return round((NOW - change.at).total_seconds() / 60, 1)


def crash_looping(owner: Json, since: float) -> list[Json]:
    bad = pod(
        f"{owner['metadata']['name']}-abcde",
        container_status(waiting("CrashLoopBackOff"), last=terminated(1), restarts=9),
        owner=owner,
        age=since + 1,
    )
    return [bad, event(bad, "BackOff", "Back-off restarting", first=since, count=40)]


def test_a_rollout_is_told_with_what_differs_and_who_did_it() -> None:
    payments = by(workload("Deployment"), written("kubectl-edit", 180), written("helm", 9000))
    found = changed(payments, revision(payments, 1, 9000, OLD), revision(payments, 2, 180, NEW))
    assert told(found) == [
        (180, "payments", "rolled out revision 2: image payments:1 → payments:2", "kubectl-edit")
    ]
    assert found.before is None


def test_a_window_without_a_rollout_names_the_last_one_before_it() -> None:
    payments = workload("Deployment", age=9000)
    found = changed(
        payments, revision(payments, 1, 9000, OLD), revision(payments, 2, 3000, NEW), hours=1
    )
    assert found.changes == ()
    assert found.before is not None
    assert found.before.what == "rolled out revision 2: image payments:1 → payments:2"


def test_the_first_revision_is_a_creation_and_a_lone_later_one_has_lost_its_past() -> None:
    fresh = workload("Deployment", age=25)
    first = changed(fresh, revision(fresh, 1, 25, NEW))
    assert [item.what for item in first.changes] == ["was created with image payments:2"]
    old = workload("Deployment", age=9000)
    lone = changed(old, revision(old, 7, 25, NEW))
    assert "revision 7" in lone.changes[0].what
    assert "not kept" in lone.changes[0].what


def test_a_rollback_is_told_at_the_time_of_the_act_and_its_number_is_not_told_twice() -> None:
    payments = workload("Deployment", age=9000)
    old = revision(payments, 4, 9000, OLD, earlier="2")
    bad = revision(payments, 3, 60, NEW)
    scaled = event(
        payments,
        "ScalingReplicaSet",
        f"Scaled up replica set {old['metadata']['name']} from 0 to 1",
        type_="Normal",
        first=20,
        last=20,
    )
    found = changed(payments, old, bad, scaled)
    assert [(_minutes(item), item.what) for item in found.changes] == [
        (60, "rolled out revision 3: image payments:1 → payments:2"),
        (20, "rolled back, as revision 4: image payments:2 → payments:1"),
    ]


def test_a_rollback_whose_time_left_no_trace_is_not_told_at_a_wrong_one() -> None:
    payments = workload("Deployment", age=9000)
    found = changed(
        payments, revision(payments, 4, 9000, OLD, earlier="2"), revision(payments, 3, 60, NEW)
    )
    assert [item.what for item in found.changes] == [
        "rolled out revision 3: image payments:1 → payments:2"
    ]


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_controller_revisions_tell_what_a_stateful_or_daemon_set_rolled_out(kind: str) -> None:
    owner = workload(kind, age=9000)
    found = changed(
        owner,
        controller_revision(owner, 1, 9000, OLD),
        controller_revision(owner, 2, 30, NEW),
        about=f"{kind} shop/payments",
    )
    assert [item.what for item in found.changes] == [
        "rolled out revision 2: image payments:1 → payments:2"
    ]


def test_a_write_that_made_no_revision_is_told_with_its_writer() -> None:
    payments = by(
        workload("Deployment", replicas=5, age=9000),
        written("kubectl", 40, "scale"),
        written("argocd-controller", 30),
        written("kube-controller-manager", 2),
        written("kubelet-ish", 1, "status"),
    )
    assert told(changed(payments)) == [
        (40, "payments", "scaled by hand; 5 replicas are wanted now", "kubectl"),
        (
            30,
            "payments",
            "edited; what its pods are made from stayed the same",
            "argocd-controller",
        ),
    ]


def test_scaling_events_count_only_where_no_rollout_explains_them() -> None:
    payments = workload("Deployment", age=9000)
    objects = [payments, revision(payments, 1, 9000, OLD), revision(payments, 2, 50, NEW)]

    def scaled(text: str, minutes: float) -> Json:
        made = event(
            payments, "ScalingReplicaSet", text, type_="Normal", last=minutes, first=minutes
        )
        made["metadata"]["name"] += text[-1]
        return made

    found = changed(
        *objects,
        scaled("Scaled up replica set payments-2x from 0 to 1", 50),
        scaled("Scaled down replica set payments-1x from 2 to 0", 48),
        scaled("Scaled up replica set payments-2x from 2 to 6", 9),
    )
    assert [item.what for item in found.changes][1:] == ["scaled from 2 to 6 pods"]


def test_an_autoscaler_tells_its_act_and_who_edited_it() -> None:
    payments = workload("Deployment", age=9000)
    scaler = by(hpa(target="payments"), written("kubectl-edit", 15))
    act = event(
        scaler, "SuccessfulRescale", "New size: 6; reason: cpu above target", type_="Normal", last=8
    )
    other = hpa(target="cart", name="cart")
    assert told(changed(payments, scaler, act, other))[-2:] == [
        (15, "frontend", "changed", "kubectl-edit"),
        (
            8,
            "payments",
            "scaled by its autoscaler: New size: 6; reason: cpu above target",
            "",
        ),
    ]


def test_pods_that_a_stateful_set_makes_have_names_and_are_told() -> None:
    ledger = workload("StatefulSet", "ledger", age=9000)
    made = event(
        ledger,
        "SuccessfulCreate",
        "create Pod ledger-1 in StatefulSet ledger successful",
        type_="Normal",
        last=52,
        first=52,
    )
    assert told(changed(ledger, made, about="StatefulSet shop/ledger")) == [
        (52, "ledger", "made pod ledger-1", "")
    ]


def test_only_config_maps_that_the_workload_reads_are_told() -> None:
    payments = workload("Deployment", age=9000)
    reads = template(
        envFrom=[{"configMapRef": {"name": "all"}}, {"secretRef": {"name": "hidden"}}],
        env=[{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "one", "key": "a"}}}],
    )
    reads["spec"]["volumes"] = [
        {"name": "v", "configMap": {"name": "file"}},
        {"name": "p", "projected": {"sources": [{"configMap": {"name": "part"}}, {}]}},
    ]
    names = ("all", "one", "file", "part", "unread")
    maps = [
        bare("ConfigMap", name, written("kubectl-edit", 30 - index))
        for index, name in enumerate(names)
    ]
    kept = revision(payments, 1, 9000, reads)
    assert told(changed(payments, kept, *maps)) == [
        (30, "all", "changed", "kubectl-edit"),
        (29, "one", "changed", "kubectl-edit"),
        (28, "file", "changed", "kubectl-edit"),
        (27, "part", "changed", "kubectl-edit"),
    ]


def test_a_new_object_is_created_once_and_not_changed_as_well() -> None:
    payments = workload("Deployment", age=9000)
    quota = bare("ResourceQuota", "shop-quota", written("kubectl-create", 12), age=12)
    budget = bare("PodDisruptionBudget", "payments", written("helm", 5), age=9000)
    assert told(changed(payments, quota, budget)) == [
        (12, "shop-quota", "created", "kubectl-create"),
        (5, "payments", "changed", "helm"),
    ]


def test_nodes_of_the_pods_tell_what_happened_to_them() -> None:
    payments = workload("Deployment", age=9000)
    place = by(
        node(
            "worker-1",
            condition("Ready", "Unknown", since=20),
            condition("DiskPressure", "True", since=30),
            condition("MemoryPressure", "False", since=40),
        ),
        written("kubectl-cordon", 10),
    )
    place["spec"] = {"unschedulable": True}
    own = pod(owner=payments, ready=True)
    elsewhere = by(node("worker-9", condition("Ready", "False", since=3)))
    seen = [
        event(place, "NodeNotSchedulable", "cordoned", type_="Normal", last=10),
        event(place, "Rebooted", "Node worker-1 has been rebooted", last=25),
        event(place, "ImageGCFailed", "no", last=24),
    ]
    found = changed(payments, place, own, elsewhere, *seen)
    assert [item for item in told(found) if item[1].startswith("worker")] == [
        (600, "worker-1", "joined the cluster", ""),
        (30, "worker-1", "reports DiskPressure", ""),
        (25, "worker-1", "rebooted", ""),
        (20, "worker-1", "became NotReady", ""),
        (10, "worker-1", "cordoned", "kubectl-cordon"),
    ]


def test_runs_of_a_cron_job_are_one_change_at_the_last() -> None:
    cron = cron_job()
    runs = [
        job("reconcile-1", owner=cron, startTime=ago(200), completionTime=ago(190)),
        job(
            "reconcile-2",
            owner=cron,
            startTime=ago(100),
            conditions=[condition("Failed", "True", "BackoffLimitExceeded")],
        ),
        job("lone-1", startTime=ago(7)),
        job("done-1", startTime=ago(9), completionTime=ago(8)),
        job("never-began"),
    ]
    found = changed(cron, *runs, about="Namespace batch")
    assert told(found) == [
        (100, "reconcile", "ran, failed (BackoffLimitExceeded), one of 2 runs that are kept", ""),
        (9, "done-1", "ran, succeeded", ""),
        (7, "lone-1", "ran, still running", ""),
    ]


def test_restarts_are_one_change_and_never_suspected() -> None:
    payments = workload("Deployment", age=9000)
    killed = container_status(running(), last=terminated(137, "OOMKilled", minutes=3), restarts=14)
    pods = [
        pod("payments-a", killed, owner=payments, age=600),
        pod("payments-b", container_status(running(), ready=True), owner=payments, ready=True),
    ]
    found = changed(payments, *pods)
    assert told(found) == [
        (3, "payments", "restarted 14 times so far, last exit 137 (OOMKilled)", "")
    ]
    assert [trouble.suspect for trouble in found.troubles] == [None]


def test_the_change_just_before_a_trouble_is_its_suspect() -> None:
    payments = by(workload("Deployment", age=9000), written("kubectl-set", 180))
    new = revision(payments, 2, 180, NEW)
    found = changed(payments, revision(payments, 1, 9000, OLD), new, *crash_looping(new, since=177))
    (trouble,) = found.troubles
    assert trouble.at == NOW - timedelta(minutes=177)
    assert trouble.suspect is not None
    assert trouble.suspect.what == "rolled out revision 2: image payments:1 → payments:2"
    assert trouble.suspect.by == "kubectl-set"


def test_of_changes_at_once_the_broken_objects_own_is_suspected() -> None:
    payments = workload("Deployment", age=9000)
    new = revision(payments, 2, 180, NEW)
    quota = bare("ResourceQuota", "shop-quota", written("helm", 179.5))
    found = changed(
        payments, quota, revision(payments, 1, 9000, OLD), new, *crash_looping(new, since=177)
    )
    assert found.troubles[0].suspect is not None
    assert found.troubles[0].suspect.kind is ChangeKind.ROLLOUT


def test_a_change_after_the_trouble_or_long_before_it_is_not_suspected() -> None:
    payments = workload("Deployment", age=9000)
    new = revision(payments, 2, 60, NEW)
    old = revision(payments, 1, 9000, OLD)
    found = changed(payments, old, new, *crash_looping(old, since=177))
    assert found.troubles[0].suspect is None


def test_another_workloads_rollout_is_not_suspected_in_a_namespace() -> None:
    payments, cart = workload("Deployment", age=9000), workload("Deployment", "cart", age=9000)
    old = revision(payments, 1, 9000, OLD)
    objects = [
        *(payments, cart, old),
        *(revision(cart, 1, 9000, OLD), revision(cart, 2, 180, NEW)),
        *crash_looping(old, since=177),
    ]
    found = changed(*objects, about="Namespace shop")
    assert "cart" in [item.object.name for item in found.changes]
    assert [trouble.suspect for trouble in found.troubles] == [None]


@pytest.mark.parametrize(
    ("act", "is_suspected"), [("kubectl-cordon", True), ("kubectl-label", False)]
)
def test_a_pod_without_room_is_blamed_on_a_cordon_only(act: str, *, is_suspected: bool) -> None:
    search = workload("Deployment", "search", age=9000)
    place = by(node("worker-1", condition("DiskPressure", "True", since=45)), written(act, 42))
    place["spec"] = {"unschedulable": True}
    pending = pod(
        "search-b",
        phase="Pending",
        node="",
        owner=search,
        conditions=[condition("PodScheduled", "False", "Unschedulable", "0/5 nodes", since=41)],
        age=41,
    )
    served = pod("search-a", owner=search, ready=True)
    found = changed(search, place, served, pending, about="Deployment shop/search")
    assert [trouble.finding.problem for trouble in found.troubles] == ["unschedulable"]
    assert (found.troubles[0].suspect is not None) is is_suspected


def test_a_nodes_own_pressure_is_its_trouble_and_not_its_suspect() -> None:
    place = node("worker-2", condition("DiskPressure", "True", since=45))
    found = changed(place, about="Node worker-2")
    assert [trouble.suspect for trouble in found.troubles] == [None]
    assert "reports DiskPressure" in [item.what for item in found.changes]


def test_a_claim_that_waits_is_told_from_its_first_warning() -> None:
    ledger = workload("StatefulSet", "ledger", age=9000)
    waits = claim()
    lost = pod("ledger-1", phase="Pending", node="", owner=ledger, claims=["data-ledger-1"])
    warned = event(waits, "ProvisioningFailed", "no class", first=52)
    found = changed(ledger, waits, lost, warned, about="StatefulSet shop/ledger")
    assert NOW - timedelta(minutes=52) in [trouble.at for trouble in found.troubles]


# --- templates ----------------------------------------------------------------------------------


def convert(plain: Json) -> FullTemplate:
    return msgspec.convert(plain, FullTemplate)


def diff(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return differences(convert(template(**before)), convert(template(**after)))


ASKED = "GET /ready on 8080"
HTTP = {"httpGet": {"path": "/ready", "port": 8080}}


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ({}, {}, []),
        (
            {"image": "a.example/x/app:1"},
            {"image": "b.example/x/app:1"},
            ["image a.example/x/app:1 → b.example/x/app:1"],
        ),
        (
            {"resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "1"}}},
            {"resources": {"limits": {"memory": "256Mi"}}},
            ["memory limit 512Mi → 256Mi", "CPU request 1 → none"],
        ),
        (
            {"readinessProbe": HTTP},
            {"readinessProbe": HTTP | {"timeoutSeconds": 5}},
            [
                (f"readiness probe {ASKED} (delay 0 s, every 10 s, timeout 1 s, 3 tries)"
                f" → {ASKED} (delay 0 s, every 10 s, timeout 5 s, 3 tries)")
            ],
        ),
        (
            {"livenessProbe": {"exec": {"command": ["check"]}}},
            {},
            ["liveness probe `check` (delay 0 s, every 10 s, timeout 1 s, 3 tries) → none"],
        ),
        (
            {"startupProbe": {"tcpSocket": {"port": 1}}},
            {"startupProbe": {"grpc": {"port": 2}}},
            [
                ("startup probe TCP 1 (delay 0 s, every 10 s, timeout 1 s, 3 tries) →"
                " gRPC 2 (delay 0 s, every 10 s, timeout 1 s, 3 tries)")
            ],
        ),
        ({"command": ["run"]}, {"command": ["run", "fast"]}, ["command `run` → `run fast`"]),
        ({"args": ["a"]}, {}, ["args `a` → none"]),
        ({}, {"args": ["x" * 100]}, [f"args none → `{'x' * 59}…`"]),
        (
            {"env": [{"name": "GONE"}, {"name": "SAME", "value": "1"}]},
            {"env": [{"name": "SAME", "value": "1"}, {"name": "NEW"}]},
            ["env + NEW", "env - GONE"],
        ),
        (
            {"env": [{"name": "A", "value": "x"}, {"name": "B"}, {"name": "C"}]},
            {
                "env": [
                    {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}},
                    {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                    {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                ]
            },
            ["env A now from ConfigMap m", "env B now from Secret s",
             "env C now from the pod's own fields"],
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}]},
            {"env": [{"name": "A", "value": "plain"}]},
            ["env A now from a plain value"],
        ),
        (
            {"envFrom": [{"secretRef": {"name": "s"}}]},
            {"envFrom": [{"configMapRef": {"name": "m"}}]},
            ["env + all of ConfigMap m", "env - all of Secret s"],
        ),
    ],
)  # fmt: skip
def test_every_field_that_differs_is_named(
    before: dict[str, Any], after: dict[str, Any], says: list[str]
) -> None:
    assert diff(before, after) == says


def test_the_value_of_a_variable_is_never_told() -> None:
    before = {"env": [{"name": "PASSWORD", "value": "hunter-two"}]}
    after = {"env": [{"name": "PASSWORD", "value": "hunter-three"}]}
    assert diff(before, after) == ["env PASSWORD has another value"]


def test_containers_settings_and_annotations_of_a_template_differ() -> None:
    before = convert({
        "metadata": {"annotations": {"checksum/config": "1"}},
        "spec": {
            "containers": [{"name": "app", "image": "x/app:1"}, {"name": "old", "image": "x/o:1"}],
            "serviceAccountName": "one",
            "nodeSelector": {"disk": "ssd"},
            "volumes": [{"name": "tmp"}],
        },
    })  # fmt: skip
    after = convert({
        "metadata": {
            "annotations": {
                "checksum/config": "2",
                "kubectl.kubernetes.io/restartedAt": "2026-03-01T11:00:00Z",
            }
        },
        "spec": {
            "containers": [{"name": "app", "image": "x/app:2"}],
            "initContainers": [{"name": "migrate", "image": "x/migrate:1"}],
            "volumes": [
                {"name": "conf", "configMap": {"name": "m"}},
                {"name": "data", "persistentVolumeClaim": {"claimName": "c"}},
            ],
        },
    })  # fmt: skip
    assert differences(before, after) == [
        "container migrate added (migrate:1)",
        "app: image app:1 → app:2",
        "container old removed",
        "service account one → none",
        "node selector disk ssd → none",
        "volume + conf (ConfigMap m)",
        "volume + data (claim c)",
        "volume - tmp",
        "annotation checksum/config changed",
        "restarted by hand (kubectl rollout restart)",
    ]
    assert config_maps_of(after) == {"m"}


def test_a_long_list_of_differences_is_cut() -> None:
    payments = workload("Deployment", age=9000)
    many = template(env=[{"name": f"V{number}"} for number in range(9)])
    found = changed(
        payments, revision(payments, 1, 9000, template()), revision(payments, 2, 9, many)
    )
    assert found.changes[0].what.endswith("env + V5 and 3 more fields")


def test_a_revision_that_differs_in_nothing_known_says_so() -> None:
    payments = workload("Deployment", age=9000)
    found = changed(payments, revision(payments, 1, 9000, OLD), revision(payments, 2, 9, OLD))
    assert found.changes[0].what == "rolled out revision 2: nothing that I compare differs"

"""Deployments, ReplicaSets, StatefulSets and DaemonSets, without their counts.

Counts follow from the pods and are filled in by `settling`.
"""

from __future__ import annotations

from datetime import datetime

from sandbox.cluster.kinds.apps import App
from sandbox.cluster.kinds.base import condition, metadata, signed
from sandbox.cluster.resources import Obj

RELEASER = "argocd-controller"
REVISION = "deployment.kubernetes.io/revision"


def progressing(
    deployment_name: str, app: App, at: datetime, reason: str = "NewReplicaSetAvailable"
) -> Obj:
    """A Deployment's Progressing condition, in the controller's words."""
    replica_set = f"{deployment_name}-{app.hash}"
    words = {
        "NewReplicaSetAvailable": f'ReplicaSet "{replica_set}" has successfully progressed.',
        "ReplicaSetUpdated": f'ReplicaSet "{replica_set}" is progressing.',
        "ProgressDeadlineExceeded": f'ReplicaSet "{replica_set}" has timed out progressing.',
    }
    is_fine = reason != "ProgressDeadlineExceeded"
    return condition(
        "Progressing", str(is_fine), at, reason, words[reason], time_field="lastUpdateTime"
    )


def deployment(
    app: App,
    replicas: int,
    created: datetime,
    revision: int,
    progress: Obj,
    *,
    released: datetime,
    deadline_seconds: int = 600,
) -> Obj:
    """A Deployment at its newest revision, which came at `released`."""
    made: Obj = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(
            "Deployment",
            app.name,
            created,
            namespace=app.namespace,
            labels=app.all_labels,
            annotations={
                REVISION: str(revision),
                "kubernetes.io/change-cause": f"release {app.image.rpartition(':')[2]}",
            },
            generation=revision,
        ),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": app.selector},
            "template": app.template(),
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"},
            },
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": deadline_seconds,
        },
        "status": {"observedGeneration": revision, "conditions": [progress]},
    }
    return signed(
        signed(made, (RELEASER, released)),
        ("kube-controller-manager", released),
        subresource="status",
    )


def replica_set(app: App, owner: Obj, revision: int, replicas: int, created: datetime) -> Obj:
    """The ReplicaSet of one revision of a Deployment."""
    labels = {**app.all_labels, "pod-template-hash": app.hash}
    desired = owner["spec"]["replicas"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": metadata(
            "ReplicaSet",
            f"{app.name}-{app.hash}",
            created,
            namespace=app.namespace,
            labels=labels,
            annotations={
                "deployment.kubernetes.io/desired-replicas": str(desired),
                "deployment.kubernetes.io/max-replicas": str(desired + 1),
                REVISION: str(revision),
                "kubernetes.io/change-cause": f"release {app.image.rpartition(':')[2]}",
            },
            owner=owner,
            generation=1,
        ),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {**app.selector, "pod-template-hash": app.hash}},
            "template": app.template({"pod-template-hash": app.hash}),
        },
        "status": {"replicas": replicas, "observedGeneration": 1},
    }


def stateful_set(
    app: App, replicas: int, created: datetime, *, storage_class: str = "", size: str = ""
) -> Obj:
    """A StatefulSet, with one claim "data" a pod when a size is given."""
    spec: Obj = {
        "replicas": replicas,
        "selector": {"matchLabels": app.selector},
        "template": app.template(),
        "serviceName": app.name,
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "revisionHistoryLimit": 10,
    }
    if size:
        spec["volumeClaimTemplates"] = [
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": "data"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": size}},
                    "storageClassName": storage_class,
                    "volumeMode": "Filesystem",
                },
                "status": {"phase": "Pending"},
            }
        ]
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata(
            "StatefulSet",
            app.name,
            created,
            namespace=app.namespace,
            labels=app.all_labels,
            generation=1,
        ),
        "spec": spec,
        "status": {"observedGeneration": 1, "replicas": replicas},
    }


def controller_revision(app: App, owner: Obj, revision: int, created: datetime) -> Obj:
    """A pod template that a StatefulSet or DaemonSet has or had."""
    name = f"{app.name}-{app.hash}"
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": metadata(
            "ControllerRevision",
            name,
            created,
            namespace=app.namespace,
            labels={**app.all_labels, "controller-revision-hash": app.hash},
            owner=owner,
        ),
        "data": {"spec": {"template": {**app.template(), "$patch": "replace"}}},
        "revision": revision,
    }


def daemon_set(app: App, created: datetime) -> Obj:
    """A DaemonSet on every node."""
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": metadata(
            "DaemonSet",
            app.name,
            created,
            namespace=app.namespace,
            labels=app.all_labels,
            generation=1,
        ),
        "spec": {
            "selector": {"matchLabels": app.selector},
            "template": app.template(),
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
            },
            "revisionHistoryLimit": 10,
        },
        "status": {
            "observedGeneration": 1,
            "currentNumberScheduled": 0,
            "desiredNumberScheduled": 0,
            "numberMisscheduled": 0,
            "numberReady": 0,
        },
    }

"""Autoscalers and disruption budgets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sandbox.cluster.kinds.apps import App
from sandbox.cluster.kinds.base import metadata
from sandbox.cluster.resources import Obj


def horizontal_pod_autoscaler(
    target: Obj,
    minimum: int,
    maximum: int,
    created: datetime,
    *,
    metric: Obj,
    current: Obj | None,
    conditions: Sequence[Obj],
) -> Obj:
    """An autoscaler of a Deployment, by one metric."""
    name, namespace = target["metadata"]["name"], target["metadata"]["namespace"]
    replicas = target["spec"]["replicas"]
    status: Obj = {
        "currentReplicas": replicas,
        "desiredReplicas": replicas if current else 0,
        "conditions": list(conditions),
        "currentMetrics": [current] if current else None,
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata("HorizontalPodAutoscaler", name, created, namespace=namespace),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": minimum,
            "maxReplicas": maximum,
            "metrics": [metric],
        },
        "status": status,
    }


def disruption_budget(app: App, minimum: int, created: datetime) -> Obj:
    """A PodDisruptionBudget; its counts are filled in by `settling`."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(
            "PodDisruptionBudget",
            app.name,
            created,
            namespace=app.namespace,
            labels=app.all_labels,
            generation=1,
        ),
        "spec": {"minAvailable": minimum, "selector": {"matchLabels": app.selector}},
        "status": {},
    }

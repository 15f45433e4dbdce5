"""Old API versions are shown in those of today."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.cluster.versions import as_served


def obj(api_version: str, kind: str, **more: Any) -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "shop", **more.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


@pytest.mark.parametrize(
    ("old", "kind", "new"),
    [
        ("extensions/v1beta1", "Deployment", "apps/v1"),
        ("batch/v1beta1", "CronJob", "batch/v1"),
        ("policy/v1beta1", "PodDisruptionBudget", "policy/v1"),
        ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "autoscaling/v2"),
        ("apps/v1", "Deployment", "apps/v1"),
        ("example.com/v1", "Deployment", "example.com/v1"),
        ("example.com/v1", "Certificate", "example.com/v1"),
    ],
)
def test_a_kind_is_served_in_one_version(old: str, kind: str, new: str) -> None:
    assert as_served([obj(old, kind)])[0]["apiVersion"] == new


def test_an_autoscaler_of_v1_gets_its_conditions_and_its_metric() -> None:
    conditions = [{"type": "ScalingActive", "status": "False"}]
    annotations = {"autoscaling.alpha.kubernetes.io/conditions": json.dumps(conditions)}
    (served,) = as_served(
        [
            obj(
                "autoscaling/v1",
                "HorizontalPodAutoscaler",
                metadata={"annotations": annotations},
                spec={"targetCPUUtilizationPercentage": 70},
            )
        ]
    )
    assert served["status"]["conditions"] == conditions
    assert served["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70


def test_an_old_ingress_leads_to_its_services() -> None:
    backend = {"serviceName": "web", "servicePort": 80}
    named = {"serviceName": "api", "servicePort": "http"}
    spec = {"backend": backend, "rules": [{"http": {"paths": [{"backend": named}]}}, {"host": "b"}]}
    (served,) = as_served([obj("extensions/v1beta1", "Ingress", spec=spec)])
    assert served["apiVersion"] == "networking.k8s.io/v1"
    assert served["spec"]["defaultBackend"]["service"] == {"name": "web", "port": {"number": 80}}
    (path,) = served["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": "api", "port": {"name": "http"}}


def test_lone_endpoints_get_a_slice() -> None:
    subsets = [{"addresses": [{"ip": "10.0.0.1"}], "notReadyAddresses": [{"ip": "10.0.0.2"}]}]
    endpoints = obj("v1", "Endpoints", subsets=subsets)
    _, piece = as_served([endpoints])
    assert piece["metadata"]["labels"] == {"kubernetes.io/service-name": "a"}
    assert [each["conditions"]["ready"] for each in piece["endpoints"]] == [True, False]
    assert as_served([endpoints, piece]) == [endpoints, piece]


def test_events_are_where_their_object_is() -> None:
    pod = obj("v1", "Pod", metadata={"uid": "u-1"})
    about = {"kind": "Pod", "namespace": "before", "name": "a", "uid": "u-1"}
    gone = {"kind": "Pod", "namespace": "before", "name": "b", "uid": "u-2"}
    other = {"kind": "Pod", "namespace": "other", "name": "c", "uid": "u-3"}
    events = [obj("v1", "Event", involvedObject=each) for each in (about, gone, other)]
    _, *moved = as_served([pod, *events])
    assert [each["involvedObject"]["namespace"] for each in moved] == ["shop", "shop", "other"]
    node = obj("v1", "Node", metadata={"uid": "n-1"})
    del node["metadata"]["namespace"]
    of_node = {"kind": "Node", "namespace": "default", "name": "n", "uid": "n-1"}
    event = obj("v1", "Event", involvedObject=of_node)
    assert as_served([node, event]) == [node, event]

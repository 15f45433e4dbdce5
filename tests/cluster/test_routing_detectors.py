"""Rules about what leads to Services: Ingresses, routes, admission webhooks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cluster.detectors.table import DETECTORS
from cluster.gateway_objects import Gateway, IngressClass
from cluster.network_objects import Service
from cluster.objects import KubeObject
from cluster.thresholds import Thresholds
from core.findings import Finding, Severity
from tests.cluster.payloads import (
    NOW,
    condition,
    container_status,
    endpoint_slice,
    evidence,
    found_by,
    ingress,
    meta,
    pod,
    running,
    service,
    snapshot,
)


def found_without(name: str, struct: type[KubeObject], *objects: dict[str, Any]) -> list[Finding]:
    """What a detector finds where a kind could not be read."""
    state = snapshot(*objects)
    blind = replace(state, unread=state.unread | {struct})
    return list(DETECTORS[name](blind, NOW, Thresholds()))


class TestIngress:
    def test_a_missing_backend_is_told(self) -> None:
        (finding,) = found_by("ingress", ingress("gone"))
        assert finding.problem == "ingress-backend"
        assert "Service gone does not exist" in finding.title

    def test_a_missing_port_is_told(self) -> None:
        objects: list[Any] = [service("frontend"), endpoint_slice("frontend", [True])]
        (finding,) = found_by("ingress", *objects, ingress(port={"number": 8080}))
        assert "no port 8080" in finding.title
        (finding,) = found_by("ingress", *objects, ingress(port={"name": "grpc"}))
        assert "no port grpc" in finding.title

    def test_backends_that_are_there_are_fine(self) -> None:
        objects: list[Any] = [service("frontend"), endpoint_slice("frontend", [True])]
        assert found_by("ingress", *objects, ingress(port={"name": "http"})) == []
        assert found_by("ingress", *objects, ingress()) == []
        outside = service("frontend", {}, type="ExternalName", ports=[])
        assert found_by("ingress", outside, ingress()) == []

    def test_the_default_backend_counts_and_resources_do_not(self) -> None:
        bare = ingress()
        bare["spec"] = {
            "defaultBackend": {"service": {"name": "gone", "port": {"number": 80}}},
            "rules": [{"host": "a"}, {"http": {"paths": [{"backend": {"resource": {}}}]}}],
        }
        assert len(found_by("ingress", bare)) == 1

    def test_a_class_that_is_not_there_is_told(self) -> None:
        classy = ingress()
        classy["spec"]["ingressClassName"] = "nginx"
        there = {"kind": "IngressClass", "metadata": meta("nginx", "")}
        (finding,) = found_by("ingress", service("frontend"), classy)
        assert finding.reason == "ClassMissing"
        assert evidence(finding) == {"spec.ingressClassName": "class nginx does not exist"}
        assert found_by("ingress", service("frontend"), classy, there) == []
        assert found_without("ingress", IngressClass, service("frontend"), classy) == []

    def test_a_certificate_is_missed_only_where_secrets_are_read(self) -> None:
        secure = ingress()
        secure["spec"]["tls"] = [{"secretName": "shop-tls"}, {}]
        other = {"kind": "Secret", "metadata": meta("other-tls"), "data": {"tls.crt": ""}}
        there = {"kind": "Secret", "metadata": meta("shop-tls"), "data": {"tls.crt": ""}}
        assert found_by("ingress", service("frontend"), secure) == []
        (finding,) = found_by("ingress", service("frontend"), secure, other)
        assert finding.problem == "ingress-tls"
        assert "TLS Secret shop-tls" in finding.title
        assert found_by("ingress", service("frontend"), secure, there) == []

    def test_a_new_one_gets_its_hold(self) -> None:
        fresh = ingress("gone")
        fresh["metadata"]["creationTimestamp"] = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
        assert found_by("ingress", fresh) == []

    def test_nothing_is_said_missing_where_services_were_not_read(self) -> None:
        assert found_without("ingress", Service, ingress("gone")) == []


def gateway(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "Gateway",
        "metadata": meta("edge"),
        "spec": {"gatewayClassName": "envoy"},
        "status": {"conditions": list(conditions)},
    }


def route(backend: dict[str, Any], *conditions: dict[str, Any], **parent: str) -> dict[str, Any]:
    reference = {"name": "edge", **parent}
    return {
        "kind": "HTTPRoute",
        "metadata": meta("shop"),
        "spec": {"parentRefs": [reference], "rules": [{"backendRefs": [backend]}, {}]},
        "status": {"parents": [{"parentRef": reference, "conditions": list(conditions)}]},
    }


class TestGateways:
    @pytest.mark.parametrize("kind", ["Accepted", "Programmed"])
    def test_a_gateway_that_does_not_work_says_why(self, kind: str) -> None:
        bad = condition(kind, "False", "AddressNotAssigned", "no address")
        (finding,) = found_by("gateways", gateway(bad))
        assert finding.severity is Severity.HIGH
        assert finding.title == f"edge: Gateway is not {kind.lower()}, no address"
        assert evidence(finding)["spec.gatewayClassName"] == "envoy"

    def test_waits_and_is_silent_on_what_works(self) -> None:
        fresh = condition("Programmed", "False", since=1)
        assert found_by("gateways", gateway(fresh)) == []
        assert found_by("gateways", gateway(condition("Programmed", "True"))) == []

    def test_a_route_without_parent_backend_or_port_is_told(self) -> None:
        web = service("web")
        (finding,) = found_by("gateways", web, route({"name": "web", "port": 80}))
        assert finding.reason == "ParentMissing"
        assert "Gateway shop/edge does not exist" in finding.title
        (finding,) = found_by("gateways", gateway(), route({"name": "web"}))
        assert "backend Service shop/web does not exist" in finding.title
        (finding,) = found_by("gateways", gateway(), web, route({"name": "web", "port": 81}))
        assert "has no port 81" in finding.title

    def test_a_route_that_leads_somewhere_is_fine(self) -> None:
        web, edge = service("web"), gateway()
        assert found_by("gateways", web, edge, route({"name": "web", "port": 80})) == []
        assert found_by("gateways", edge, route({"kind": "Bucket", "name": "b"})) == []
        assert found_by("gateways", edge, route({"group": "x.io", "name": "b"})) == []
        assert found_by("gateways", web, route({"name": "web"}, kind="Service")) == []

    def test_what_a_parent_has_against_a_route_is_told_where_all_is_there(self) -> None:
        bad = condition("Accepted", "False", "NotAllowedByListeners", "namespace not allowed")
        objects = [service("web"), gateway()]
        (finding,) = found_by("gateways", *objects, route({"name": "web"}, bad))
        assert finding.reason == "NotAllowedByListeners"
        assert "refused by edge, namespace not allowed" in finding.title
        (finding,) = found_by("gateways", gateway(), route({"name": "web"}, bad))
        assert finding.reason == "BackendMissing"

    def test_nothing_is_said_missing_of_a_kind_that_was_not_read(self) -> None:
        lost = route({"name": "gone"})
        assert [item.reason for item in found_without("gateways", Gateway, lost)] == [
            "BackendMissing"
        ]
        assert found_without("gateways", Service, gateway(), lost) == []


def webhooks(*hooks: dict[str, Any], kind: str = "Validating") -> dict[str, Any]:
    return {
        "kind": f"{kind}WebhookConfiguration",
        "metadata": meta("policy", ""),
        "webhooks": list(hooks),
    }


def hook(name: str = "check.example.com", policy: str = "Fail", port: int = 80) -> dict[str, Any]:
    place = {"namespace": "shop", "name": "payments", "port": port}
    return {"name": name, "failurePolicy": policy, "clientConfig": {"service": place}}


LABELS = {"app": "payments"}


class TestWebhooks:
    @pytest.mark.parametrize("kind", ["Validating", "Mutating"])
    def test_without_a_service_it_is_critical_where_it_blocks(self, kind: str) -> None:
        (finding,) = found_by("webhooks", webhooks(hook(), kind=kind))
        assert finding.severity is Severity.CRITICAL
        assert finding.problem == "webhook-down"
        assert "Service payments does not exist" in finding.title
        assert evidence(finding)["clientConfig.service"] == "shop/payments"
        (finding,) = found_by("webhooks", webhooks(hook(policy="Ignore")))
        assert finding.severity is Severity.MEDIUM

    def test_without_a_ready_pod_it_is_down(self) -> None:
        (finding,) = found_by("webhooks", webhooks(hook()), service())
        assert "selects no pod" in finding.title
        unready = pod("payments-1", container_status(running()), labels=LABELS)
        (finding,) = found_by("webhooks", webhooks(hook()), service(), unready)
        assert "no pod is ready (payments-1)" in finding.title
        (finding,) = found_by("webhooks", webhooks(hook(port=444)), service(), unready)
        assert "has no port 444" in finding.title

    def test_waits_while_its_pods_have_just_stopped_being_ready(self) -> None:
        fresh = pod("payments-1", container_status(running()), labels=LABELS, unready_since=1)
        assert found_by("webhooks", webhooks(hook()), service(), fresh) == []

    def test_one_that_answers_or_is_elsewhere_is_fine(self) -> None:
        ready = pod("payments-1", container_status(running()), labels=LABELS, ready=True)
        outside = {"name": "a", "clientConfig": {"url": "https://policy.example.com"}}
        assert found_by("webhooks", webhooks(hook(), outside), service(), ready) == []
        assert found_by("webhooks", webhooks(hook()), service(selector={})) == []
        assert found_without("webhooks", Service, webhooks(hook())) == []

    def test_the_one_that_blocks_is_told_of_several(self) -> None:
        both = webhooks(hook("a", policy="Ignore"), hook("b"))
        (finding,) = found_by("webhooks", both)
        assert "webhook b is down" in finding.title

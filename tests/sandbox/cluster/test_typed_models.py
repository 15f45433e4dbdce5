"""The real client's typed models refuse incomplete objects: every kind must deserialise."""

from __future__ import annotations

import re
from typing import Any

import pytest
from kubernetes_asyncio import client

from sandbox.cluster.recorded import RecordedCluster

LISTS = [
    ("CoreV1Api", "list_pod_for_all_namespaces", 51),
    ("CoreV1Api", "list_service_for_all_namespaces", 18),
    ("CoreV1Api", "list_node", 5),
    ("CoreV1Api", "list_namespace", 8),
    ("CoreV1Api", "list_event_for_all_namespaces", 37),
    ("CoreV1Api", "list_persistent_volume_claim_for_all_namespaces", 9),
    ("CoreV1Api", "list_persistent_volume", 8),
    ("CoreV1Api", "list_config_map_for_all_namespaces", 17),
    ("CoreV1Api", "list_endpoints_for_all_namespaces", 17),
    ("CoreV1Api", "list_replication_controller_for_all_namespaces", 0),
    ("CoreV1Api", "list_resource_quota_for_all_namespaces", 2),
    ("CoreV1Api", "list_limit_range_for_all_namespaces", 1),
    ("CoreV1Api", "list_service_account_for_all_namespaces", 28),
    ("AppsV1Api", "list_deployment_for_all_namespaces", 14),
    ("AppsV1Api", "list_replica_set_for_all_namespaces", 19),
    ("AppsV1Api", "list_stateful_set_for_all_namespaces", 5),
    ("AppsV1Api", "list_daemon_set_for_all_namespaces", 1),
    ("AppsV1Api", "list_controller_revision_for_all_namespaces", 7),
    ("BatchV1Api", "list_job_for_all_namespaces", 4),
    ("BatchV1Api", "list_cron_job_for_all_namespaces", 3),
    ("AutoscalingV2Api", "list_horizontal_pod_autoscaler_for_all_namespaces", 2),
    ("NetworkingV1Api", "list_ingress_for_all_namespaces", 2),
    ("NetworkingV1Api", "list_ingress_class", 1),
    ("DiscoveryV1Api", "list_endpoint_slice_for_all_namespaces", 18),
    ("PolicyV1Api", "list_pod_disruption_budget_for_all_namespaces", 4),
    ("StorageV1Api", "list_storage_class", 2),
    ("AdmissionregistrationV1Api", "list_validating_webhook_configuration", 0),
    ("AdmissionregistrationV1Api", "list_mutating_webhook_configuration", 0),
]


async def listed(api: client.ApiClient, group: str, call: str, **more: Any) -> Any:
    return await getattr(getattr(client, group)(api), call)(**more)


@pytest.mark.parametrize(("group", "call", "count"), LISTS)
async def test_every_object_deserialises_with_the_real_models(
    api: client.ApiClient, group: str, call: str, count: int
) -> None:
    answer = await listed(api, group, call)
    assert len(answer.items) == count
    assert re.fullmatch(r"\d+", answer.metadata.resource_version)
    for each in answer.items:
        assert each.metadata.uid
        assert each.metadata.creation_timestamp.tzinfo is not None
        assert int(each.metadata.resource_version) > 184_200


async def test_every_object_still_deserialises_after_all_that_happens(
    api: client.ApiClient, world: RecordedCluster
) -> None:
    world.advance(2_400)
    for group, call, count in LISTS:
        answer = await listed(api, group, call)
        assert (len(answer.items) > 0) is (count > 0), call


async def test_the_newer_events_carry_what_the_core_view_carries(api: client.ApiClient) -> None:
    # Left raw: the real API sends a null eventTime for older Events, which the model refuses.
    raw = await listed(api, "EventsV1Api", "list_event_for_all_namespaces", _preload_content=False)
    shown = {each["metadata"]["uid"]: each for each in (await raw.json())["items"]}
    core = await listed(api, "CoreV1Api", "list_event_for_all_namespaces")
    assert len(shown) == len(core.items)
    for each in core.items:
        new = shown[each.metadata.uid]
        assert new["note"] == each.message
        assert new["regarding"]["name"] == each.involved_object.name
        assert new.get("deprecatedCount") == each.count
        assert (new["eventTime"] is None) is (each.event_time is None)
        if each.event_time is not None:
            assert each.count is None
            assert each.last_timestamp is None
            assert new["series"]["count"] == each.series.count
            assert each.series.last_observed_time > each.event_time


async def test_both_shapes_of_events_are_there(api: client.ApiClient) -> None:
    events = (await listed(api, "CoreV1Api", "list_event_for_all_namespaces")).items
    older = [each for each in events if each.event_time is None]
    assert all(each.count and each.first_timestamp <= each.last_timestamp for each in older)
    assert {each.reporting_component for each in events if each.series} == {"default-scheduler"}
    assert len(older) < len(events)


async def test_owners_exist_and_lead_to_a_workload(api: client.ApiClient) -> None:
    owners: dict[str, Any] = {}
    for group, call in (
        ("AppsV1Api", "list_replica_set_for_all_namespaces"),
        ("AppsV1Api", "list_stateful_set_for_all_namespaces"),
        ("AppsV1Api", "list_daemon_set_for_all_namespaces"),
        ("AppsV1Api", "list_deployment_for_all_namespaces"),
        ("BatchV1Api", "list_job_for_all_namespaces"),
        ("BatchV1Api", "list_cron_job_for_all_namespaces"),
    ):
        owners |= {each.metadata.uid: each for each in (await listed(api, group, call)).items}
    tops = set()
    for pod in (await listed(api, "CoreV1Api", "list_pod_for_all_namespaces")).items:
        owned = pod
        while owned.metadata.owner_references:
            owned = owners[owned.metadata.owner_references[0].uid]
        tops.add((owned.metadata.namespace, owned.metadata.name))
    assert len(tops) == 14 + 5 + 1 + 2  # One CronJob has lost its pods.


async def test_services_and_slices_agree(api: client.ApiClient) -> None:
    slices = (await listed(api, "DiscoveryV1Api", "list_endpoint_slice_for_all_namespaces")).items
    pods = (await listed(api, "CoreV1Api", "list_pod_for_all_namespaces")).items
    addresses = {pod.status.pod_ip for pod in pods if pod.status.pod_ip}
    for each in slices:
        if each.metadata.namespace != "default":
            assert each.metadata.owner_references[0].kind == "Service"
            assert {endpoint.addresses[0] for endpoint in each.endpoints or ()} <= addresses


async def test_addresses_of_living_pods_are_unique(
    api: client.ApiClient, world: RecordedCluster
) -> None:
    for _ in range(6):
        pods = (await listed(api, "CoreV1Api", "list_pod_for_all_namespaces")).items
        living = [
            pod.status.pod_ip
            for pod in pods
            if pod.status.pod_ip and pod.status.phase in {"Running", "Pending"}
        ]
        assert len(living) == len(set(living))
        world.advance(60)

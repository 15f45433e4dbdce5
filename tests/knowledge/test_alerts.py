"""Alerts and questions told apart; identifiers left out."""

from __future__ import annotations

import pytest

from knowledge.alerts import is_alert, without_identifiers


@pytest.mark.parametrize(
    "text",
    [
        "KubePodCrashLooping: pod shop/cart-0 restarts",
        "KubePodCrashLooping: why is my pod restarting?",
        "Half of the brokers are down.",
        "Disk of 10.1.2.3:9100 will fill up soon",
        "Queue depth is above 90% on cluster prod-eu1",
        "Deployment shop/cart has not matched its replicas for longer than 15 minutes",
        "Certificate is about to expire",
        "Error rate too high",
    ],
)
def test_an_alert_is_known_by_its_name_its_values_or_how_it_tells_a_state(text: str) -> None:
    assert is_alert(text)


@pytest.mark.parametrize(
    "text",
    [
        "Why is shop/cart unhealthy?",
        "how do I drain a node",
        "My pod has been pending for 15 minutes",
        "pods evicted after an upgrade",
        "error: deployment is wrong",
        "Allow more than 10 minutes for shutdown",
        "",
    ],
)
def test_a_person_who_asks_tells_or_wants_is_no_alert(text: str) -> None:
    assert not is_alert(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("pod shop/cart-7d9f8c6b57-x2x4q restarts", "pod cart restarts"),
        ("cart-7d9f8c6b57-x2x4q", "cart"),
        ("10.1.2.3:9100 is 92% full", "is full"),
        ("see https://example.com/a?b=c now", "see now"),
        ("on host-42-prod.example.internal", "on"),
        ("exit code 137 in shop", "exit code 137 in shop"),
    ],
)
def test_what_names_one_instance_is_left_out_and_its_workload_stays(text: str, kept: str) -> None:
    assert " ".join(without_identifiers(text).split()) == kept

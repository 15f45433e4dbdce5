"""The strict reader must find what is wrong, or the chart's tests would prove nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.manifests import problems

SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "a", "labels": {"app": "a"}},
    "spec": {"selector": {"app": "a"}, "ports": [{"name": "http", "port": 80}]},
}


def test_a_manifest_as_it_should_be_has_no_problems() -> None:
    assert problems(SERVICE) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"spec": {"ports": [{"nmae": "http", "port": 80}]}}, "has no field nmae"),
        ({"spec": {"ports": [{"name": "http", "port": "80"}]}}, "is '80', not int"),
        ({"spec": {"ports": [{"name": "http", "port": True}]}}, "is True, not int"),
        ({"spec": {"ports": {"name": "http"}}}, "not a list"),
        ({"spec": {"selector": ["app"]}}, "not a map"),
        ({"spec": "ports"}, "not an object"),
        ({"spec": {"ports": [{"name": "http"}]}}, "`port`, must not be `None`"),
        ({"metadata": {"labels": {"app": 1}}}, "is 1, not str"),
        ({"kind": "Sevice"}, "v1 Sevice is not a kind"),
    ],
)
def test_what_an_api_server_would_refuse_is_found(change: dict[str, Any], problem: str) -> None:
    assert problem in "; ".join(problems(SERVICE | change))

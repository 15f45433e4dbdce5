"""What the account may do is asked of the API server, for all that is read and nothing else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cluster.client import ClusterClient
from cluster.kinds import BY_NAME
from cluster.reach import Reach
from cluster.refusals import ForbiddenError
from cluster.rights import Right, missing_rights, needed_rights
from core.errors import ClusterError
from tests.cluster.api import FakeApi, connected, serving

REVIEWS = "selfsubjectaccessreviews"
PODS = Right("", "", "pods", "list")


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with serving(FakeApi()) as running:
        yield running


@pytest.fixture
async def client(api: FakeApi, tmp_path: Path) -> AsyncIterator[ClusterClient]:
    async with connected(api, tmp_path) as found:
        yield found


def test_the_rights_are_those_of_the_kinds_where_they_are_read() -> None:
    kinds = [BY_NAME["Deployment"], BY_NAME["Node"], BY_NAME["Ingress"]]
    reach = Reach(namespaces=frozenset({"shop", "cart"}), denied_kinds=frozenset({"Ingress"}))
    assert needed_rights(kinds, reach) == [
        Right("", "", "nodes", "list"),
        Right("", "", "nodes", "watch"),
        Right("cart", "", "pods/log", "get"),
        Right("cart", "apps", "deployments", "list"),
        Right("cart", "apps", "deployments", "watch"),
        Right("shop", "", "pods/log", "get"),
        Right("shop", "apps", "deployments", "list"),
        Right("shop", "apps", "deployments", "watch"),
    ]
    assert needed_rights([], Reach()) == [Right("", "", "pods/log", "get")]
    assert str(Right("shop", "", "pods/log", "get")) == "get pods/log in shop"


async def test_only_what_is_refused_is_missing(api: FakeApi, client: ClusterClient) -> None:
    api.answers[REVIEWS] = (201, json.dumps({"status": {"allowed": True}}))
    assert await missing_rights(client, [PODS]) == []
    api.answers[REVIEWS] = (201, json.dumps({"status": {"allowed": False}}))
    assert await missing_rights(client, [PODS]) == [PODS]
    assert {method for method, path, _ in api.requests if path.endswith(REVIEWS)} == {"POST"}


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((403, "{}"), ForbiddenError, "the bot may not create selfsubjectaccessreviews"),
        ((201, "<html>"), ClusterError, "not what a Kubernetes API sends"),
        ((201, "{}"), ClusterError, "not what a Kubernetes API sends"),
    ],
)
async def test_an_answer_that_says_nothing_is_an_error(
    api: FakeApi,
    client: ClusterClient,
    answer: tuple[int, str],
    kind: type[ClusterError],
    words: str,
) -> None:
    api.answers[REVIEWS] = answer
    with pytest.raises(kind, match=words):
        await missing_rights(client, [PODS])

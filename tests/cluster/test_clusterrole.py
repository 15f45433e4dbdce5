"""The rights that the chart's ClusterRole grants are those that are used, and no more."""

from __future__ import annotations

from pathlib import Path

import yaml

from cluster.kinds import HISTORY_KINDS, KINDS

ROLE = Path(__file__).parents[2] / "deploy/helm/opsbot/files/clusterrole.yaml"


def granted() -> dict[tuple[str, str], set[str]]:
    role = yaml.safe_load(ROLE.read_text(encoding="utf-8"))
    return {
        (group, resource): set(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def test_every_kind_that_is_listed_is_granted_and_no_other() -> None:
    used = {(kind.group, kind.plural) for kind in (*KINDS, *HISTORY_KINDS)}
    assert granted().keys() == used | {("", "pods/log")}


def test_nothing_can_be_written_and_no_secret_read() -> None:
    assert set().union(*granted().values()) == {"get", "list", "watch"}
    assert not [resource for _, resource in granted() if "secret" in resource]

"""The Helm chart, rendered by the real helm and read as strictly as an API server does."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from bot.config_file import FileConfig
from bot.monitoring import reach_of
from bot.settings import SECRET_SETTINGS, Settings
from cluster.kinds import HISTORY_KINDS, KINDS, TLS_SECRETS, Kind
from tests.deploy.chart import CHART, RefusedError, helm, kinds, one, render
from tests.deploy.manifests import problems

SLACK = {"existingSecret": "opsbot-slack"}
SERVERS = {"settings": {"QDRANT_URL": "http://qdrant.qdrant:6333"}, "postgresql": True}
PAIR = SLACK | SERVERS | {"replicaCount": 2}
NAMESPACED = SLACK | {"rbac": {"namespaces": ["shop", "trading"]}}
RULES = (CHART.parents[1] / "monitoring" / "rules.yaml").read_text(encoding="utf-8")
EVERYTHING: dict[str, Any] = {
    "secrets": {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s", "LLM_API_KEY": "k"},
    "settings": {
        "SLACK_MODE": "http",
        "DIGEST_CHANNEL": "#ops",
        "LLM_CONTEXT_TOKENS": 1_048_576,
        "DIGEST_CHART": False,
        "OLLAMA_BASE_URL": "http://ollama.ollama:11434",
        "LOKI_URL": "https://loki.example.com/path",
        "PROMETHEUS_URL": "http://prometheus",
    },
    "config": {"thresholds": {"restarts": 5}, "denied_kinds": ["Ingress"]},
    "rbac": {"tlsSecrets": True},
    "imagePullSecrets": [{"name": "registry"}],
    "serviceAccount": {"annotations": {"a": "b"}},
    "kubeconfigSecret": "clusters",
    "persistence": {"storageClass": "fast", "size": "20Gi"},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "host": "opsbot.example.com",
        "tlsSecret": "opsbot-tls",
        "annotations": {"a": "b"},
    },
    "networkPolicy": {
        "ingressFrom": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}],
        "extraEgress": [{"ports": [{"port": 7687, "protocol": "TCP"}]}],
    },
    "monitoring": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "rules": RULES,
        "rulesLabels": {"release": "prometheus"},
    },
    "podAnnotations": {"a": "b"},
    "podLabels": {"a": "b"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "extraVolumes": [{"name": "runbooks", "configMap": {"name": "runbooks"}}],
    "extraVolumeMounts": [{"name": "runbooks", "mountPath": "/runbooks", "readOnly": True}],
}
OURS = {"ServiceMonitor", "PrometheusRule"}  # the Prometheus operator's kinds, not Kubernetes' own


def pod_of(values: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = one(render(values), "Deployment")["spec"]["template"]["spec"]
    return spec


def environment(values: dict[str, Any]) -> dict[str, str]:
    return {row["name"]: row["value"] for row in pod_of(values)["containers"][0]["env"]}


def granted(role: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    return {
        (group, resource): rule["verbs"]
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def right(kind: Kind) -> tuple[str, str]:
    return kind.group, kind.plural


@pytest.mark.parametrize("values", [SLACK, PAIR, NAMESPACED, EVERYTHING])
def test_kubernetes_knows_every_field_of_every_manifest(values: dict[str, Any]) -> None:
    manifests = render(values)
    found = [row for one in manifests if one["kind"] not in OURS for row in problems(one)]
    assert found == []
    names = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"])
             for one in manifests]  # fmt: skip
    assert len(names) == len(set(names))


def test_helm_itself_finds_nothing_to_complain_of() -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART), values=SLACK)


def test_the_cluster_role_grants_what_is_read_and_nothing_else() -> None:
    rights = granted(one(render(SLACK), "ClusterRole"))
    assert rights.keys() == {right(kind) for kind in (*KINDS, *HISTORY_KINDS)} | {("", "pods/log")}
    assert {verb for verbs in rights.values() for verb in verbs} == {"get", "list", "watch"}


def test_secrets_are_granted_only_with_the_check_of_certificates() -> None:
    assert right(TLS_SECRETS) not in granted(one(render(SLACK), "ClusterRole"))
    assert "KUBE_TLS_SECRETS" not in environment(SLACK)
    assert right(TLS_SECRETS) in granted(one(render(EVERYTHING), "ClusterRole"))
    assert environment(EVERYTHING)["KUBE_TLS_SECRETS"] == "true"


def test_roles_in_namespaces_grant_what_lives_there_and_the_bot_asks_for_no_more() -> None:
    manifests = render(NAMESPACED)
    roles = [row for row in manifests if row["kind"] == "Role"]
    assert [role["metadata"]["namespace"] for role in roles] == ["shop", "trading"]
    assert not {"ClusterRole", "ClusterRoleBinding"} & set(kinds(manifests))
    config = FileConfig.model_validate(
        yaml.safe_load(one(manifests, "ConfigMap")["data"]["opsbot.yaml"])
    )
    (cluster,) = config.clusters
    reach = reach_of(cluster, config)
    assert reach.namespaces == {"shop", "trading"}
    asked = {right(kind) for kind in (*KINDS, *HISTORY_KINDS) if reach.allows_kind(kind)}
    assert all(kind.is_namespaced for kind in KINDS if reach.allows_kind(kind))
    for role in roles:
        assert granted(role).keys() == asked | {("", "pods/log")}


def test_clusters_of_ones_own_are_left_alone_and_denied_kinds_are_added_to() -> None:
    own = {"clusters": [{"name": "prod", "namespaces": ["shop"]}], "denied_kinds": ["Ingress"]}
    manifests = render(NAMESPACED | {"config": own})
    config = yaml.safe_load(one(manifests, "ConfigMap")["data"]["opsbot.yaml"])
    assert config["clusters"] == own["clusters"]
    assert {"Ingress", "Node"} < set(config["denied_kinds"])


@pytest.mark.parametrize("values", [SLACK, PAIR, NAMESPACED, EVERYTHING])
def test_every_name_in_the_environment_is_a_setting(values: dict[str, Any]) -> None:
    known = {name.upper() for name in Settings.model_fields}
    assert environment(values).keys() <= known


def test_numbers_and_flags_reach_the_bot_as_it_reads_them() -> None:
    found = environment(EVERYTHING)
    assert found["LLM_CONTEXT_TOKENS"] == "1048576"
    assert found["DIGEST_CHART"] == "false"
    assert not found.keys() & SECRET_SETTINGS


def test_the_pod_may_do_nothing_but_read() -> None:
    pod = pod_of(SLACK)
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    written = {row["mountPath"] for row in container["volumeMounts"] if not row.get("readOnly")}
    assert written == {"/var/lib/opsbot", "/tmp"}
    assert environment(SLACK)["OPSBOT_DATA_DIR"].startswith("/var/lib/opsbot/")


def test_the_probes_ask_the_port_of_metrics_and_health() -> None:
    (container,) = pod_of(SLACK)["containers"]
    ports = {row["name"]: str(row["containerPort"]) for row in container["ports"]}
    assert environment(SLACK)["METRICS_PORT"] == ports["metrics"]
    asked = {
        name: (container[name]["httpGet"]["path"], container[name]["httpGet"]["port"])
        for name in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert asked == {
        "startupProbe": ("/healthz", "metrics"),
        "livenessProbe": ("/healthz", "metrics"),
        "readinessProbe": ("/readyz", "metrics"),
    }


def test_one_replica_keeps_its_data_and_is_never_doubled() -> None:
    manifests = render(SLACK)
    claim = one(manifests, "PersistentVolumeClaim")
    deployment = one(manifests, "Deployment")
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    (data,) = [row for row in pod_of(SLACK)["volumes"] if row["name"] == "data"]
    assert data["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert "PodDisruptionBudget" not in kinds(manifests)
    own = SLACK | {"persistence": {"existingClaim": "mine"}}
    assert "PersistentVolumeClaim" not in kinds(render(own))
    (data,) = [row for row in pod_of(own)["volumes"] if row["name"] == "data"]
    assert data["persistentVolumeClaim"]["claimName"] == "mine"
    forgetful = SLACK | {"persistence": {"enabled": False}}
    assert one(render(forgetful), "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    assert {"name": "data", "emptyDir": {}} in pod_of(forgetful)["volumes"]


def test_two_replicas_share_servers_and_are_spread_and_budgeted() -> None:
    manifests = render(PAIR)
    assert "PersistentVolumeClaim" not in kinds(manifests)
    assert one(manifests, "Deployment")["spec"]["strategy"]["type"] == "RollingUpdate"
    assert one(manifests, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert pod_of(PAIR)["topologySpreadConstraints"]


def test_the_secret_is_the_named_one_or_made_of_the_given_values() -> None:
    assert pod_of(SLACK)["containers"][0]["envFrom"] == [{"secretRef": {"name": "opsbot-slack"}}]
    assert "Secret" not in kinds(render(SLACK))
    made = one(render(EVERYTHING), "Secret")
    assert made["stringData"] == EVERYTHING["secrets"]
    envs = pod_of(EVERYTHING)["containers"][0]["envFrom"]
    assert envs == [{"secretRef": {"name": made["metadata"]["name"]}}]


def test_only_the_ports_that_are_used_are_open() -> None:
    def ports(values: dict[str, Any]) -> tuple[list[Any], set[int]]:
        spec = one(render(values), "NetworkPolicy")["spec"]
        inward = [row["port"] for rule in spec["ingress"] for row in rule["ports"]]
        return inward, {row["port"] for row in spec["egress"][0]["ports"]}

    assert ports(SLACK) == (["metrics"], {53, 443, 6443})
    assert ports(PAIR) == (["metrics"], {53, 443, 6443, 6333, 5432})
    assert ports(EVERYTHING) == (["metrics", "http"], {53, 443, 6443, 11434, 80})
    assert "NetworkPolicy" not in kinds(render(SLACK | {"networkPolicy": {"enabled": False}}))


def test_services_and_policies_select_the_pods() -> None:
    for values in (SLACK, PAIR, EVERYTHING):
        manifests = render(values)
        labels = one(manifests, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
        selectors = [one(manifests, "Service")["spec"]["selector"],
                     one(manifests, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
                     one(manifests, "Deployment")["spec"]["selector"]["matchLabels"]]  # fmt: skip
        assert all(selector.items() <= labels for selector in selectors)


def test_slack_over_http_reaches_the_bots_port() -> None:
    manifests = render(EVERYTHING)
    (path,) = one(manifests, "Ingress")["spec"]["rules"][0]["http"]["paths"]
    service = one(manifests, "Service")
    assert path["path"] == "/slack/events"
    assert path["backend"]["service"]["name"] == service["metadata"]["name"]
    assert "http" in {row["name"] for row in service["spec"]["ports"]}


def test_the_prometheus_operator_gets_the_metrics_and_the_given_rules() -> None:
    manifests = render(EVERYTHING)
    monitor = one(manifests, "ServiceMonitor")
    (endpoint,) = monitor["spec"]["endpoints"]
    service = one(manifests, "Service")
    assert endpoint["port"] in {row["name"] for row in service["spec"]["ports"]}
    assert (
        monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    )
    assert one(manifests, "PrometheusRule")["spec"] == yaml.safe_load(RULES)
    assert not OURS & set(kinds(render(SLACK)))


def test_a_change_of_the_configuration_starts_new_pods() -> None:
    def marks(values: dict[str, Any]) -> dict[str, str]:
        template = one(render(values), "Deployment")["spec"]["template"]
        found: dict[str, str] = template["metadata"]["annotations"]
        return found

    other = EVERYTHING | {"config": {"thresholds": {"restarts": 6}}}
    assert marks(EVERYTHING)["checksum/config"] != marks(other)["checksum/config"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "There is no Slack token"),
        (SLACK | {"replicaCount": 2}, "set settings.QDRANT_URL to a Qdrant server"),
        (SLACK | {"replicaCount": 2, "settings": SERVERS["settings"]}, "postgresql: true"),
        (SLACK | {"secrets": {"SLACK_BOT_TOKEN": "x"}}, "are both set"),
        ({"secrets": {"SLACK_BOT_TOKEN": "x"}} | SERVERS, "does not begin with postgresql"),
        (SLACK | {"ingress": {"enabled": True, "host": "a"}}, "needs a port to lead to"),
        (
            SLACK | {"http": {"enabled": True}, "ingress": {"enabled": True}},
            "ingress.host is needed",
        ),
        (SLACK | {"settings": {"DIGEST_CHANEL": "#ops"}}, "invalid propertyName 'DIGEST_CHANEL'"),
        (SLACK | {"settings": {"LLM_API_KEY": "k"}}, "invalid propertyName 'LLM_API_KEY'"),
        (SLACK | {"replicas": 2}, "additional properties 'replicas' not allowed"),
    ],
)
def test_what_cannot_work_is_refused_with_a_reason(values: dict[str, Any], why: str) -> None:
    with pytest.raises(RefusedError) as caught:
        render(values)
    assert why in str(caught.value)


def test_every_value_has_a_default_and_a_place_in_the_schema() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = yaml.safe_load((CHART / "values.schema.json").read_text(encoding="utf-8"))
    assert schema["properties"].keys() == values.keys() | {"global"}

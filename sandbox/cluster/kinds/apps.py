"""What runs: an application's containers and how its pods are made, before any pod exists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sandbox.cluster.kinds.base import suffix
from sandbox.cluster.resources import Obj

REGISTRY = "registry.example.com"


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod template. Quantities as Kubernetes writes them, '' for none.

    Attributes:
        readiness: A probe's action: "http:/path", "exec:command" or '' for no probe.
        liveness: The same.
        env: Pairs of name and value; a value "config:NAME/KEY" or "secret:NAME/KEY" is a reference.
        env_from: ConfigMaps that are read in full.
        mounts: Pairs of volume name and path.
    """

    name: str
    image: str
    port: int = 0
    cpu_request: str = "100m"
    memory_request: str = "128Mi"
    cpu_limit: str = ""
    memory_limit: str = ""
    readiness: str = ""
    liveness: str = ""
    timeout_seconds: int = 1
    env: tuple[tuple[str, str], ...] = ()
    env_from: tuple[str, ...] = ()
    mounts: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()

    def spec(self) -> Obj:
        """The container as a pod's spec has it."""
        resources: Obj = {"requests": _quantities(self.cpu_request, self.memory_request)}
        limits = _quantities(self.cpu_limit, self.memory_limit)
        if limits:
            resources["limits"] = limits
        made: Obj = {
            "name": self.name,
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "resources": resources,
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "runAsNonRoot": True,
            },
        }
        if self.command:
            made["command"] = list(self.command)
        if self.port:
            made["ports"] = [{"name": "main", "containerPort": self.port, "protocol": "TCP"}]
        if self.env:
            made["env"] = [_env(name, value) for name, value in self.env]
        if self.env_from:
            made["envFrom"] = [{"configMapRef": {"name": name}} for name in self.env_from]
        for kind, action in (("readinessProbe", self.readiness), ("livenessProbe", self.liveness)):
            if action:
                made[kind] = _probe(action, self.port, self.timeout_seconds)
        made["volumeMounts"] = [{"name": name, "mountPath": path} for name, path in self.mounts]
        return made


@dataclass(frozen=True, slots=True)
class App:
    """An application: labels, containers, volumes; the same for whatever kind runs it."""

    namespace: str
    name: str
    team: str
    containers: tuple[Container, ...]
    init_containers: tuple[Container, ...] = ()
    volumes: tuple[dict[str, Any], ...] = ()
    tolerations: tuple[dict[str, Any], ...] = ()
    restart_policy: str = "Always"
    pull_secret: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def selector(self) -> dict[str, str]:
        """The labels that find its pods."""
        return {"app": self.name}

    @property
    def all_labels(self) -> dict[str, str]:
        """Labels of the workload and its pods."""
        return {
            "app": self.name,
            "app.kubernetes.io/name": self.name,
            "app.kubernetes.io/part-of": (
                "stocktraderx" if self.namespace == "trading" else "fenwick-goods"
            ),
            "team": self.team,
            **dict(self.labels),
        }

    @property
    def image(self) -> str:
        """The main container's image."""
        return self.containers[0].image

    @property
    def hash(self) -> str:
        """The pod template's hash: another image is another ReplicaSet."""
        return suffix("template", self.namespace, self.name, self.image, length=9)

    def with_tag(self, tag: str) -> App:
        """The same application with another tag of its main image."""
        first, *others = self.containers
        image = f"{first.image.rpartition(':')[0]}:{tag}"
        return replace(self, containers=(replace(first, image=image), *others))

    def pod_spec(self) -> Obj:
        """The pod template's spec."""
        spec: Obj = {
            "containers": [container.spec() for container in self.containers],
            "restartPolicy": self.restart_policy,
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "serviceAccountName": self.name,
            "serviceAccount": self.name,
            "securityContext": {"runAsNonRoot": True, "fsGroup": 2000},
            "schedulerName": "default-scheduler",
        }
        if self.init_containers:
            spec["initContainers"] = [container.spec() for container in self.init_containers]
        if self.volumes:
            spec["volumes"] = [dict(volume) for volume in self.volumes]
        if self.tolerations:
            spec["tolerations"] = [dict(toleration) for toleration in self.tolerations]
        if self.pull_secret:
            spec["imagePullSecrets"] = [{"name": self.pull_secret}]
        return spec

    def template(self, extra_labels: dict[str, str] | None = None) -> Obj:
        """The pod template of a workload."""
        template_metadata: Obj = {"labels": {**self.all_labels, **(extra_labels or {})}}
        return {"metadata": template_metadata, "spec": self.pod_spec()}


def shop_image(namespace: str, name: str, tag: str) -> str:
    """An image of the shop's own registry."""
    return f"{REGISTRY}/{namespace}/{name}:{tag}"


def _quantities(cpu: str, memory: str) -> dict[str, str]:
    return {name: value for name, value in (("cpu", cpu), ("memory", memory)) if value}


def _env(name: str, value: str) -> Obj:
    source, _, place = value.partition(":")
    if source in ("config", "secret") and "/" in place:
        object_name, _, key = place.partition("/")
        kind = "configMapKeyRef" if source == "config" else "secretKeyRef"
        return {"name": name, "valueFrom": {kind: {"name": object_name, "key": key}}}
    return {"name": name, "value": value}


def _probe(action: str, port: int, timeout_seconds: int) -> Obj:
    kind, _, detail = action.partition(":")
    made: Obj
    if kind == "http":
        made = {"httpGet": {"path": detail, "port": port, "scheme": "HTTP"}}
    else:
        made = {"exec": {"command": detail.split()}}
    return {
        **made,
        "initialDelaySeconds": 5,
        "timeoutSeconds": timeout_seconds,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }

"""Which resources the cluster serves, and under which path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Obj = dict[str, Any]
"""A Kubernetes API object as JSON."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the API. `group` is '' for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """As objects carry it: "v1" or "apps/v1"."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified_name(self) -> str:
        """As messages name it: "pods" or "deployments.apps"."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


EVENTS = Resource("", "v1", "events", "Event", short_names=("ev",))
NEW_EVENTS = Resource("events.k8s.io", "v1", "events", "Event", short_names=("ev",))
SECRETS = Resource("", "v1", "secrets", "Secret")

RESOURCES: tuple[Resource, ...] = (
    Resource("", "v1", "pods", "Pod", short_names=("po",)),
    Resource("", "v1", "services", "Service", short_names=("svc",)),
    Resource("", "v1", "nodes", "Node", namespaced=False, short_names=("no",)),
    Resource("", "v1", "namespaces", "Namespace", namespaced=False, short_names=("ns",)),
    EVENTS,
    SECRETS,
    Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", short_names=("pvc",)),
    Resource(
        "", "v1", "persistentvolumes", "PersistentVolume", namespaced=False, short_names=("pv",)
    ),
    Resource("", "v1", "configmaps", "ConfigMap", short_names=("cm",)),
    Resource("", "v1", "endpoints", "Endpoints", short_names=("ep",)),
    Resource("", "v1", "replicationcontrollers", "ReplicationController", short_names=("rc",)),
    Resource("", "v1", "resourcequotas", "ResourceQuota", short_names=("quota",)),
    Resource("", "v1", "limitranges", "LimitRange", short_names=("limits",)),
    Resource("", "v1", "serviceaccounts", "ServiceAccount", short_names=("sa",)),
    Resource("apps", "v1", "deployments", "Deployment", short_names=("deploy",)),
    Resource("apps", "v1", "replicasets", "ReplicaSet", short_names=("rs",)),
    Resource("apps", "v1", "statefulsets", "StatefulSet", short_names=("sts",)),
    Resource("apps", "v1", "daemonsets", "DaemonSet", short_names=("ds",)),
    Resource("apps", "v1", "controllerrevisions", "ControllerRevision"),
    Resource("batch", "v1", "jobs", "Job"),
    Resource("batch", "v1", "cronjobs", "CronJob", short_names=("cj",)),
    Resource(
        "autoscaling",
        "v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        short_names=("hpa",),
    ),
    Resource("networking.k8s.io", "v1", "ingresses", "Ingress", short_names=("ing",)),
    Resource("networking.k8s.io", "v1", "ingressclasses", "IngressClass", namespaced=False),
    Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"),
    Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", short_names=("pdb",)),
    Resource(
        "storage.k8s.io",
        "v1",
        "storageclasses",
        "StorageClass",
        namespaced=False,
        short_names=("sc",),
    ),
    NEW_EVENTS,
    Resource(
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        namespaced=False,
    ),
    Resource(
        "admissionregistration.k8s.io",
        "v1",
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        namespaced=False,
    ),
)


def resource_of(obj: Obj, known: tuple[Resource, ...] = RESOURCES) -> Resource:
    """The resource an object belongs to; for a kind we do not list, the plural is guessed.

    Raises:
        ValueError: The object has no apiVersion, kind or name.
    """
    kind, api_version = obj.get("kind"), obj.get("apiVersion")
    metadata = obj.get("metadata") or {}
    if not kind or not api_version or not metadata.get("name"):
        raise ValueError(
            f"Cannot record an object without apiVersion, kind and metadata.name: "
            f"{api_version!r} {kind!r} {metadata.get('name')!r}. Record it with `-o json`."
        )
    for resource in known:
        if resource.kind == kind and resource.api_version == api_version:
            return resource
    group, _, version = str(api_version).rpartition("/")
    lower = str(kind).lower()
    plural = f"{lower[:-1]}ies" if re.search("[^aeiou]y$", lower) else f"{lower}s"
    return Resource(group, version, plural, str(kind), namespaced=bool(metadata.get("namespace")))

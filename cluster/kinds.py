"""The kinds that are read, with their paths: the whole of what the bot lists.

No Secrets are among them; only the check of certificates lists those of TLS, when switched on.

A row here is also a line of the RBAC rules; adding a kind means granting `list` on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cluster.admission_objects import (
    MutatingWebhookConfiguration,
    ValidatingWebhookConfiguration,
)
from cluster.gateway_objects import Gateway, HTTPRoute, IngressClass
from cluster.history_objects import (
    ConfigMap,
    ControllerRevision,
    PodDisruptionBudget,
    ReplicaSetRevision,
    ResourceQuota,
)
from cluster.network_objects import (
    EndpointSlice,
    HorizontalPodAutoscaler,
    Ingress,
    PersistentVolumeClaim,
    Service,
)
from cluster.objects import Event, KubeObject, Node, Pod
from cluster.secret_objects import Secret
from cluster.storage_objects import PersistentVolume, StorageClass
from cluster.workload_objects import (
    CronJob,
    DaemonSet,
    Deployment,
    Job,
    ReplicaSet,
    StatefulSet,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object.

    Attributes:
        struct: What one object is decoded to; its name is the kind's name.
        group_path: The API's root: "/api/v1" or "/apis/<group>/<version>".
        plural: The resource's name in paths and RBAC rules.
        is_namespaced: Whether objects live in a namespace.
        is_metadata_only: Whether the API is asked for metadata alone.
        field_selector: Which of them are asked for, '' for all.
        is_optional: Whether a cluster may do without it: not to know it is no gap then.
    """

    struct: type[KubeObject]
    group_path: str
    plural: str
    is_namespaced: bool = True
    is_metadata_only: bool = False
    field_selector: str = ""
    is_optional: bool = False

    @property
    def name(self) -> str:
        """As `kind` says it: "Pod"."""
        return self.struct.__name__

    @property
    def group(self) -> str:
        """The API's group as RBAC names it: "apps", or '' for the core one."""
        return self.group_path.split("/")[2] if self.group_path.startswith("/apis/") else ""

    def path(self, namespace: str = "") -> str:
        """The list's path, in one namespace or in all ('')."""
        if namespace and self.is_namespaced:
            return f"{self.group_path}/namespaces/{namespace}/{self.plural}"
        return f"{self.group_path}/{self.plural}"


_GATEWAY = "/apis/gateway.networking.k8s.io/v1"
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_BUDGETS = Kind(PodDisruptionBudget, "/apis/policy/v1", "poddisruptionbudgets")

KINDS: tuple[Kind, ...] = (
    Kind(Pod, "/api/v1", "pods"),
    Kind(Node, "/api/v1", "nodes", is_namespaced=False),
    Kind(Event, "/api/v1", "events"),
    Kind(Service, "/api/v1", "services"),
    Kind(PersistentVolumeClaim, "/api/v1", "persistentvolumeclaims"),
    Kind(Deployment, "/apis/apps/v1", "deployments"),
    Kind(ReplicaSet, "/apis/apps/v1", "replicasets"),
    Kind(StatefulSet, "/apis/apps/v1", "statefulsets"),
    Kind(DaemonSet, "/apis/apps/v1", "daemonsets"),
    Kind(Job, "/apis/batch/v1", "jobs"),
    Kind(CronJob, "/apis/batch/v1", "cronjobs"),
    Kind(HorizontalPodAutoscaler, "/apis/autoscaling/v2", "horizontalpodautoscalers"),
    Kind(EndpointSlice, "/apis/discovery.k8s.io/v1", "endpointslices"),
    Kind(Ingress, "/apis/networking.k8s.io/v1", "ingresses"),
    Kind(IngressClass, "/apis/networking.k8s.io/v1", "ingressclasses", is_namespaced=False),
    Kind(Gateway, _GATEWAY, "gateways", is_optional=True),
    Kind(HTTPRoute, _GATEWAY, "httproutes", is_optional=True),
    Kind(PersistentVolume, "/api/v1", "persistentvolumes", is_namespaced=False),
    Kind(StorageClass, "/apis/storage.k8s.io/v1", "storageclasses", is_namespaced=False),
    _BUDGETS,
    Kind(
        ValidatingWebhookConfiguration,
        _ADMISSION,
        "validatingwebhookconfigurations",
        is_namespaced=False,
    ),
    Kind(
        MutatingWebhookConfiguration,
        _ADMISSION,
        "mutatingwebhookconfigurations",
        is_namespaced=False,
    ),
)

# Read in one namespace, and only when somebody asks what changed there.
HISTORY_KINDS: tuple[Kind, ...] = (
    Kind(ReplicaSetRevision, "/apis/apps/v1", "replicasets"),
    Kind(ControllerRevision, "/apis/apps/v1", "controllerrevisions"),
    Kind(ConfigMap, "/api/v1", "configmaps", is_metadata_only=True),
    _BUDGETS,
    Kind(ResourceQuota, "/api/v1", "resourcequotas", is_metadata_only=True),
)

# Certificates, which need the right to list Secrets: read only where the operator has asked for it.
TLS_SECRETS = Kind(Secret, "/api/v1", "secrets", field_selector="type=kubernetes.io/tls")

BY_NAME = {kind.name: kind for kind in (*KINDS, *HISTORY_KINDS, TLS_SECRETS)}

"""Namespaces, configuration, quotas and storage."""

from __future__ import annotations

from datetime import datetime

from sandbox.cluster.kinds.base import metadata, number, object_reference, signed
from sandbox.cluster.resources import Obj

BIND_COMPLETED = {"pv.kubernetes.io/bind-completed": "yes"}


def namespace(name: str, created: datetime, team: str = "") -> Obj:
    """A Namespace, with its team where it has one."""
    labels = {"kubernetes.io/metadata.name": name, **({"team": team} if team else {})}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": metadata("Namespace", name, created, labels=labels),
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def config_map(
    where: str, name: str, key: str, created: datetime, edited: datetime | None = None
) -> Obj:
    """A ConfigMap, short of text, that a release made and a person may have edited since."""
    made = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata("ConfigMap", name, created, namespace=where),
        "data": {key: f"# settings of {name}\n"},
    }
    writers = [("argocd-controller", created)]
    return signed(made, *writers, *([("kubectl-edit", edited)] if edited else []))


def resource_quota(where: str, hard: dict[str, str], used: dict[str, str], at: datetime) -> Obj:
    """A ResourceQuota of a namespace."""
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": metadata("ResourceQuota", f"{where}-quota", at, namespace=where),
        "spec": {"hard": hard},
        "status": {"hard": hard, "used": used},
    }


def limit_range(where: str, at: datetime) -> Obj:
    """A LimitRange with defaults for containers that state nothing."""
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": metadata("LimitRange", f"{where}-defaults", at, namespace=where),
        "spec": {
            "limits": [
                {
                    "type": "Container",
                    "default": {"cpu": "500m", "memory": "512Mi"},
                    "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
                }
            ]
        },
    }


def storage_class(name: str, created: datetime, *, is_default: bool = False) -> Obj:
    """A StorageClass."""
    flag = {"storageclass.kubernetes.io/is-default-class": str(is_default).lower()}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": metadata("StorageClass", name, created, annotations=flag),
        "provisioner": "csi.fenwick.example",
        "parameters": {"type": name},
        "reclaimPolicy": "Delete",
        "allowVolumeExpansion": True,
        "volumeBindingMode": "Immediate",
    }


def claim(owner: Obj, ordinal: int, created: datetime, *, is_bound: bool = True) -> Obj:
    """The claim "data" of one pod of a StatefulSet."""
    template = owner["spec"]["volumeClaimTemplates"][0]
    where, base = owner["metadata"]["namespace"], owner["metadata"]["name"]
    name = f"{template['metadata']['name']}-{base}-{ordinal}"
    made: Obj = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(
            "PersistentVolumeClaim",
            name,
            created,
            namespace=where,
            labels={"app": base},
            annotations=BIND_COMPLETED if is_bound else None,
        ),
        "spec": dict(template["spec"]),
        "status": {"phase": "Pending"},
    }
    made["metadata"]["finalizers"] = ["kubernetes.io/pvc-protection"]
    if is_bound:
        made["spec"]["volumeName"] = f"pvc-{made['metadata']['uid']}"
        made["status"] = {
            "phase": "Bound",
            "accessModes": ["ReadWriteOnce"],
            "capacity": dict(template["spec"]["resources"]["requests"]),
        }
    return made


def volume(bound: Obj, created: datetime) -> Obj:
    """The PersistentVolume behind a bound claim."""
    name = bound["spec"]["volumeName"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": metadata(
            "PersistentVolume",
            name,
            created,
            annotations={"pv.kubernetes.io/provisioned-by": "csi.fenwick.example"},
        ),
        "spec": {
            "capacity": dict(bound["status"]["capacity"]),
            "csi": {
                "driver": "csi.fenwick.example",
                "fsType": "ext4",
                "volumeHandle": f"vol-{number(name) % 10**9:09d}",
            },
            "accessModes": ["ReadWriteOnce"],
            "claimRef": object_reference(bound),
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": bound["spec"]["storageClassName"],
            "volumeMode": "Filesystem",
        },
        "status": {"phase": "Bound"},
    }


def service_account(where: str, name: str, created: datetime) -> Obj:
    """A ServiceAccount."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata("ServiceAccount", name, created, namespace=where),
    }

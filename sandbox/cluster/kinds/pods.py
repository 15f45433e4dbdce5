"""Pods: their metadata and spec."""

from __future__ import annotations

from sandbox.cluster.kinds.apps import App
from sandbox.cluster.kinds.base import metadata, suffix
from sandbox.cluster.kinds.podstatus import PodPlan, pod_status
from sandbox.cluster.resources import Obj

_NOT_READY_TOLERATIONS = [
    {
        "key": f"node.kubernetes.io/{problem}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 300,
    }
    for problem in ("not-ready", "unreachable")
]


def pod_name(app: App, owner: Obj, seed: int) -> str:
    """The name a controller gives: an ordinal in a StatefulSet, random letters elsewhere."""
    base = owner["metadata"]["name"]
    if owner["kind"] == "StatefulSet":
        return f"{base}-{seed}"
    return f"{base}-{suffix('pod', app.namespace, base, seed)}"


def pod(app: App, owner: Obj, plan: PodPlan) -> Obj:
    """A pod of an application, as its controller, the scheduler and the kubelet left it."""
    name = pod_name(app, owner, plan.seed)
    labels = dict(app.all_labels)
    if owner["kind"] == "ReplicaSet":
        labels["pod-template-hash"] = owner["metadata"]["labels"]["pod-template-hash"]
    elif owner["kind"] == "StatefulSet":
        labels["statefulset.kubernetes.io/pod-name"] = name
        labels["apps.kubernetes.io/pod-index"] = str(plan.seed)
        labels["controller-revision-hash"] = f"{app.name}-{app.hash}"
    elif owner["kind"] == "Job":
        labels |= {
            "batch.kubernetes.io/job-name": owner["metadata"]["name"],
            "job-name": owner["metadata"]["name"],
            "batch.kubernetes.io/controller-uid": owner["metadata"]["uid"],
        }
    else:
        labels["controller-revision-hash"] = app.hash
    made: Obj = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata(
            "Pod",
            name,
            plan.created,
            namespace=app.namespace,
            labels=labels,
            owner=owner,
            generate_name="" if owner["kind"] == "StatefulSet" else f"{owner['metadata']['name']}-",
        ),
        "spec": _spec(app, owner, name, plan),
    }
    return with_plan(made, app, plan)


def with_plan(pod_object: Obj, app: App, plan: PodPlan) -> Obj:
    """The same pod with another status, such as after its next restart."""
    told = pod_object["metadata"]
    identity = f"{told['name']}_{told['namespace']}({told['uid']})"
    return {**pod_object, "status": pod_status(app, told["name"], identity, plan)}


def _spec(app: App, owner: Obj, name: str, plan: PodPlan) -> Obj:
    spec = app.pod_spec()
    token = f"kube-api-access-{suffix('token', name)}"
    spec["volumes"] = [
        *spec.get("volumes", ()),
        *_claims(owner, name),
        {
            "name": token,
            "projected": {
                "defaultMode": 420,
                "sources": [
                    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                    {"configMap": {"name": "kube-root-ca.crt"}},
                ],
            },
        },
    ]
    for container in spec["containers"]:
        container["volumeMounts"].append(
            {
                "name": token,
                "readOnly": True,
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
            }
        )
    spec["tolerations"] = [*spec.get("tolerations", ()), *_NOT_READY_TOLERATIONS]
    spec |= {"enableServiceLinks": True, "preemptionPolicy": "PreemptLowerPriority", "priority": 0}
    if plan.node:
        spec["nodeName"] = f"worker-{plan.node}"
    if owner["kind"] == "StatefulSet":
        spec |= {"hostname": name, "subdomain": owner["spec"]["serviceName"]}
    return spec


def _claims(owner: Obj, name: str) -> list[Obj]:
    """Volumes of the claims that a StatefulSet makes for this pod."""
    templates = owner["spec"].get("volumeClaimTemplates") or ()
    return [
        {
            "name": template["metadata"]["name"],
            "persistentVolumeClaim": {"claimName": f"{template['metadata']['name']}-{name}"},
        }
        for template in templates
    ]

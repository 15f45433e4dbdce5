"""Services and Ingresses."""

from __future__ import annotations

from datetime import datetime

from sandbox.cluster.kinds.apps import App
from sandbox.cluster.kinds.base import metadata, number
from sandbox.cluster.resources import Obj


def service(
    app: App, port: int, created: datetime, *, headless: bool = False, load_balancer: bool = False
) -> Obj:
    """The Service of an application, on one port."""
    address = (
        "None" if headless else f"10.96.{number(app.name) % 200}.{number('svc', app.name) % 250}"
    )
    target = app.containers[0].port
    made_port: Obj = {"name": "main", "protocol": "TCP", "port": port, "targetPort": target}
    spec: Obj = {
        "clusterIP": address,
        "clusterIPs": [address],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [made_port],
        "selector": app.selector,
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }
    status: Obj = {"loadBalancer": {}}
    if load_balancer:
        made_port["nodePort"] = 30_443
        spec |= {
            "type": "LoadBalancer",
            "externalTrafficPolicy": "Cluster",
            "allocateLoadBalancerNodePorts": True,
        }
        status = {"loadBalancer": {"ingress": [{"ip": "203.0.113.20"}]}}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(
            "Service", app.name, created, namespace=app.namespace, labels=app.all_labels
        ),
        "spec": spec,
        "status": status,
    }


def ingress(namespace: str, name: str, host: str, backend: Obj, created: datetime) -> Obj:
    """An Ingress of one host, with TLS, to one Service."""
    port = backend["spec"]["ports"][0]["port"]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata("Ingress", name, created, namespace=namespace, generation=1),
        "spec": {
            "ingressClassName": "nginx",
            "tls": [{"hosts": [host], "secretName": f"{name}-tls"}],
            "rules": [
                {
                    "host": host,
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {
                                    "service": {
                                        "name": backend["metadata"]["name"],
                                        "port": {"number": port},
                                    }
                                },
                            }
                        ]
                    },
                }
            ],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.20"}]}},
    }


def ingress_class(name: str, created: datetime) -> Obj:
    """An IngressClass."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": metadata("IngressClass", name, created, generation=1),
        "spec": {"controller": f"k8s.io/ingress-{name}"},
    }

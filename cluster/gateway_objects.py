"""The Gateway API's objects, and Ingress classes; see `cluster.objects` for the rules they share.

Clusters without the Gateway API do not serve them, which is no gap.
"""

from __future__ import annotations

from msgspec import field

from cluster.objects import Condition, KubeObject, Part


class IngressClass(KubeObject, frozen=True):
    """networking.k8s.io/v1 IngressClass; that it is there is all that is asked."""


class GatewaySpec(Part, frozen=True):
    """Who runs a Gateway."""

    gateway_class_name: str = ""


class GatewayStatus(Part, frozen=True):
    """Whether a Gateway is accepted and programmed."""

    conditions: tuple[Condition, ...] = ()


class Gateway(KubeObject, frozen=True):
    """gateway.networking.k8s.io/v1 Gateway."""

    spec: GatewaySpec = field(default_factory=GatewaySpec)
    status: GatewayStatus = field(default_factory=GatewayStatus)


class RouteReference(Part, frozen=True):
    """A parent or backend of a route; without namespace, in the route's own."""

    group: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    port: int = 0


class RouteRule(Part, frozen=True):
    """Where matching requests go."""

    backend_refs: tuple[RouteReference, ...] = ()


class RouteSpec(Part, frozen=True):
    """Through which Gateways a route comes, and where it leads."""

    parent_refs: tuple[RouteReference, ...] = ()
    rules: tuple[RouteRule, ...] = ()


class RouteParent(Part, frozen=True):
    """What one parent says of a route."""

    parent_ref: RouteReference = field(default_factory=RouteReference)
    conditions: tuple[Condition, ...] = ()


class RouteStatus(Part, frozen=True):
    """What the parents say of a route."""

    parents: tuple[RouteParent, ...] = ()


class HTTPRoute(KubeObject, frozen=True):
    """gateway.networking.k8s.io/v1 HTTPRoute."""

    spec: RouteSpec = field(default_factory=RouteSpec)
    status: RouteStatus = field(default_factory=RouteStatus)

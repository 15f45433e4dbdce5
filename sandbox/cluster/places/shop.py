"""The namespace `shop`: what all of it shares, and its two teams."""

from __future__ import annotations

from sandbox.cluster.kinds import config
from sandbox.cluster.places import orders, storefront
from sandbox.cluster.places.scene import Scene


def build(scene: Scene) -> None:
    """All workloads of the shop."""
    born = scene.ago(days=190)
    for name in ("frontend-config", "catalog-config", "checkout-config", "payments-config"):
        scene.add(config.config_map("shop", name, "application.yaml", born))
    scene.add(
        config.resource_quota(
            "shop",
            {"pods": "60", "requests.cpu": "32", "requests.memory": "96Gi"},
            {"pods": "20", "requests.cpu": "7750m", "requests.memory": "53Gi"},
            born,
        ),
        config.limit_range("shop", born),
    )
    storefront.build(scene, born)
    orders.build(scene, born)

"""What happens while you look: the steps of sandbox/README.md, and what goes on all the time."""

from __future__ import annotations

from sandbox.cluster.moves import background, lost_node, restarts, rollouts
from sandbox.cluster.recorded import Step


def shop_steps() -> tuple[Step, ...]:
    """Everything that happens to the shop after it starts."""
    return (
        Step(45, "email-worker starts crash looping", restarts.email_worker_falls),
        Step(90, "worker-3 goes NotReady", lost_node.worker_goes),
        Step(150, "cart recovers", rollouts.cart_recovers),
        Step(210, "worker-3 comes back", lost_node.worker_returns),
        Step(270, "cart breaks again", rollouts.cart_breaks_again),
        Step(12, "chatter", background.chatter, every_seconds=12),
        Step(15, "probes and back-offs", background.repeat_events, every_seconds=15),
        Step(60, "old events expire", background.expire_events, every_seconds=60),
        Step(40, "kubelets report", background.heartbeat, every_seconds=40),
        Step(130, "risk-engine restarts", restarts.restart_risk_engine, every_seconds=305),
        Step(110, "market-data restarts", restarts.restart_market_data, every_seconds=185),
        Step(2_045, "catalog-import runs", restarts.import_again, every_seconds=3_600),
        Step(190, "payments restarts", restarts.restart_payments, every_seconds=310),
        # The back-off of a fresh crash loop doubles up to five minutes.
        *(
            Step(at, "email-worker restarts", restarts.restart_email_worker)
            for at in (140, 245, 430)
        ),
        Step(800, "email-worker restarts", restarts.restart_email_worker, every_seconds=365),
    )

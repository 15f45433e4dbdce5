"""When something counts. Every number has its unit in its name; defaults are the project's own."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

# For how long what is over, and cannot be seen to last, stays news.
_PAST = (
    "bad_exit_recent_seconds",
    "evicted_recent_seconds",
    "gone_object_recent_seconds",
    "job_failed_recent_seconds",
    "oom_recent_seconds",
    "pod_failed_recent_seconds",
)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Holds (how long a state must have lasted), minimum counts, and how long a fact stays news.

    `…_hold_seconds` is the time before a state counts; `…_recent_seconds` the time after which a
    past event no longer does; `…_cooldown_seconds` the time within which it is no news when it is
    back.
    """

    crash_loop_minimum_restarts: int = 2
    crash_loop_repeated_restarts: int = 3
    crash_loop_critical_restarts: int = 10
    crash_loop_endless_restarts: int = 50
    crash_loop_cooldown_seconds: float = 14_400
    recent_crash_seconds: float = 900
    restart_wave_seconds: float = 120
    restart_wave_recent_seconds: float = 3600
    restart_wave_minimum_workloads: int = 5
    oom_recent_seconds: float = 3600
    oom_cooldown_seconds: float = 3600
    bad_exit_recent_seconds: float = 86_400
    image_pull_hold_seconds: float = 120
    config_error_hold_seconds: float = 30
    stuck_creating_hold_seconds: float = 120
    unschedulable_hold_seconds: float = 300
    pending_hold_seconds: float = 300
    evicted_recent_seconds: float = 86_400
    evicted_high_count: int = 2
    pod_failed_recent_seconds: float = 86_400
    not_ready_hold_seconds: float = 120
    not_ready_high_seconds: float = 600
    replicas_short_hold_seconds: float = 300
    daemonset_hold_seconds: float = 300
    daemonset_rollout_grace_seconds: float = 900
    statefulset_hold_seconds: float = 300
    cannot_create_hold_seconds: float = 120
    job_failed_recent_seconds: float = 86_400
    cronjob_late_seconds: float = 300
    hpa_hold_seconds: float = 120
    hpa_at_maximum_hold_seconds: float = 600
    service_hold_seconds: float = 120
    ingress_hold_seconds: float = 120
    pvc_hold_seconds: float = 120
    budget_blocks_hold_seconds: float = 1800
    node_not_ready_hold_seconds: float = 0
    node_pressure_hold_seconds: float = 0
    tls_expiry_days: float = 30
    tls_expiry_high_days: float = 3
    log_error_normal_days: float = 7
    event_recent_seconds: float = 900
    event_minimum_count: int = 3
    gone_object_recent_seconds: float = 3600

    def for_window(self, seconds: float) -> Thresholds:
        """The same where past events stay news for a whole window, if that is longer."""
        longer: dict[str, Any] = {name: max(getattr(self, name), seconds) for name in _PAST}
        return replace(self, **longer)

    def without_holds(self) -> Thresholds:
        """The same for a state that is known to have lasted: every hold is served."""
        holds = ("_hold_seconds", "_grace_seconds")
        served: dict[str, Any] = {
            item.name: 0.0 for item in fields(self) if item.name.endswith(holds)
        }
        return replace(self, **served)

"""From many findings to one per owner: what follows from another problem is told under it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.findings import Evidence, Finding, ObjectRef, Severity

# Most telling first: of several problems of one owner, the first here is likely the root of the
# others. Classes that are missing here, such as "event-…", come last.
ORDER = (
    "node-not-ready",
    "node-pressure",
    "node-oom",
    "restart-wave",
    "oom",
    "crash-loop",
    "image-pull",
    "config-error",
    "pvc",
    "pv-failed",
    "stuck-creating",
    "cannot-create-pods",
    "unschedulable",
    "job-failed",
    "bad-exit",
    "pod-failed",
    "rollout-stuck",
    "not-ready",
    "evicted",
    "statefulset-blocked",
    "daemonset-short",
    "replicas-short",
    "no-endpoints",
    "webhook-down",
    "ingress-class",
    "ingress-backend",
    "ingress-tls",
    "gateway",
    "route",
    "tls-expiry",
    "hpa-cannot-act",
    "hpa-at-maximum",
    "cronjob-schedule",
    "pending",
    "scheduling-gated",
    "budget-blocks",
    "cronjob-suspended",
)
RANK = {problem: rank for rank, problem in enumerate(ORDER)}

# What a lost node does to its pods and their owners, at whatever time it is noticed.
CONSEQUENCES = frozenset(
    {
        "daemonset-short",
        "no-endpoints",
        "not-ready",
        "pending",
        "replicas-short",
        "rollout-stuck",
        "statefulset-blocked",
    }
)
MAX_ALSO = 6
MAX_MEMBERS = 50


def fold(findings: Iterable[Finding]) -> list[Finding]:
    """One finding per owner, worst first; the folded ones are named in `members` and evidence.

    Findings of pods on a lost node go under the node's, evictions under their node's pressure. A
    problem that was there before the node was lost stays a finding of its own.
    """
    return by_owner(_under_nodes(list(findings)))


def by_owner(findings: Iterable[Finding]) -> list[Finding]:
    """One finding per owner, worst first; nothing goes under another owner's."""
    groups: dict[tuple[str, str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[_key(finding.owner)].append(finding)
    folded = [_one(group) for group in groups.values()]
    return sorted(folded, key=lambda item: (item.severity.rank, _rank(item), str(item.owner)))


def _under_nodes(findings: list[Finding]) -> list[Finding]:
    nodes = {
        (finding.owner.cluster, finding.owner.name): finding
        for finding in findings
        if finding.problem in {"node-not-ready", "node-pressure"}
    }
    hosts = {id(finding) for finding in nodes.values()}
    hit: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    left: list[Finding] = []
    for finding in findings:
        place = (finding.owner.cluster, finding.node)
        node = nodes.get(place)
        if node is not None and _follows(finding, node):
            hit[place].append(finding)
        elif id(finding) not in hosts:
            left.append(finding)
    for place, node in nodes.items():
        left.append(_absorb(node, hit[place]))
    return left


def _follows(finding: Finding, node: Finding) -> bool:
    if finding.owner.kind == "Node":
        return False
    if node.problem == "node-pressure":
        return finding.problem == "evicted"
    return finding.problem in CONSEQUENCES or finding.first_seen >= node.first_seen


def _one(group: Sequence[Finding]) -> Finding:
    """The most telling finding of an owner, with the others under it."""
    ranked = sorted(group, key=lambda item: (_rank(item), item.severity.rank, -item.count))
    root, rest = ranked[0], ranked[1:]
    same = [item for item in rest if item.problem == root.problem]
    others = [item for item in rest if item.problem != root.problem]
    merged = replace(
        root,
        count=sum(item.count for item in (root, *same)),
        first_seen=min(item.first_seen for item in (root, *same)),
        last_seen=max(item.last_seen for item in (root, *same)),
    )
    return _absorb(_absorb(merged, same, is_told=False), others)


def _absorb(root: Finding, others: Sequence[Finding], *, is_told: bool = True) -> Finding:
    """Put findings under `root`: their objects become members, their titles evidence."""
    if not others:
        return root
    members = dict.fromkeys(root.members)
    for other in others:
        for member in (str(other.involved), *other.members):
            if member != str(root.involved):
                members[member] = None
    also = dict.fromkeys(other.title for other in others) if is_told else {}
    told = [Evidence("also", title) for title in list(also)[:MAX_ALSO]]
    if is_told and root.owner.kind != "Node":
        # What a controller or the kubelet says of a consequence, such as the probe's message.
        told += [
            item
            for other in others[:2]
            for item in other.evidence[:2]
            if item.field.startswith(("Event ", "status.conditions", "state.terminated."))
        ]
    severities: list[Severity] = [root.severity, *(other.severity for other in others)]
    return replace(
        root,
        severity=min(severities, key=lambda severity: severity.rank),
        log_lines=root.log_lines or next((item.log_lines for item in others if item.log_lines), ()),
        members=tuple(members)[:MAX_MEMBERS],
        evidence=root.evidence + tuple(item for item in told if item not in root.evidence),
    )


def _rank(finding: Finding) -> int:
    return RANK.get(finding.problem, len(ORDER))


def _key(owner: ObjectRef) -> tuple[str, str, str, str]:
    return (owner.cluster, owner.kind, owner.namespace, owner.name)

"""What happened to a node: new, cordoned, rebooted, lost, under pressure. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.authors import SAME_ACT, authors
from cluster.detectors.reasons import PRESSURES
from cluster.events import last_seen, text
from cluster.objects import Node
from cluster.sentences import without_uids
from cluster.snapshot import Snapshot
from core.changes import Change, ChangeKind
from core.findings import Evidence

_REASONS = {
    "Rebooted": "rebooted",
    "NodeNotSchedulable": "cordoned",
    "NodeSchedulable": "uncordoned",
    "NodeReady": "became ready",
    "RemovingNode": "is being removed",
}
_CORDON = ("kubectl-cordon", "kubectl-drain", "kubectl-uncordon")


def node_changes(snapshot: Snapshot, node: Node) -> Iterator[Change]:
    """From its age, its conditions, its writers and its Events."""
    ref = snapshot.ref(node)
    born = node.metadata.creation_timestamp
    if born is not None:
        proof = Evidence("metadata.creationTimestamp", born.isoformat())
        yield Change(born, ChangeKind.NODE, ref, "joined the cluster", evidence=(proof,))
    for item in node.status.conditions:
        is_bad = item.status != "True" if item.type == "Ready" else item.status == "True"
        if not is_bad or item.type not in {"Ready", *PRESSURES} or not item.last_transition_time:
            continue
        what = "became NotReady" if item.type == "Ready" else f"reports {item.type}"
        proof = Evidence(f"conditions[{item.type}]", f"{item.status}: {item.message}")
        yield Change(item.last_transition_time, ChangeKind.NODE, ref, what, evidence=(proof,))
    told = [
        Change(
            last_seen(event),
            ChangeKind.NODE,
            ref,
            _REASONS[event.reason],
            evidence=(Evidence(f"Event {event.reason}", without_uids(text(event))),),
        )
        for event in snapshot.events_of(node)
        if event.reason in _REASONS
    ]
    for author in authors(node):
        # The kubelet tells of a cordon as well, within seconds, but not who did it.
        if author.manager.startswith(_CORDON):
            told = [c for c in told if abs(c.at - author.at) > SAME_ACT or "cordon" not in c.what]
            done = "cordoned" if node.spec.unschedulable else "uncordoned"
            proof = Evidence("metadata.managedFields.time", author.at.isoformat())
            told.append(Change(author.at, ChangeKind.NODE, ref, done, author.manager, (proof,)))
    yield from told

"""Classes of problems that an error text can show, and the rules that tell them. Pure.

Where a detector finds the same problem in the cluster, the class has the detector's name, so that a
line and a finding on it are called the same. Rules have a strength, because a cause outranks what
follows from it: "lookup redis: no such host" ends in a refused connection as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.findings import Severity
from knowledge.problemrules import RULES, Rule, Strength


@dataclass(frozen=True, slots=True)
class Problem:
    """A class of problems.

    Attributes:
        name: As in `Finding.problem`, where a detector finds it.
        severity: What it usually means for those who use the service.
        meaning: What such a text says, as the end of "this says that …".
        next_step: What to look at; changes nothing.
    """

    name: str
    severity: Severity
    meaning: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that holds, with the words of the text that it holds by."""

    rule: Rule
    words: str


_C, _H, _M, _I = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.INFO

PROBLEMS: Final = {
    row.name: row
    for row in (
        Problem(
            "oom",
            _H,
            "a process ran out of memory",
            "Compare its limit with its use: `kubectl top pod`, and the last state "
            "in `kubectl describe pod`.",
        ),
        Problem(
            "crash-loop",
            _H,
            "a container ends again and again",
            "Read why it ended: `kubectl logs POD --previous`.",
        ),
        Problem(
            "image-pull",
            _H,
            "an image cannot be pulled",
            "Check name, tag and pull secret: the Events of `kubectl describe pod`.",
        ),
        Problem(
            "config-error",
            _H,
            "configuration is missing or cannot be read",
            "Compare what the pod refers to with `kubectl get configmap,secret`, by "
            "name and key.",
        ),
        Problem(
            "unschedulable",
            _H,
            "no node takes a pod",
            "Compare its requests, selectors and tolerations with `kubectl describe "
            "nodes`.",
        ),
        Problem(
            "cannot-create-pods",
            _H,
            "the API server refuses to create pods",
            "Read the Events of the ReplicaSet; compare `kubectl describe "
            "resourcequota`.",
        ),
        Problem(
            "pvc",
            _H,
            "a volume claim gets no volume",
            "Read `kubectl describe pvc`, and whether its class stands in `kubectl "
            "get storageclass`.",
        ),
        Problem(
            "stuck-creating",
            _H,
            "a pod cannot get its volumes or its network",
            "Read the Events of `kubectl describe pod`, then the kubelet's log on "
            "its node.",
        ),
        Problem(
            "node-not-ready",
            _C,
            "a node does not report, or its runtime fails",
            "Read the conditions in `kubectl describe node`, and what runs there: "
            "`impact NODE`.",
        ),
        Problem(
            "node-pressure",
            _H,
            "a node runs short of disk, memory or processes",
            "Read the conditions in `kubectl describe node`.",
        ),
        Problem(
            "evicted",
            _M,
            "a pod was put off its node",
            "Read its message in `kubectl describe pod`; compare its requests with "
            "its use.",
        ),
        Problem(
            "not-ready",
            _M,
            "a probe fails",
            "Compare the probe with the container's log of the same minute.",
        ),
        Problem(
            "rollout-stuck",
            _H,
            "a rollout does not get on",
            "Look at the newest ReplicaSet's pods: `kubectl rollout status`, "
            "`kubectl describe pod`.",
        ),
        Problem("job-failed", _M, "a job gave up", "Read the log of its last pod."),
        Problem(
            "hpa-cannot-act",
            _H,
            "an autoscaler has no metrics",
            "Read `kubectl describe hpa`; check that every container states its "
            "requests.",
        ),
        Problem(
            "no-endpoints",
            _H,
            "a service leads to no serving pod",
            "Compare `kubectl get endpointslices` with the service's selector and "
            "its pods' readiness.",
        ),
        Problem(
            "dns",
            _H,
            "a name cannot be resolved",
            "Check the name's spelling and namespace, then the DNS pods: `kubectl "
            "-n kube-system get pods`.",
        ),
        Problem(
            "tls",
            _H,
            "a certificate or a TLS handshake is refused",
            "Look at the certificate's dates, names and issuer: `openssl s_client "
            "-connect HOST:PORT`.",
        ),
        Problem(
            "disk-full",
            _C,
            "a disk or volume is full",
            "Find what fills it: `kubectl exec POD -- df -h`.",
        ),
        Problem(
            "deadlock",
            _H,
            "two workers wait for each other, or for a lock",
            "Find who holds the lock: the database's view of its locks and "
            "sessions.",
        ),
        Problem(
            "network-policy",
            _H,
            "a network policy drops the traffic",
            "Compare `kubectl get networkpolicy` on both sides with the labels of "
            "the pods.",
        ),
        Problem(
            "rate-limit",
            _M,
            "a caller asks too often",
            "Find the caller, and whether it retries without a pause.",
        ),
        Problem(
            "auth",
            _H,
            "somebody is not let in",
            "Check whose credentials these are, their age and rights: `kubectl auth "
            "can-i` for the API server.",
        ),
        Problem(
            "database",
            _H,
            "a database refuses the work",
            "Look at the database: its connections, its role (primary or replica), "
            "its schema version.",
        ),
        Problem(
            "gc",
            _M,
            "garbage collection takes the time",
            "Compare heap use and limit over the last hours: `ask memory of "
            "SERVICE`.",
        ),
        Problem(
            "timeout",
            _M,
            "something took longer than its caller waits",
            "Look at the one that was called: its latency, its load, its own "
            "errors.",
        ),
        Problem(
            "http-5xx",
            _H,
            "a server answers with an error of its own",
            "Read the log of the one that answered, not of the one that asked.",
        ),
        Problem(
            "connection",
            _H,
            "nobody takes the connection",
            "Check that the target runs and listens: `kubectl get endpointslices`, "
            "its log.",
        ),
        Problem(
            "app-error",
            _M,
            "the program has an error of its own",
            "Find the first of these lines and the rollout before it: `changes "
            "WORKLOAD`.",
        ),
        Problem("benign", _I, "nothing is wrong by itself", "Nothing to do."),
    )
}  # fmt: skip


def tells(problem: str, text: str) -> bool:
    """Whether a text holds words of a class, however little they decide."""
    return any(rule.pattern.search(text) for rule in RULES if rule.problem == problem)


def matches(text: str) -> tuple[Match, ...]:
    """The rules of the greatest strength that hold of a text, one a class, in their order.

    A line that says of itself that it is no error is benign, unless it names a cause or a state.
    """
    text = " ".join(text.split())
    found: dict[str, Match] = {}
    strongest = -1
    for rule in RULES:
        if rule.strength < strongest or rule.problem in found:
            continue
        if held := rule.pattern.search(text):
            strongest = rule.strength
            found[rule.problem] = Match(rule, held[0])
    if "benign" in found and strongest == Strength.SYMPTOM:
        return (found["benign"],)
    return tuple(found.values())

"""From what a person pasted to what a search needs: telling terms first, noise left out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

# What people write for short, and the words that documents use.
ABBREVIATIONS = {
    "cj": "CronJob",
    "cm": "ConfigMap",
    "cr": "custom resource",
    "crb": "ClusterRoleBinding",
    "crd": "CustomResourceDefinition custom resource definition",
    "csi": "Container Storage Interface",
    "csr": "CertificateSigningRequest",
    "deploy": "Deployment",
    "ds": "DaemonSet",
    "ep": "Endpoints",
    "hpa": "HorizontalPodAutoscaler horizontal pod autoscaler",
    "ing": "Ingress",
    "k8s": "Kubernetes",
    "netpol": "NetworkPolicy network policy",
    "ns": "namespace",
    "oom": "out of memory OOMKilled",
    "oomkilled": "out of memory",
    "pdb": "PodDisruptionBudget pod disruption budget",
    "po": "pod",
    "psp": "PodSecurityPolicy",
    "pv": "PersistentVolume persistent volume",
    "pvc": "PersistentVolumeClaim persistent volume claim",
    "rb": "RoleBinding",
    "rbac": "role-based access control",
    "rs": "ReplicaSet",
    "sa": "ServiceAccount service account",
    "sc": "StorageClass storage class",
    "sts": "StatefulSet",
    "svc": "Service",
    "ttl": "time to live",
    "vpa": "VerticalPodAutoscaler vertical pod autoscaler",
}

# Written in two words it shares no term with "rollback". Further synonyms (page, expire, kill)
# were tried on the evaluation questions and made them worse.
_ROLL_BACK = re.compile(r"\broll(?:s|ed|ing)? back\b", re.IGNORECASE)

# Below this a question is what its author typed, and nothing is taken away.
SHORT_CHARS = 400
MOST_CHARS = 1400
MOST_ERROR_LINES = 6

_FENCE = re.compile(r"^\s*(?:```|~~~)")
_YAML_LINE = re.compile(r"^\s*(?:-\s+)?[A-Za-z][\w./-]*:(?:\s|$)|^\s*-\s+\S|^---\s*$")
_YAML_KEY = re.compile(r"^\s*(?:-\s+)?([A-Za-z][\w./-]*):\s*(.*)$")
_LOG_LINE = re.compile(
    r"^\s*(?:\[?\d{4}-\d\d-\d\d[T ]|[IWEF]\d{4} |\d\d:\d\d:\d\d|\{\"|level=|time=|at [\w.$]+\()"
)
_TELLING = re.compile(
    r"error|fail|fatal|panic|denied|refus|timeout|timed out|not found|cannot|can't|unable|invalid|"
    r"forbidden|unauthori|warning|exceed|back-?off|kill|evict|unhealthy|missing|no such",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"https?://\S+"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b\d{4}-\d\d-\d\dT?[\d:.,]*Z?\b|\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\b(?:sha256:)?[0-9a-f]{12,}\b|<!--.*?-->"
)
_WORD = re.compile(r"[a-z0-9]+")
# Keys that stand in every manifest tell nothing of the question.
_COMMON_KEYS = frozenset(
    {
        "apiVersion", "metadata", "spec", "name", "labels", "app", "namespace", "template",
        "selector", "matchLabels", "containers", "image", "value", "key", "items", "status",
        "uid", "resourceVersion", "creationTimestamp", "generation", "annotations", "env", "kind",
        "ports", "protocol", "TCP", "args", "command",
    }
)  # fmt: skip


def search_text(question: str) -> str:
    """What to search for: the question, its pasted parts distilled, abbreviations written out."""
    text = question.strip()
    if len(text) > SHORT_CHARS or "\n" in text:
        text = _distilled(text)
    written_out = [
        ABBREVIATIONS[word]
        for word in dict.fromkeys(_WORD.findall(text.lower()))
        if word in ABBREVIATIONS
    ]
    if _ROLL_BACK.search(text):
        written_out.append("rollback")
    return " ".join((text, *written_out)) if written_out else text


def _distilled(text: str) -> str:
    """Prose first, then error lines, then the kinds and telling keys of YAML."""
    prose: list[str] = []
    errors: list[str] = []
    keys: list[str] = []
    for kind, line in _kinds(text.splitlines()):
        clean = " ".join(_NOISE.sub(" ", line).split())
        if not clean:
            continue
        if kind == "prose":
            prose.append(clean)
        elif _TELLING.search(clean):
            errors.append(clean[:200])
        elif kind == "yaml":
            keys.extend(_yaml_words(line))
    telling = list(dict.fromkeys(errors))[:MOST_ERROR_LINES]
    parts = (*prose, *telling, " ".join(dict.fromkeys(keys)))
    return _cut(part for part in parts if part)


def _kinds(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each line with what it is: "prose", "log" or "yaml"."""
    is_fenced = False
    for line in lines:
        if _FENCE.match(line):
            is_fenced = not is_fenced
        elif _LOG_LINE.match(line):
            yield "log", line
        elif is_fenced or line.startswith(("    ", "\t")):
            yield ("yaml" if _YAML_LINE.match(line) else "log"), line
        elif _YAML_LINE.match(line) and len(line) < 80 and not line.rstrip().endswith((".", "?")):
            yield "yaml", line
        else:
            yield "prose", line


def _yaml_words(line: str) -> Iterator[str]:
    match = _YAML_KEY.match(line)
    if match is None:
        return
    key, value = match[1], match[2].strip()
    if key == "kind" and value:
        yield value
    elif key not in _COMMON_KEYS:
        yield key


def _cut(parts: Iterable[str]) -> str:
    """As many parts as fit; the first always does, cut at a blank."""
    kept: list[str] = []
    room = MOST_CHARS
    for part in parts:
        if len(part) > room:
            kept.append(part[:room].rpartition(" ")[0] or part[:room])
            break
        kept.append(part)
        room -= len(part) + 1
    return "\n".join(part for part in kept if part)

"""Errors in the logs into findings: what is new, whose error came first. Pure.

`find_log_errors` is the whole interface; what it is given is read by `cluster.log_reading`. It
gives at most two findings an owner, both with problem "log-errors": no other rule looks at logs.

- New (HIGH): the template is not in the owner's baseline, or the owner has another finding.
- Normal (INFO): all its templates are known from good times.

Two kinds of noise are taken out by reasons that hold everywhere. An error that several workloads
of a namespace write in good times is normal for all of it, whichever workload it names. And when
one request's id stands in the errors of several workloads, the first of them is the origin: the
others are told under it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.baseline import Baseline, OwnerKey, owner_key
from core.findings import Evidence, Finding, ObjectRef, Severity
from core.logscan import ErrorKind, headline
from core.merging import merge
from core.templates import mask

PROBLEM = "log-errors"
MAX_KINDS = 5
MAX_TITLE_CHARS = 120
MAX_MEMBERS = 50
# Of a kind's requests this part must have failed elsewhere before it counts as a consequence.
SHARED_REQUESTS = 0.8
# An error is normal for a namespace when so many of its workloads write it in good times.
WIDESPREAD_OWNERS = 2

_LATE = datetime.max.replace(tzinfo=UTC)
_CODE = re.compile(r"\d+")
_NAME = re.compile(r"[A-Za-z0-9<](?:[\w.\-<>]*[\w>])?")


@dataclass(frozen=True, slots=True)
class ContainerErrors:
    """The errors of one container's log.

    Attributes:
        pod: The pod.
        owner: Its top owner, or the pod itself.
        container: The container's name.
        kinds: Its kinds of errors, as `core.logscan` gives them.
        node: Where the pod runs, or ''.
    """

    pod: ObjectRef
    owner: ObjectRef
    container: str
    kinds: tuple[ErrorKind, ...]
    node: str = ""


def find_log_errors(
    logs: Iterable[ContainerErrors],
    *,
    baseline: Baseline,
    troubled: Collection[ObjectRef],
    workloads: Collection[str],
    redact: Callable[[str], str],
    now: datetime,
) -> list[Finding]:
    """The findings of all these logs.

    Args:
        logs: One for each container that was read, of any number of clusters and owners; those
            without errors may be left out.
        baseline: What is known of good times.
        troubled: Owners that have another finding.
        workloads: Names of workloads and Services: in an error they are variables.
        redact: Takes secrets out of a line.
        now: The present moment, aware UTC.

    Returns:
        Findings with `template` (of the error that came first), `count`, `first_seen`, `log_lines`
        (one redacted sample a kind, at most five) and in `members` the replicas and the workloads
        whose errors followed. Worst first.
    """
    kinds = _by_owner(logs)
    normal = _Normal(baseline, workloads)
    upset = {owner_key(owner) for owner in troubled}
    for kind in kinds:
        is_upset = owner_key(kind.owner) in upset
        kind.is_new = is_upset or not normal.has(kind.owner, kind.template)
        kind.first_seen = min(
            kind.first_seen or now, baseline.first_seen(kind.owner, kind.template) or now, now
        )
    origins = _origins([kind for kind in kinds if owner_key(kind.owner) not in upset], kinds)
    followers: dict[int, list[_Kind]] = defaultdict(list)
    groups: dict[tuple[OwnerKey, bool], list[_Kind]] = defaultdict(list)
    for kind in kinds:
        origin = origins.get(id(kind))
        if origin is None:
            groups[owner_key(kind.owner), kind.is_new].append(kind)
        else:
            followers[id(origin)].append(kind)
    findings = [_finding(group, followers, redact, now) for group in groups.values()]
    return sorted(findings, key=lambda item: (item.severity.rank, -item.count, str(item.owner)))


@dataclass(slots=True)
class _Kind:
    """One kind of error of one owner, over its replicas."""

    owner: ObjectRef
    template: str
    count: int = 0
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    is_new: bool = True
    places: dict[str, ContainerErrors] = field(default_factory=dict)
    samples: list[ErrorKind] = field(default_factory=list)
    requests: dict[str, datetime] = field(default_factory=dict)

    def add(self, place: ContainerErrors, found: ErrorKind) -> None:
        self.count += found.count
        first, last = found.first.timestamp, found.last.timestamp
        if first is not None and (self.first_seen is None or first < self.first_seen):
            self.first_seen = first
        if last is not None and (self.last_seen is None or last > self.last_seen):
            self.last_seen = last
        self.places.setdefault(place.pod.name, place)
        self.samples.append(found)
        for request, moment in found.requests.items():
            self.requests[request] = min(moment, self.requests.get(request, moment))


def _by_owner(logs: Iterable[ContainerErrors]) -> list[_Kind]:
    kinds: dict[tuple[OwnerKey, str], _Kind] = {}
    for log in logs:
        for found in log.kinds:
            key = (owner_key(log.owner), found.template)
            kinds.setdefault(key, _Kind(log.owner, found.template)).add(log, found)
    return list(kinds.values())


class _Normal:
    """The baseline, blind to which workload an error names."""

    def __init__(self, baseline: Baseline, workloads: Iterable[str]) -> None:
        # In a template, names are masked like all else.
        self._workloads = frozenset(mask(name) for name in workloads)
        self._own: dict[OwnerKey, set[str]] = defaultdict(set)
        for line in baseline:
            if line.is_normal and line.template:
                self._own[line.owner].add(self._shape(line.template))
        counts = Counter(
            (owner[:2], shape) for owner, shapes in self._own.items() for shape in shapes
        )
        self._shared = {key for key, count in counts.items() if count >= WIDESPREAD_OWNERS}

    def has(self, owner: ObjectRef, template: str) -> bool:
        key, shape = owner_key(owner), self._shape(template)
        own = self._own.get(key, set())
        return shape in own or (key[:2], shape) in self._shared or _is_variant(shape, own)

    def _shape(self, template: str) -> str:
        return _NAME.sub(
            lambda found: "<WORKLOAD>" if found[0] in self._workloads else found[0], template
        )


def _is_variant(shape: str, known: Collection[str]) -> bool:
    """Whether a template differs from known ones in a word alone that varies freely in them."""
    # Numbers that stand in a template, such as codes, tell kinds of errors apart.
    alike = [other for other in known if _CODE.findall(other) == _CODE.findall(shape)]
    merged = merge([*alike, shape])
    return any(merged[other] == merged[shape] for other in alike)


def _origins(kinds: Iterable[_Kind], all_kinds: Sequence[_Kind]) -> dict[int, _Kind]:
    """For kinds that follow from another owner's error in the same requests: that error's kind."""
    by_request: dict[str, list[_Kind]] = defaultdict(list)
    for kind in all_kinds:
        for request in kind.requests:
            by_request[request].append(kind)
    causes: dict[int, _Kind] = {}
    for kind in kinds:
        cause = _cause(kind, by_request)
        if cause is not None:
            causes[id(kind)] = cause
    return {key: _root(cause, causes) for key, cause in causes.items()}


def _cause(kind: _Kind, by_request: Mapping[str, Sequence[_Kind]]) -> _Kind | None:
    shared: Counter[int] = Counter()
    leads: Counter[int] = Counter()
    others: dict[int, _Kind] = {}
    for request, moment in kind.requests.items():
        for other in by_request[request]:
            if owner_key(other.owner) != owner_key(kind.owner):
                others[id(other)] = other
                shared[id(other)] += 1
                leads[id(other)] += _leads(other.requests[request], moment)
    for key, count in shared.most_common():
        other = others[key]
        is_usual = count >= SHARED_REQUESTS * len(kind.requests) and leads[key] > 0
        if is_usual and (other.is_new or _explains(other, by_request)):
            return other
    return None


def _leads(first: datetime, second: datetime) -> int:
    """1 if the first moment is earlier, -1 if later; clocks are compared by the millisecond."""
    apart = int(second.timestamp() * 1000) - int(first.timestamp() * 1000)
    return (apart > 0) - (apart < 0)


def _explains(kind: _Kind, by_request: Mapping[str, Sequence[_Kind]]) -> bool:
    """Whether a normal error is usually followed by others: else it stands in every request."""
    own = owner_key(kind.owner)
    followed = sum(
        any(owner_key(other.owner) != own for other in by_request[request])
        for request in kind.requests
    )
    return 2 * followed >= len(kind.requests)


def _root(kind: _Kind, causes: Mapping[int, _Kind]) -> _Kind:
    passed = {id(kind)}
    while (cause := causes.get(id(kind))) is not None and id(cause) not in passed:
        passed.add(id(cause))
        kind = cause
    return kind


def _finding(
    kinds: Sequence[_Kind],
    followers: Mapping[int, Sequence[_Kind]],
    redact: Callable[[str], str],
    now: datetime,
) -> Finding:
    ranked = sorted(kinds, key=lambda kind: (kind.first_seen or now, -kind.count, kind.template))
    origin = ranked[0]
    following = [kind for one in ranked for kind in followers.get(id(one), ())]
    lines = [_sample(kind, redact) for kind in ranked[:MAX_KINDS]]
    count = sum(kind.count for kind in kinds)
    place = next(iter(origin.places.values()))
    evidence = [
        Evidence("log", lines[0]),
        Evidence("container", place.container),
        Evidence("errors in the log", _counted(kinds, count)),
    ]
    if following:
        names = dict.fromkeys(str(kind.owner) for kind in following)
        evidence.append(Evidence("followed by errors in", ", ".join(names)))
    members = dict.fromkeys(
        str(place.pod) for kind in (*ranked, *following) for place in kind.places.values()
    )
    members.pop(str(place.pod), None)
    last = max((kind.last_seen for kind in kinds if kind.last_seen), default=now)
    return Finding(
        detector="log_errors",
        problem=PROBLEM,
        reason="LogErrors",
        severity=Severity.HIGH if origin.is_new else Severity.INFO,
        title=_cut(f"{origin.owner.name}: {lines[0]}", MAX_TITLE_CHARS),
        involved=place.pod,
        owner=origin.owner,
        first_seen=origin.first_seen or now,
        last_seen=max(min(last, now), origin.first_seen or now),
        evidence=tuple(evidence),
        log_lines=tuple(lines),
        template=origin.template,
        members=tuple(members)[:MAX_MEMBERS],
        node=place.node,
        count=count,
    )


def _counted(kinds: Sequence[_Kind], count: int) -> str:
    lines = f"{count} line{'s' if count > 1 else ''}"
    return f"{lines} of {len(kinds)} kinds" if len(kinds) > 1 else lines


def _sample(kind: _Kind, redact: Callable[[str], str]) -> str:
    dated = [found.first for found in kind.samples if found.first.timestamp is not None]
    first = min(dated, key=lambda entry: entry.timestamp or _LATE, default=kind.samples[0].first)
    return redact(headline(first))


def _cut(text: str, most_chars: int) -> str:
    return text if len(text) <= most_chars else text[: most_chars - 1] + "…"

"""Reads a question by rules, without a model: names, namespaces, codes, period, intents. Pure.

The module is longer than others: most of it are tables of words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from core.questions import Intent, Reading
from core.timerange import parse_time_range
from knowledge.distil import search_text

_KINDS = frozenset(
    """
    pod pods po deployment deployments deploy statefulset statefulsets sts daemonset daemonsets ds
    replicaset replicasets rs job jobs cronjob cronjobs cj service services svc node nodes no team
    teams namespace namespaces ns ingress ingresses ing pvc pvcs pv pvs persistentvolumeclaim
    persistentvolumeclaims persistentvolume configmap configmaps cm secret secrets hpa
    horizontalpodautoscaler serviceaccount sa container containers app application workload
    """.split()  # noqa: SIM905  (one table reads better than eighty quotes)
)
_WEB = re.compile(r"^[a-z][a-z0-9+.-]*://")
_TOKEN = re.compile(r"[A-Za-z0-9_#][A-Za-z0-9._/:#-]*")
# Kubernetes draws suffixes from letters without vowels and digits without 0, 1 and 3, so that no
# word comes up by chance; older ones are hexadecimal.
_HASH = r"(?:[bcdfghjklmnpqrstvwxz2456789]{6,10}|[0-9a-f]{8,10})"
_POD_SUFFIX = re.compile(
    rf"-(?:{_HASH}-[bcdfghjklmnpqrstvwxz0-9]{{5}}|\d{{6,}}(?:-[a-z0-9]{{5}})?|\d{{1,3}}"
    r"|[bcdfghjklmnpqrstvwxz0-9]{5})$"
)
# Names that are also plain words count only where the sentence treats them as a name.
_PLAIN_WORDS = frozenset(
    """
    api app apps backend batch build cache central client config control core data database
    default demo dev edge events example external home image infra internal jobs live local log
    logs main mail market monitoring network node operations ops order orders payment platform prod
    production proxy public queue release report reports risk search security server shared shop
    shopping staging stage state storage store system team test tests tools trading user users web
    worker
    """.split()  # noqa: SIM905
)
_BEFORE_NAME = frozenset(
    """
    of for if when does do is are was were has have did why in on from to with about and or by the
    our owns own restart restarts scale behind between using affects namespace team service
    """.split()  # noqa: SIM905
)
_AFTER_NAME = frozenset(
    """
    is are was has keeps fails failed failing crashes crashing restarts restarting down goes went
    depends depend needs calls pending broken unhealthy dies died
    """.split()  # noqa: SIM905
)
# The platform itself; its API server's Service has this name too.
_PLATFORM = frozenset({"kubernetes", "k8s"})
# After these a plain word is most likely the verb or object of ordinary English.
_NEVER_BEFORE_NAME = frozenset({"i", "we", "you", "can", "could", "should", "would", "please"})

_STATUS_CODE = re.compile(r"(?<![\w.:/-])([1-5]\d\d)(s?)(?![\w:/%-]|\.\d)")
_CODE_CLASS = re.compile(r"(?<![\w.])([1-5]xx)(?:s|\b)", re.IGNORECASE)
_STATUS_WORDS = re.compile(
    r"\b(?:codes?|status(?:es)?|http|https|errors?|responses?|returns?|returned|returning|"
    r"answers?|answered|gets?|getting|throws?|statuscode)\b",
    re.IGNORECASE,
)
_UNITS_AFTER = re.compile(
    r"\s*(?:m|mi|gi|ki|mb|gb|ms|s|%|pods?|nodes?|lines?|times|replicas?|minutes?|hours?|seconds?|"
    r"days?|cores?|cpus?|rows?)\b",
    re.IGNORECASE,
)
_EXIT_CODE = re.compile(
    r"\b(?:exit(?:ed)?|exits|exit[- ]?code|return code|rc)\b(?:\s+(?:code|with|status|of|=|is))*\s*"
    r"[:=]?\s*(\d{1,3})\b",
    re.IGNORECASE,
)
_NAMED_ERRORS = re.compile(
    r"\b(?:ERR_[A-Z0-9_]+|E[A-Z]{4,}|[A-Z]{2,}-\d{3,}|(?:[a-z][\w$]*\.){1,6}[A-Z]\w+|"
    r"[A-Z][A-Za-z0-9]*[a-z0-9][A-Z][A-Za-z0-9]*|[A-Z]{2,}[a-z]+(?:[A-Z][a-z0-9]+)*|"
    r"[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)\b"
)
# CamelCase that names a kind, a product or a field, and no error.
_NO_ERRORS = frozenset(
    """
    StatefulSet DaemonSet ReplicaSet ReplicationController CronJob ConfigMap NetworkPolicy
    PersistentVolume PersistentVolumeClaim StorageClass ServiceAccount RoleBinding ClusterRole
    ClusterRoleBinding HorizontalPodAutoscaler VerticalPodAutoscaler PodDisruptionBudget
    CustomResourceDefinition CustomResource IngressClass PriorityClass LimitRange ResourceQuota
    EndpointSlice EndpointSlices NodePort LoadBalancer ClusterIP ExternalName PodSecurityPolicy
    ValidatingWebhookConfiguration MutatingWebhookConfiguration ServiceMonitor PrometheusRule
    StatefulSets DaemonSets ReplicaSets CronJobs ConfigMaps StockTraderX GitHub GitLab OpenShift
    PostgreSQL MySQL JavaScript TypeScript PagerDuty CloudNativePG RabbitMQ MongoDB OpenTelemetry
    OpenSSL LinkedIn StackOverflow DockerHub CoreDNS MiB GiB KiB PVCs PVs HPAs SLOs APIs CRDs IDs
    VMs IPs URLs DNSs EOFs JVMs CPUs
    """.split()  # noqa: SIM905
)
_LIMIT = re.compile(
    r"\b(?:last|latest|newest|recent|first|top|past)\s+(\d{1,3})\s+"
    r"(?!(?:s|sec|second|m|min|minute|h|hr|hour|d|day|w|week|month)s?\b)"
    r"|\b(\d{1,3})\s+(?:last|latest|newest|most recent|recent)\b",
    re.IGNORECASE,
)
_DIGIT_WORDS = {"three": 3, "five": 5, "ten": 10, "twenty": 20}
_LIMIT_WORDS = re.compile(
    r"\b(?:last|latest|newest|top)\s+(three|five|ten|twenty)\s+"
    r"(?!(?:sec|second|min|minute|hour|day|week|month)s?\b)",
    re.IGNORECASE,
)
_INTENTS = {
    Intent.IMPACT: r"impact|affect\w*|blast radius|who depends on|what depends on|depend(?:s)? on "
    r"(?:it|this|that)|(?:if|when|should) [\w./ -]{1,60}?(?:fail|goes? down|die|crash|break|is down"
    r"|is lost|go(?:es)? away|stops?|reboot|is drained)\w*|what (?:else )?(?:breaks|stops|suffers)"
    r"|what happens (?:if|when|to)|(?:fail\w*|down|los\w+|outage|does .{1,40}) hits?\b"
    r"|(?:is|are|be|gets?) hit\b|at risk|knock-?on|drain",
    Intent.OWNER: r"who(?:m| is|'s)? (?:owns?|do i|should|can i|to|maintains|runs|is responsible|"
    r"is on)|owner\w*|owns?|owned by|on[- ]?call|which team|what team|whose|responsible|escalat\w+|"
    r"whom|contact|who gets paged|page the",
    Intent.DEPENDENCIES: r"depend\w*|upstream|downstream|call graph|calls|talks? to|rel(?:y|ies) on"
    r"|needs\b|service graph|between [\w-]+ and [\w-]+ (?:calls|path)",
    Intent.LIMITS: r"limits?|requests? and limits|quotas?|resource requests?|how much (?:memory|cpu"
    r"|ram)|resources|memory (?:limit|request)|cpu (?:limit|request)",
    Intent.LOGS: r"(?<![/.\w-])logs?(?![/.\w-]|-\w)|log lines?|lines?\b|logged|stack ?traces?"
    r"|log entries|entries"
    r"|(?:last|latest|newest|recent) (?:\d+ |ten |five )?(?:critical |fatal )?(?:errors?|warnings?)"
    r"|error messages?|critical errors|show (?:me )?(?:all |the )?errors",
    Intent.METRICS: r"metrics?\b|utili[sz]ation|throughput|per second|qps|rps|chart|graph of|plot|"
    r"trend|peak\w*|sparkline|how (?:high|full|loaded|busy|often|many restarts|many times)|"
    r"(?:highest|lowest|average|maximum|minimum|max|mean|current) [\w %-]{0,30}?(?:latency|usage|"
    r"memory|cpu|disk|load|lag|restarts|p9\d|p50|value|of)\b|"
    r"(?:usage|p9\d|p50|latency|memory|cpu|disk|load|lag) [\w -]{0,40}?"
    r"(?:now|today|yesterday|right now|currently|over time|last \d|last hour|since)\b|"
    r"(?:usage|latency|p9\d|consumption|working set|consumer lag) of\b|"
    r"how (?:much|many) (?:(?!\b(?:may|can|should|must|is allowed)\b)[\w -]){1,60}? "
    r"us(?:e[sd]?|ing)\b|how (?:did|has|does) .{1,60}?"
    r"(?:move|change|develop|grow)\w*|close to|near(?:ing)? (?:its|the)|disk (?:used|usage)",
    Intent.SIMILAR: r"similar|happen(?:ed)? .{0,40}?before|seen .{0,60}?before"
    r"|(?:did|has|have|had|was|were|is) .{1,80}?\b(?:ever|before|in the past|already happened)\b"
    r"|how (?:was|were|did we) .{1,80}?(?:fix\w*|solv\w+|resolv\w+|repair\w*)"
    r"|(?:something|anything|incidents?) like|past incidents?|"
    r"previous incidents?|earlier incidents?|last time|post-?mortems?|incident reports?"
    r"|(?:happen\w*|seen|this|occur\w*|back|failed) again\b|\bagain\s*\??\s*$|"
    r"incidents? (?:with|about|like|of|on|involving)|history of|known issue|INC-\d+",
    Intent.STATUS: r"status|state of|healthy|health|running|ready|how (?:is|are) (?!.*\bto\b)|"
    r"what(?:'s| is) wrong|any (?:problem|issue|error)s?|broken|failing|crashing|pending|"
    r"is .*\bup\b|is .*\bdown\b|what is going on|what's going on|restarting|stuck|"
    r"not ready|problems?",
    Intent.WHY: r"why|causes?|root cause|reasons?|what(?:'s| is) wrong|explain|how come|due to|"
    r"what happened|keeps? (?:restart|crash|fail|dying)\w*",
    Intent.HOW: r"how (?:do|to|can|should|would|does)|steps|fix\w*|resolve|runbooks?|procedure|"
    r"what should|what can i do|what to do|mitigat\w+|recover\w*|remedy|workaround|troubleshoot\w*"
    r"|playbooks?|debug",
    Intent.CONFIG: r"config\w*|settings?|configmaps?|env(?:ironment)? (?:var\w*|block)|yaml|"
    r"manifests?|flags?|polic(?:y|ies)|parameters?|set up|setup|enable\w*|disable\w*|annotations?",
    Intent.CHANGES: r"what(?:'s|’s| has| have| had| else)? (?:just |recently )?changed"
    r"|what (?:did|was|were|has been|have been|got) [\w /-]{0,40}?(?:changed?|deployed|rolled out"
    r"|released|shipped)\b|(?:any|the|all|recent|latest|last|our) (?:recent |config |latest )?"
    r"(?:changes|rollouts?|deploys) (?:in|to|of|on|for|before|since)\b"
    r"|who (?:\w+ )?(?:changed|deployed|edited|rolled out|scaled|touched|restarted)"
    r"|when was [\w /-]{1,40}? (?:last )?(?:deployed|rolled out|released|changed|edited|restarted)"
    r"|did (?:any|some)(?:one|body|thing) (?:change|deploy|edit|touch|scale|roll)",
    Intent.INVESTIGATE: r"investigate\b|investigation (?:of|on|for)|diagnose\b|triage\b"
    r"|(?:look|dig) into\b",
}
_INTENT_RULES = {
    intent: re.compile(rf"\b(?:{pattern})", re.IGNORECASE) for intent, pattern in _INTENTS.items()
}


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int


def read_question(
    question: str,
    names: Collection[str],
    namespaces: Collection[str],
    now: datetime,
    zone: tzinfo,
) -> Reading:
    """Read a question.

    Args:
        question: The words as asked, without the bot's mention.
        names: What the cluster and the graph know: workloads, services, nodes, teams.
        namespaces: Namespaces they know.
        now: The present, for "last 2h"; aware.
        zone: The asker's, for "since 9:30".
    """
    found_names, found_namespaces = _names(question, names, namespaces)
    limit = _LIMIT.search(question)
    limit_word = _LIMIT_WORDS.search(question)
    count = int(limit[1] or limit[2]) if limit else None
    if count is None and limit_word:
        count = _DIGIT_WORDS[limit_word[1].lower()]
    return Reading(
        question=question,
        search_text=search_text(question),
        names=found_names,
        namespaces=found_namespaces,
        codes=tuple(dict.fromkeys(_codes(question, set(found_names)))),
        time_range=parse_time_range(question, now, zone),
        intents=frozenset(
            intent for intent, rule in _INTENT_RULES.items() if rule.search(question)
        ),
        limit=count or None,
    )


def _codes(question: str, names: Collection[str]) -> Iterator[str]:
    """Status codes next to words that make them such, exit codes, and named errors."""
    for match in _NAMED_ERRORS.finditer(question):
        word = match[0]
        if word not in _NO_ERRORS and word.lower() not in names and not word.endswith(".Name"):
            yield word
    for match in _EXIT_CODE.finditer(question):
        yield match[1]
    for match in _CODE_CLASS.finditer(question):
        yield match[1].lower()
    for match in _STATUS_CODE.finditer(question):
        before = " ".join(question[: match.start()].split()[-4:])
        after = " ".join(question[match.end() :].split()[:2])
        if _UNITS_AFTER.match(question, match.end()):
            continue
        if match[2] or _STATUS_WORDS.search(before) or _STATUS_WORDS.search(after):
            yield match[1]


def _names(
    question: str, names: Collection[str], namespaces: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and namespaces, those first that are surest: with a kind, then longer ones."""
    by_lower = {name.lower(): name for name in names}
    spaces = {name.lower(): name for name in namespaces}
    tokens = [
        _Token(match[0].rstrip(".:/#-"), match.start()) for match in _TOKEN.finditer(question)
    ]
    ranked: dict[str, int] = {}
    found_spaces: dict[str, None] = {}
    used: set[int] = set()

    def take(name: str, rank: int) -> None:
        ranked[name] = max(rank, ranked.get(name, 0))

    for name, span in _written_apart(tokens, by_lower):
        take(name, 3)
        used.update(span)
    for index, token in enumerate(tokens):
        if index in used:
            continue
        space, rest = _split(token.text.lower(), spaces, by_lower)
        if space:
            found_spaces[spaces[space]] = None
        if "/" not in token.text and _means_namespace(tokens, index, spaces, by_lower):
            found_spaces[spaces[rest]] = None
            continue
        if rest in _PLATFORM and not space and not _is_kind_beside(tokens, index):
            continue
        for name, rank in _matches(rest, by_lower):
            if rank >= 3 or space or _is_used_as_name(tokens, index, name):
                take(name, rank)
    order = sorted(ranked, key=lambda name: -ranked[name])
    return tuple(order), tuple(found_spaces)


def _written_apart(
    tokens: Sequence[_Token], by_lower: dict[str, str]
) -> Iterator[tuple[str, range]]:
    """Names whose parts stand as words of their own: "order gateway"."""
    used: set[int] = set()
    for width in (3, 2):
        for index in range(len(tokens) - width + 1):
            span = range(index, index + width)
            joined = "-".join(tokens[at].text.lower() for at in span)
            if joined in by_lower and not used & set(span):
                used.update(span)
                yield by_lower[joined], span


def _split(word: str, spaces: Collection[str], names: dict[str, str]) -> tuple[str, str]:
    """("shop", "payments") of "shop/payments" or "deployment/shop/payments", else ("", …).

    An address says the same: "redis.platform:6379", "http://payments.shop.svc/healthz".
    """
    space = ""
    parts = [part for part in re.split(r"[/:=]", _WEB.sub("", word)) if part]
    while len(parts) > 1 and (parts[0].partition(".")[0] in _KINDS or parts[0] in spaces):
        if parts[0] in spaces:
            space = parts[0]
        parts.pop(0)
    rest = parts[0] if parts else ""
    host, *domain = rest.split(".")
    if domain and any(_matches(host, names)):
        behind = next((label for label in domain if label in spaces), "")
        if behind:
            return behind, host
    return space, rest


def _matches(word: str, by_lower: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Known names behind a word with how sure that is: 3 needs no help from the sentence."""
    word = re.sub(r"^#?team-", "", word.removesuffix("'s").removesuffix("’s"))
    if word in by_lower:
        yield by_lower[word], 3 if "-" in word or word not in _PLAIN_WORDS else 1
        return
    for form in (word.removesuffix("s"), f"{word}s"):
        if form != word and form in by_lower and len(form) > 3:
            yield by_lower[form], 2 if word not in _PLAIN_WORDS else 1
            return
    base = word
    # "name-<template hash>-<5>" first, else one part at a time.
    while match := _POD_SUFFIX.search(base):
        base = base[: match.start()]
        if base in by_lower:
            yield word, 5
            yield by_lower[base], 4
            return


def _is_used_as_name(tokens: Sequence[_Token], index: int, name: str) -> bool:
    """Whether the words around treat a plain word as the name of a thing."""
    before = tokens[index - 1].text.lower() if index else ""
    after = tokens[index + 1].text.lower() if index + 1 < len(tokens) else ""
    if before in _NEVER_BEFORE_NAME:
        return False
    if before in _KINDS or after in _KINDS or after in _AFTER_NAME or before in _BEFORE_NAME:
        return True
    # The whole question is the name, or a list of names: "cart?", "payments and cart".
    return len(tokens) <= 2 or (index == 0 and name.lower() not in {"search", "test", "log"})


def _is_kind_beside(tokens: Sequence[_Token], index: int) -> bool:
    beside = tokens[max(0, index - 1) : index + 2]
    return any(token.text.lower() in _KINDS for token in beside if token is not tokens[index])


def _means_namespace(
    tokens: Sequence[_Token], index: int, spaces: Collection[str], names: Collection[str]
) -> bool:
    """Whether a word is the name of a namespace rather than of a service or team, or no name."""
    word = tokens[index].text.lower()
    if word not in spaces:
        return False
    before = tokens[index - 1].text.lower() if index else ""
    following = [token.text.lower() for token in tokens[index + 1 :]]
    # "the shop and trading namespaces"
    after = next((each for each in following if each not in {"and", "or", *spaces}), "")
    if before in {"namespace", "ns", "n", "namespaces"} or after == "namespaces":
        return True
    if following and following[0] in {"namespace", "ns"}:
        return True
    if word in names:
        return False
    return before in {"in", "of", "from", "for", "on", "to", "and", "or"} or (
        word not in _PLAIN_WORDS
    )

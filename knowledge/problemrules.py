"""Rules that tell the class of an error text by its words. Pure; the classes are in `problems`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Strength(IntEnum):
    """How much a rule's words decide."""

    WORD = 0
    """Stands in many texts: "Exception"."""
    SYMPTOM = 1
    """What is seen of many causes: "timed out"."""
    STATE = 2
    """What a component says of itself: "CrashLoopBackOff", "401 Unauthorized"."""
    CAUSE = 3
    """Names the cause: "OOMKilled", "no such host"."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Words that decide for a class."""

    problem: str
    strength: Strength
    pattern: re.Pattern[str]


def _rules(strength: Strength, **words: str) -> tuple[Rule, ...]:
    return tuple(
        Rule(name.replace("_", "-"), strength, re.compile(pattern, re.IGNORECASE))
        for name, pattern in words.items()
    )


# Of several rules of one strength the first decides, unless a model is asked.
RULES: Final = (
    *_rules(
        Strength.CAUSE,
        oom=r"\boom-?killed\b|OutOfMemory(?:Error|Exception)|\bout of memory\b"
        r"|\boom[-_ ]kill|reached heap limit|used more memory than its limit"
        r"|\bMemoryError\b|cannot allocate memory"
        r"|exit(?:ed)?(?: with)?(?: code)?[: =]+137\b|\boom_reaper\b|\bOOM\b"
        r"|killed process \d+|memory\.max\b",
        disk_full=r"no space left|\bENOSPC\b|\bdisk (?:is )?full\b|disk quota exceeded"
        r"|disk watermark|disk quota reached|log director(?:y|ies) \S+ offline"
        r"|100 ?% (?:full|used)|file ?system (?:is )?full",
        image_pull=r"\bErrImage\w+|ImagePullBackOff|InvalidImageName|failed to pull image"
        r"|back-off pulling|pull access denied|manifest unknown"
        r"|manifest for \S+ not found|ImageInspectError|unable to inspect image"
        r"|\bregistry\S* .{0,40}\b404\b|httpReadSeeker|exec format error"
        r"|(?:failed|unable|denied).{0,40}\b(?:fetch|pull|resolve)\w* .{0,60}"
        r"\b(?:registry|image)\b",
        config_error=r"CreateContainerConfigError|\b(?:configmap|secret)s? \S+ not found"
        r"|couldn'?t find key|references non-existent (?:config|secret) key"
        r"|could not resolve placeholder|\bKeyError: .[A-Z][A-Z0-9]*_[A-Z0-9_]+"
        r"|os\.environ",
        cannot_create_pods=r"exceeded quota|violates PodSecurity|failed calling webhook"
        r"|admission webhook \S+ denied|pods? \S+ is forbidden|\bFailedCreate\b"
        r"|per Container is|Error creating: ",
        pvc=r"unbound (?:immediate )?PersistentVolumeClaim|storageclass\S* \S+ not found"
        r"|ProvisioningFailed|failed to provision volume|FailedBinding"
        r"|no persistent volumes available|waiting for a volume to be created"
        r"|waiting for first consumer|no topology key",
        stuck_creating=r"MountVolume\.|\bFailedMount\b|FailedAttachVolume|unable to attach or mount"
        r"|Multi-Attach error|AttachVolume\.|Node(?:Stage|Publish)Volume|MountDevice"
        r"|mount(?:ing)? (?:failed|of )|disk is in use|pod ?sandbox"
        r"|NetworkPluginNotReady|network plugin is not ready",
        node_not_ready=r"\bNodeNotReady\b|kubelet stopped posting|PLEG is not healthy"
        r"|container runtime (?:is down|not ready|network not ready)"
        r"|node \S+ is not ready|NodeStatusUnknown|lost contact"
        r"|node \S+ has been rebooted",
        not_ready=r"(?:readiness|liveness|startup) probe (?:failed|errored)"
        r"|fail(?:ed|ing|s)? (?:its |the )?(?:readiness|liveness|startup) probe"
        r"|health ?check .{0,60}(?:fail|503|unhealthy|not pass)|removed from load balanc",
        rollout_stuck=r"ProgressDeadlineExceeded|exceeded its progress deadline"
        r"|timed out progressing"
        r"|rollout status.{0,80}(?:waited|gave up|timed out)"
        r"|old replicas are pending termination",
        job_failed=r"BackoffLimitExceeded|specified backoff limit"
        r"|active longer than specified deadline|missed start times"
        r"|\b(?:cron)?job \S+ (?:has )?failed|\bcronjob\b.{0,80}did not complete",
        hpa_cannot_act=r"FailedGet\w*Metrics?\b|FailedComputeMetricsReplicas"
        r"|unable to compute the replica count|unable to (?:get|fetch) metrics"
        r"|unable to fully scrape|<unknown>/\d+ ?%",
        dns=r"no such host|name or service not known|name resolution|\bEAI_AGAIN\b"
        r"|\bENOTFOUND\b|UnknownHost|could not resolve host|\bNXDOMAIN\b|\bSERVFAIL\b"
        r"|server misbehaving"
        r"|:53: (?:i/o timeout|read: connection refused|connection refused)"
        r"|plugin/errors: 2",
        tls=r"\bx509\b|\bcertificate (?:has |is |verify |signed |expired|unknown|required)"
        r"|bad certificate|SSLHandshake|TLS handshake|SSL routines|PKIX path"
        r"|self[- ]signed|unknown authority|SSL certificate|issuer certificate"
        r"|hostname mismatch|doesn't match any of the subject",
        deadlock=r"deadlock|lock wait timeout|could not obtain lock|LockNotAvailable"
        r"|waits? for .{0,40}\block|could not serialize access",
        network_policy=r"\bNetworkPolicy\b|policy denied|denied by (?:network )?policy"
        r"|\bdefault-deny\b"
        r"|\b(?:REJECT|DROP) IN=",
    ),
    *_rules(
        Strength.STATE,
        evicted=r"\bevicted\b|was low on resource|usage exceeds the total limit",
        node_pressure=r"\b(?:disk|memory|pid) ?pressure\b"
        r"|NodeHas(?:InsufficientMemory|DiskPressure|InsufficientPID)"
        r"|reclaim (?:ephemeral-storage|memory)|eviction manager|system oom encountered"
        r"|rejected by pids controller|resource temporarily unavailable"
        r"|too many open files in system",
        unschedulable=r"FailedScheduling|nodes are available"
        r"|Insufficient (?:cpu|memory|pods|ephemeral|nvidia)|untolerated taint"
        r"|nodes? (?:are )?full\b|largest allocatable|node affinity|preemption victims"
        r"|\bunschedulable\b",
        crash_loop=r"CrashLoopBackOff|back-off restarting|restarted \d+ times",
        no_endpoints=r"not have any active endpoint|no endpoints|no healthy upstream"
        r"|no (?:active |ready )endpoints?|no (?:local |available )?backends?\b"
        r"|no live upstreams",
        config_error=r"environment variable \S+ (?:is )?(?:not set|missing|required|empty)"
        r"|cannot unmarshal|(?:invalid|missing|bad|unknown) config\w*"
        r"|(?:failed|unable) to (?:load|read|parse) config\w*|unknown flag"
        r"|missing required (?:setting|option|key|env)",
        rate_limit=r"\b429\b|too many requests|rate[- ]?limit|throttl|quota of \d+ calls"
        r"|requests per (?:second|minute)|Retry-After",
        auth=r"\b401\b|\b403\b|unauthorized|is forbidden: User|authentication failed"
        r"|access ?denied|not authorized|permission denied"
        r"|invalid (?:token|credentials|api key|password)|token (?:has |is )?expired"
        r"|\bNOAUTH\b|\bWRONGPASS\b|login (?:failed|denied)|access token|\bGSS\b"
        r"|denied for (?:user|role)",
        database=r"too many (?:clients|connections)|remaining connection slots|HikariPool"
        r"|QueuePool|pool (?:is )?exhausted|read-only transaction|read[- ]only replica"
        r"|\bORA-\d{4,5}\b|SQLSTATE|(?:relation|column|table) \S+ does not exist"
        r"|Undefined(?:Table|Column)|ProgrammingError|duplicate key value"
        r"|database system is (?:starting up|shutting down)|no primary|NoPrimary"
        r"|not (?:the )?(?:primary|master|leader)\b|cannot open database"
        r"|replication (?:lag|slot)",
        gc=r"Pause Full|\bGC pause|\bold gen\b|stop-the-world|\[GC\]"
        r"|concurrent mode failure|Evacuation Pause|\bGC\b.{0,40}\b(?:ms|s)\b",
        benign=r"\bdeprecated\b|Successfully \w+|already present on machine|\bsucceeded after\b"
        r"|\bsuccessfully\b|checkpoint complete",
    ),
    *_rules(
        Strength.SYMPTOM,
        oom=r"\bSIGKILL\b|signal: killed|signal 9\b",
        timeout=r"\btime[ds]?[ -]?out\b|timeout|deadline[ _]?exceeded|took longer than"
        r"|\bETIMEDOUT\b",
        http_5xx=r"(?:status|code|http\S*|error|responded|returned|answers|answered|replied|\")\D{0,12}\b5\d\d\b"
        r"|\b5\d\d (?:internal|bad gateway|service unavailable|gateway)"
        r"|internal server error|bad gateway|service unavailable",
        connection=r"connection refused|\bECONNREFUSED\b|connection reset|\bECONNRESET\b"
        r"|connection ?(?:forced|closed|aborted|lost)|closed the connection|broken pipe"
        r"|no route to host|network is unreachable|broker may not be available"
        r"|connection to .{1,80}(?:failed|could not be established)"
        r"|(?:could not|failed to|unable to|cannot) connect|max retries exceeded",
        app_error=r"NullPointer|\bpanic:|panicked at"
        r"|\b(?:Type|Key|Value|Index|Attribute|Assertion)Error\b|segmentation fault"
        r"|SIGSEGV|unhandled \w+|cannot read propert|\bERR_[A-Z_]+",
        benign=r"^\s*(?:\S+\s+){0,2}(?:INFO|DEBUG|TRACE|Normal)\b|^I\d{4} "
        r"|\blevel=(?:info|debug)\b",
    ),
    *_rules(
        Strength.WORD,
        app_error=r"exception\b|\btraceback\b|unhandled"
        r"|exit(?:ed)?(?: with)?(?: code)?[: =]+[12]\b",
        crash_loop=r"\brestart(?:s|ed|ing)?\b",
    ),
)

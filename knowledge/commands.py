"""Shell commands in text: which change something, which only look, which are safe to compose.

Pure, and cautious: what is not known to be read-only counts as changing.
"""

from __future__ import annotations

import re
import shlex

from knowledge.sentences import word_set

CHANGES_MARK = "⚠️ changes the cluster"

_PROGRAMS = (
    "kubectl|oc|helm|rm|dd|mkfs|kill|pkill|killall|systemctl|service|reboot|shutdown|terraform|tofu|"
    "docker|crictl|ctr|podman|redis-cli|etcdctl|git|argocd|flux|kustomize|kubeadm|psql|mysql|sudo|"
    "chmod|chown|iptables|curl|wget|mv|truncate|kafka-topics|kafka-topics.sh|aws|gcloud|az|eksctl|"
    "minikube|kind|k9s|stern|ansible|ansible-playbook|vault|consul|mongo|mongosh|journalctl|"
    "ls|cat|df|du|ps|top|free|dig|nslookup|ping|ss|netstat|grep|bash|sh|python|python3"
)
_PROGRAM = re.compile(rf"(?:{_PROGRAMS})", re.IGNORECASE)
# In prose a command is told from a word by what follows it: "kill the pod" is no command.
_IN_PROSE = re.compile(
    r"\b(?:kubectl|oc|helm|terraform|systemctl|crictl|etcdctl|argocd|kubeadm|redis-cli|docker)\s+"
    r"[-a-z][^\n`]*|\brm\s+-[^\n`]*|\bsudo\s+[^\n`]*|\bmkfs\S*\s[^\n`]*|\bdd\s+if=[^\n`]*"
    r"|\b(?:curl|wget)\s+[^\n`]*|\bkill\s+-\d+[^\n`]*",
    re.IGNORECASE,
)
_SQL = re.compile(
    r"\b(?:DROP\s+(?:TABLE|DATABASE|SCHEMA|INDEX|TOPIC|USER|COLUMN|VIEW)|TRUNCATE\s+(?:TABLE\s+)?\w+"
    r"|DELETE\s+FROM|ALTER\s+(?:TABLE|SYSTEM|USER|ROLE)|INSERT\s+INTO|UPDATE\s+\S+\s+SET"
    r"|FLUSHALL|FLUSHDB|pg_terminate_backend)\b",
    re.IGNORECASE,
)
_READ_VERBS = word_set(
    """get describe logs top explain events version cluster-info api-resources api-versions diff
    status history wait"""
)
_CHANGE_VERBS = word_set(
    """delete drain cordon uncordon taint scale autoscale apply create replace patch edit set label
    annotate expose run exec cp debug attach restart undo pause resume approve deny proxy
    port-forward certificate reconcile adm evict"""
)
_HELM_READ = word_set("list ls get status history show template search lint version env")
_READ_PROGRAMS = word_set(
    """ls cat df du ps top free dig nslookup ping ss netstat grep journalctl head tail wc sort uniq
    less stern"""
)
_FILTERS = frozenset(["grep", "head", "tail", "sort", "uniq", "wc", "less"])
_SYSTEMCTL_READ = frozenset(["status", "show", "list-units", "is-active", "cat"])
_GIT_READ = frozenset(["log", "show", "diff", "status", "blame"])
_SAFE_FLAGS = word_set(
    """-n --namespace -o --output -l --selector -A --all-namespaces --previous -p --tail --since
    --since-time -c --container --all-containers --sort-by --field-selector --show-labels
    --context --timestamps --containers --no-headers --for --types -i -E -v -c -w -B -C
    --limit-bytes"""
)
_SHELL_TRICKS = re.compile(r"[;&`$><\\\n*?{}]")


def words(command: str) -> list[str]:
    """The command's words, without prompt sign; on unbalanced quotes split at blanks."""
    line = re.sub(r"^\s*[$#>%]\s+", "", command.strip())
    try:
        return shlex.split(line, comments=False)
    except ValueError:
        return line.split()


def is_command(text: str) -> bool:
    """Whether a line or a code span starts with a program that is known here."""
    parts = words(text)
    return len(parts) > 1 and bool(_PROGRAM.fullmatch(parts[0]))


def is_changing(command: str) -> bool:
    """Whether a command line changes something, or is not known to only look."""
    if _SQL.search(command):
        return True
    if re.search(r"&&|;|\$\(|`|>(?!\s*/dev/null)|\bxargs\b|-exec\b|\|\s*(?:ba|z)?sh\b", command):
        parts = re.split(r"&&|;|\||\$\(|`|\n", command)
        return len(parts) < 2 or any(
            part.strip() and (not is_command(part) or is_changing(part)) for part in parts
        )
    return any(_changes(words(part)) for part in command.split("|") if part.strip())


def _changes(parts: list[str]) -> bool:
    program, rest = parts[0].lower(), [part.lower() for part in parts[1:]]
    plain = [part for part in rest if not part.startswith("-")]
    if program in {"kubectl", "oc"}:
        has_read = any(part in _READ_VERBS for part in plain) or {"auth", "can-i"} <= set(plain)
        return not has_read or any(part in _CHANGE_VERBS for part in plain)
    if program == "helm":
        return not plain or plain[0] not in _HELM_READ
    if program == "systemctl":
        return not plain or plain[0] not in _SYSTEMCTL_READ
    if program == "git":
        return not plain or plain[0] not in _GIT_READ
    if program == "sed":  # -i and the w command write files
        return any(part.startswith(("-i", "--in-place")) for part in rest) or "-n" not in rest
    return program not in _READ_PROGRAMS


def changing_commands(text: str, *, with_sql: bool = True) -> list[str]:
    """Commands and SQL in running text that change something; spans in backticks come whole."""
    spans = re.findall(r"`([^`\n]+)`", text)
    found = [span for span in spans if _is_changing_span(span, with_sql=with_sql)]
    bare = re.sub(r"`[^`\n]*`", " ", text)
    found += [m[0].rstrip(" .,:;)") for m in _IN_PROSE.finditer(bare) if is_changing(m[0])]
    return found + [m[0] for m in _SQL.finditer(bare) if with_sql]


def _is_changing_span(span: str, *, with_sql: bool) -> bool:
    if _SQL.search(span) and not is_command(span):
        return with_sql
    return is_command(span) and is_changing(span)


def block_changes(body: str) -> bool:
    """Whether a line of a command block changes something."""
    lines = re.sub(r"\\\s*\n", " ", body).splitlines()
    return any(_is_changing_span(line, with_sql=True) or changing_commands(line) for line in lines)


def bare_commands(text: str) -> list[str]:
    """Commands and changing SQL in running text outside backticks, whatever they do."""
    bare = re.sub(r"`[^`\n]*`", " ", text)
    return [m[0].rstrip(" .,:;)") for p in (_IN_PROSE, _SQL) for m in p.finditer(bare)]


def normal(text: str) -> str:
    """Text as commands are compared: line continuations joined, blanks folded."""
    return re.sub(r"\s+", " ", re.sub(r"\\\s*\n", " ", text)).strip()


def is_in(command: str, evidence: str) -> bool:
    """Whether a command stands word for word in the evidence (which went through `normal`)."""
    wanted = normal(re.sub(r"^\s*[$#>%]\s+", "", command))
    if not wanted:
        return False
    return bool(re.search(rf"(?<![\w/-]){re.escape(wanted)}(?![\w/-])", evidence))


def composable(command: str) -> list[str] | None:
    """For a read-only kubectl command that a model may put together itself: its free words.

    The caller must find each of the words in the evidence. None: this one may not be composed,
    because it changes something, reads Secrets, uses the shell, or has flags that are not known.
    """
    if _SHELL_TRICKS.search(command) or is_changing(command):
        return None
    free: list[str] = []
    for number, part in enumerate(command.split("|")):
        parts = words(part)
        if not parts or (parts[0] != "kubectl" if number == 0 else parts[0] not in _FILTERS):
            return None
        for word in parts[1:]:
            if word.startswith("-"):
                flag, _, value = word.partition("=")
                if flag not in _SAFE_FLAGS and not re.fullmatch(r"-n?\d+", flag):
                    return None
                free += [value] if value else []
            else:
                free.append(word)
    if any(re.match(r"secrets?\b", word, re.IGNORECASE) for word in free):
        return None
    return [word for word in free if word.lower() not in _READ_VERBS | _PLAIN_WORDS]


_PLAIN_WORDS = word_set(
    """pod pods po node nodes no deployment deployments deploy statefulset statefulsets sts service
    services svc endpoints ep endpointslices event pvc pv hpa job jobs cronjob cronjobs cj
    replicaset replicasets rs daemonset daemonsets ds ingress ing configmap configmaps cm
    namespace namespaces ns quota resourcequota limitrange pdb storageclass storageclasses sc all
    rollout auth can-i wide yaml json name resource cpu memory"""
)

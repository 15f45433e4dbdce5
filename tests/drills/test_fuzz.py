"""Every parser of data from outside, fed with what was spoilt at random: nothing unexpected.

`make drills` gives each 100,000 inputs (`--fuzz-inputs`).
"""

from __future__ import annotations

import itertools
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.blocks.answer import lay_out
from bot.blocks.markdown import split_markdown
from bot.commands.routing import route
from bot.commands.table import COMMANDS
from bot.config_file import load_config_file
from bot.mrkdwn import clip_escaped, escape, escape_markdown, settled, unescape
from bot.services import EdgeLimits
from bot.threads import said_in, turns, words_of
from cluster.alertmanager import read_delivery
from cluster.client import ClusterClient
from cluster.decode import decode_change, decode_page
from cluster.describe import describe
from cluster.detectors.table import DETECTORS
from cluster.kinds import BY_NAME
from cluster.objects import KubeObject
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from cluster.topology import topology_of
from core.answers import Answer, Scope
from core.errors import ClusterError, KnowledgeError, SettingsError
from core.linegroups import group_lines
from core.logformats import read_line
from core.logscan import scan
from core.redact import Redactor
from core.templates import Templates
from knowledge.backstage import entity_of, graph_of
from knowledge.chunks import chunk_markdown
from knowledge.classifier import Choice
from knowledge.documents import Entry, UnreadableError
from knowledge.graph import parse_graph
from knowledge.graphcsv import parse_csv_graph
from knowledge.logtable import LogTable
from knowledge.markdownpages import read_page
from knowledge.metrics import MetricTable
from knowledge.reading import read_question
from knowledge.searchquery import parse_search
from knowledge.structured import BadReplyError, parse
from knowledge.yamltext import load_yaml_documents
from sandbox.cluster.world import shop_recording
from tests.drills.mutation import (
    attack,
    deep,
    endless,
    mutated_bytes,
    mutated_json,
    mutated_text,
)

pytestmark = [pytest.mark.drill, pytest.mark.timeout(7200)]

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
KNOWLEDGE = Path("sandbox/knowledge")
ENTRY = Entry("runbooks/payments.md", "1", NOW)
NAMES = frozenset({"payments", "cart", "checkout-6d5f-abcde", "node-1", "team-blue"})
TYPED = (
    "ask why is payments crash-looping since 10:30?",
    "limits payments --model ollama:llama3.1",
    "errors 10 last 2h ns:shop code:503",
    'search source:logs after:2026-03-01 team:blue `OOMKilled` "exit code 137"',
    "digest 24h",
    "impact node-1",
    "<@U0BOT> what changed in <#C1|ops> before <https://x.example/a?b=c|this>?",
    "schedule",
)
MARKDOWN = tuple(path.read_text() for path in sorted(KNOWLEDGE.rglob("*.md")))
LOG_LINES = (
    "2026-03-04T10:00:00.123Z ERROR [main] o.a.Payment - refused order 17: timeout after 30 s",
    '{"ts":"2026-03-04T10:00:00Z","level":"error","msg":"refused","stack":"a\\n\\tat b"}',
    "E0304 10:00:00.123456       1 controller.go:42] Reconciler error: not found",
    'level=error ts=2026-03-04T10:00:00Z caller=main.go:1 msg="no \\"space\\" left"',
    "<3>Mar  4 10:00:00 node-1 kernel: Out of memory: Killed process 1 (java)",
    '10.0.0.1 - - [04/Mar/2026:10:00:00 +0000] "GET /pay HTTP/1.1" 503 12',
    'Traceback (most recent call last):\n  File "a.py", line 1, in b\nValueError: no\n',
    "java.lang.IllegalStateException: no\n\tat a.b.C.d(C.java:1)\n\t... 3 more\nCaused by: e: f\n",
    "panic: runtime error: no\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:1\n",
    "password=hunter2hunter2 Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
)
ALERTS = {
    "version": "4",
    "status": "firing",
    "truncatedAlerts": 0,
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "PodDown", "severity": "critical", "namespace": "shop"},
            "annotations": {"summary": "payments is down", "runbook_url": "https://x.example/r"},
            "startsAt": "2026-03-04T10:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://x.example/g",
            "fingerprint": "abc",
        }
    ],
}
CATALOGUE = {
    "apiVersion": "backstage.io/v1alpha1",
    "kind": "Component",
    "metadata": {
        "name": "cart",
        "annotations": {"backstage.io/kubernetes-id": "cart"},
        "links": [],
    },
    "spec": {
        "type": "service",
        "owner": "group:blue",
        "dependsOn": ["component:payments", "resource:db"],
        "providesApis": ["cart-api"],
        "consumesApis": ["pay-api"],
    },
}
KUBECONFIG = """apiVersion: v1
kind: Config
current-context: a
contexts:
- name: a
  context: {cluster: c, user: u, namespace: shop}
clusters:
- name: c
  cluster: {server: "http://127.0.0.1:1", insecure-skip-tls-verify: true}
users:
- name: u
  user: {token: abc, username: x, password: y}
"""
CONFIG = """clusters:
- name: prod
  context: prod
schedules:
- name: daily
  channel: C1
  cron: "0 8 * * *"
  timezone: Europe/Berlin
thresholds:
  restarts: 3
"""
CSV_LOG = (
    "2026-03-04T10:00:00Z,ERROR,shop,cart-79b6d5c8f4-t7v3n,cart,503,upstream gave 503",
    '2026-03-04 11:20:00,WARN,platform,kafka-0,kafka,,"slow, ""disk"""',
    "1772622000,debug,platform,redis-0,redis,ERR_A,epoch seconds",
)
CSV_METRIC = ("2026-03-04T10:00:00Z,cart_latency_ms,12.5", "1772622000,node_1_memory_bytes,1e9")
ROWS_A_FILE = 200

Inputs = Iterator[Any]


def slash_text(text: str) -> None:
    """What people type after the command, and what stands in messages."""
    typed = unescape(text)
    route(typed, COMMANDS, EdgeLimits())
    parse_search(typed, NOW, UTC)
    read_question(typed, NAMES, frozenset({"shop"}), NOW, UTC)
    words_of(text, "U0BOT")
    message = {"text": text, "user": "U1", "attachments": [{"fallback": text}]}
    turns([message, message], said_in(message, "U0BOT"))


def model_text(text: str) -> None:
    """What a model says goes to Slack; must fit, and must escape."""
    for part in split_markdown(escape_markdown(settled(text)), 3_000):
        assert len(part) <= 3_000
    assert "<" not in clip_escaped(escape(text), 100)
    lay_out(Answer("why?", text), "ab12", NOW)


def model_json(text: str) -> None:
    parse(text, Choice)


def page(text: str) -> None:
    for document in read_page(text, ENTRY):
        chunk_markdown(document.text, document.title)


def log_text(text: str) -> None:
    read_line(text)
    scan(text)
    group_lines(text)
    Templates().of(text)
    redacted = REDACTOR.redact(text)
    assert REDACTOR.redact(redacted) == redacted


def kube_list(raw: bytes) -> None:
    """A page of a list, or a line of a watch, as bytes."""
    for kind in ("Pod", "Event", "Node"):
        decode_page(raw, BY_NAME[kind].struct)
    decode_change(raw, BY_NAME["Pod"].struct)


def kube_objects(objects: list[tuple[str, Any]]) -> None:
    """What came through decoding is what every rule must stand."""
    found: dict[type[KubeObject], list[KubeObject]] = defaultdict(list)
    for kind, plain in objects:
        struct = BY_NAME[kind].struct
        with suppress(ValueError):  # half a surrogate pair: no API server writes one
            found[struct] += decode_page(as_json({"items": [plain]}), struct).items
    snapshot = Snapshot("prod", NOW, {struct: tuple(items) for struct, items in found.items()})
    findings = [
        finding for detect in DETECTORS.values() for finding in detect(snapshot, NOW, THRESHOLDS)
    ]
    topology_of(snapshot)
    for obj in itertools.chain.from_iterable(found.values()):
        describe(snapshot, obj, findings)


def webhook(body: bytes) -> None:
    read_delivery(json.loads(body))


def catalogue(documents: Any) -> None:
    entities = documents if isinstance(documents, list) else [documents]
    problems: list[str] = []
    read = [entity_of(data, "here", problems) for data in entities]
    graph_of([entity for entity in read if entity], "here", NOW, problems)


def yaml_graph(text: str) -> None:
    graph = parse_graph(text, "graph.yaml")
    for name in list(graph.services)[:5]:
        graph.impact(name)


def csv_graph(text: str) -> None:
    parse_csv_graph(text, text, "calls.csv")


REDACTOR = Redactor(b"key")
THRESHOLDS = Thresholds()
OBJECTS = [obj for obj in shop_recording(NOW)[0] if obj["kind"] in BY_NAME]


def spoilt(
    mutate: Callable[[random.Random, Any], Any],
    *samples: Any,
    written: Callable[[Any], Any] = lambda sample: sample,
) -> Inputs:
    """Samples as they are, then spoilt ones without end."""
    yield from map(written, samples)
    yield from endless(mutate, samples)


def few_objects(rng: random.Random, sample: list[Any]) -> list[tuple[str, Any]]:
    """Some objects of a cluster with their kinds, one of them spoilt."""
    spoilt_one, *others = rng.sample(sample, 3)
    return [
        (spoilt_one["kind"], mutated_json(rng, spoilt_one)),
        *((other["kind"], other) for other in others),
    ]


def as_json(sample: Any) -> bytes:
    return json.dumps(sample).encode()


def spoilt_json(rng: random.Random, sample: Any) -> bytes:
    """JSON with odd values, or JSON no longer."""
    if rng.random() < 0.3:
        return mutated_bytes(rng, as_json(sample))
    return as_json(mutated_json(rng, sample))


TARGETS: dict[str, tuple[Callable[[Any], object], Inputs, tuple[type[Exception], ...]]] = {
    "what people type": (slash_text, spoilt(mutated_text, *TYPED), ()),
    "what a model says": (model_text, spoilt(mutated_text, *MARKDOWN[:40]), ()),
    "a model's JSON": (
        model_json,
        spoilt(mutated_text, '{"problem": "crash_loop"}', f'{{"problem": {deep(5_000)}}}'),
        (BadReplyError,),
    ),
    "Markdown pages": (page, spoilt(mutated_text, *MARKDOWN), (UnreadableError,)),
    "log lines": (log_text, spoilt(mutated_text, *LOG_LINES), ()),
    "lists of the cluster": (
        kube_list,
        spoilt(
            spoilt_json,
            *({"items": [obj], "metadata": {}} for obj in OBJECTS[:60]),
            written=as_json,
        ),
        (ValueError,),
    ),
    "objects of the cluster": (kube_objects, endless(few_objects, [OBJECTS]), ()),
    "Alertmanager's webhook": (
        webhook,
        spoilt(spoilt_json, ALERTS, written=as_json),
        (ValueError,),
    ),
    "Backstage's catalogue": (
        catalogue,
        spoilt(mutated_json, [CATALOGUE, CATALOGUE | {"kind": "API"}]),
        (),
    ),
    "YAML": (
        load_yaml_documents,
        spoilt(mutated_text, KUBECONFIG, CONFIG, deep(2_000)),
        (ValueError,),
    ),
    "the graph's YAML": (
        yaml_graph,
        spoilt(mutated_text, (KNOWLEDGE / "graph.yaml").read_text()[:1_500]),
        (KnowledgeError,),
    ),
    "the graph's CSV": (
        csv_graph,
        spoilt(mutated_text, "from,to,namespace,team\ncart,payments,shop,blue\npayments,db,,\n"),
        (KnowledgeError,),
    ),
}


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_unexpected_comes_of(name: str, fuzz_inputs: int) -> None:
    parse_it, inputs, allowed = TARGETS[name]
    attack(parse_it, inputs, fuzz_inputs, allowed)


@pytest.mark.parametrize(
    ("make", "header", "samples"),
    [
        (LogTable, "timestamp,level,namespace,pod,container,code,message", CSV_LOG),
        (MetricTable, "timestamp,metric,value", CSV_METRIC),
    ],
)
def test_rows_of_csv_are_used_or_counted(
    make: Callable[[str], LogTable | MetricTable],
    header: str,
    samples: tuple[str, ...],
    fuzz_inputs: int,
    tmp_path: Path,
) -> None:
    """Rows of one file at a time; a file that is no CSV any more is told by its name."""
    file = tmp_path / "rows.csv"
    reading = read_question("errors of cart latency 503 today", NAMES, frozenset(), NOW, UTC)

    def load(rows: list[str]) -> None:
        text = "\n".join([header, *rows])
        file.write_text(text, encoding="utf-8", errors="surrogatepass")
        table = make(str(file))
        try:
            table.table.refresh()
            loaded = table.count()
            lost = dict(table.table.problems)
            assert loaded <= text.count("\n") + text.count("\r")
            assert loaded or lost or not "".join(rows).strip()
            table.facts(reading, Scope(), UTC)
        finally:
            table.table.close()

    def files() -> Iterator[list[str]]:
        yield list(samples)
        rng = random.Random(1)  # noqa: S311  (a test's choice, no secret)
        while True:
            yield [mutated_text(rng, rng.choice(samples)) for _ in range(ROWS_A_FILE)]

    attack(load, files(), max(2, fuzz_inputs // ROWS_A_FILE))


def test_a_configuration_file_is_used_or_refused_by_name(fuzz_inputs: int, tmp_path: Path) -> None:
    file = tmp_path / "opsbot.yaml"

    def load(text: str) -> None:
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        load_config_file(file)

    attack(load, spoilt(mutated_text, CONFIG, deep(3_000)), fuzz_inputs, (SettingsError,))


async def test_a_kubeconfig_is_used_or_refused(fuzz_inputs: int, tmp_path: Path) -> None:
    file = tmp_path / "config"
    inputs = spoilt(mutated_text, KUBECONFIG)
    used = 0
    for number in range(fuzz_inputs):
        text = next(inputs)
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            client = await ClusterClient.from_kubeconfig(str(file), None, "prod")
        except ClusterError:
            continue
        except Exception as error:
            raise AssertionError(f"input {number}: {text!r}") from error
        used += 1
        await client.close()
    assert used

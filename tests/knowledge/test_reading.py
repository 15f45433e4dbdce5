"""Questions read by rules: one table of phrasings, then what the table cannot say."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.questions import Intent, Reading
from knowledge.reading import read_question

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
NAMES = frozenset(
    """
    frontend catalog search cart checkout payments inventory email-worker order-gateway
    matching-engine market-data risk-engine ledger kafka redis orders-db log-forwarder prometheus
    nightly-reconciliation worker-1 worker-2 worker-3 orders trading platform storefront data
    """.split()  # noqa: SIM905
)
NAMESPACES = frozenset({"shop", "trading", "platform", "batch", "kube-system"})
I = Intent  # noqa: E741  (forty rows read better with one letter)


@dataclass(frozen=True)
class Case:
    """A phrasing with what must be read in it; `intents` are those that must be among others."""

    question: str
    names: tuple[str, ...] = ()
    spaces: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    intents: frozenset[Intent] = field(default_factory=frozenset)
    limit: int | None = None


def case(question: str, *names: str, **rest: object) -> Case:
    known = {key: value if key == "limit" else tuple(value) for key, value in rest.items()}  # type: ignore[arg-type]
    intents = frozenset(known.pop("intents", ()))  # type: ignore[call-overload]
    return Case(question, names, intents=intents, **known)  # type: ignore[arg-type]


CASES = [
    # names
    case("Why does payments keep restarting?", "payments", intents=[I.WHY, I.STATUS]),
    case("what is wrong with shop/payments", "payments", spaces=["shop"], intents=[I.STATUS]),
    case("describe deployment/checkout", "checkout"),
    case("deploy/checkout in ns shop", "checkout", spaces=["shop"]),
    case("pod payments-6c9d8b7f5b-x2k4q crashes", "payments-6c9d8b7f5b-x2k4q", "payments"),
    case("logs of kafka-1", "kafka-1", "kafka", intents=[I.LOGS]),
    case("nightly-reconciliation-29384715-8kx2p failed", "nightly-reconciliation-29384715-8kx2p",
         "nightly-reconciliation"),
    case("log-forwarder-c8x5n does not mount", "log-forwarder-c8x5n", "log-forwarder"),
    case("is the order gateway slow?", "order-gateway"),
    case("what is the orders db doing", "orders-db"),
    case("REDIS is down", "redis", intents=[I.STATUS]),
    case("redis's memory", "redis"),
    case("the payment pods", "payments"),
    case("carts are lost", "cart"),
    case("cart?", "cart"),
    case("#team-orders please look", "orders"),
    case("which services does team orders own", "orders", intents=[I.OWNER]),
    case("how do I search logs", intents=[I.HOW, I.LOGS]),
    case("why is search pending", "search", intents=[I.WHY, I.STATUS]),
    case("we store data in a volume"),
    case("how do I roll back cart?", "cart", intents=[I.HOW]),
    case("compare checkout and cart", "checkout", "cart"),
    case("what is a StatefulSet"),
    case("worker-3 is NotReady", "worker-3", codes=["NotReady"]),
    case("node worker-2 has disk pressure", "worker-2"),
    # namespaces
    case("pods in shop", spaces=["shop"]),
    case("anything broken in namespace trading?", spaces=["trading"], intents=[I.STATUS]),
    case("kubectl -n kube-system get pods", spaces=["kube-system"]),
    case("what runs in the batch namespace", spaces=["batch"]),
    case("trading/risk-engine fails", "risk-engine", spaces=["trading"]),
    # changes and investigations
    case("what changed in shop since 9:30?", spaces=["shop"], intents=[I.CHANGES]),
    case("what changed before payments broke?", "payments", intents=[I.CHANGES]),
    case("what has changed for checkout", "checkout", intents=[I.CHANGES]),
    case("what was rolled out in shop today", spaces=["shop"], intents=[I.CHANGES]),
    case("any rollouts of cart since noon?", "cart", intents=[I.CHANGES]),
    case("the latest config changes in shop", spaces=["shop"], intents=[I.CHANGES]),
    case("who scaled kafka?", "kafka", intents=[I.CHANGES]),
    case("when was market-data last released?", "market-data", intents=[I.CHANGES]),
    case("did somebody deploy payments?", "payments", intents=[I.CHANGES]),
    case("investigate checkout", "checkout", intents=[I.INVESTIGATE]),
    case("could you dig into risk-engine", "risk-engine", intents=[I.INVESTIGATE]),
    case("triage shop/cart please", "cart", spaces=["shop"], intents=[I.INVESTIGATE]),
    # codes
    case("which lines have code 503 between 10:00 and 11:00", codes=["503"], intents=[I.LOGS]),
    case("checkout returns 502s", "checkout", codes=["502"]),
    case("HTTP 404 from catalog", "catalog", codes=["404"]),
    case("5xx errors at the ingress", codes=["5xx"]),
    case("exit code 137", codes=["137"]),
    case("container exited with 1", codes=["1"]),
    case("we have 500 pods"),
    case("scale to 300 replicas"),
    case("after 503 ms"),
    case("OOMKilled again", codes=["OOMKilled"], intents=[I.SIMILAR]),
    case("CrashLoopBackOff of payments", "payments", codes=["CrashLoopBackOff"]),
    case("ErrImagePull vs ImagePullBackOff", codes=["ErrImagePull", "ImagePullBackOff"]),
    case("ERR_STOCK_SYNC", codes=["ERR_STOCK_SYNC"]),
    case("ORA-00942 in the report", codes=["ORA-00942"]),
    case("connect: ECONNREFUSED", codes=["ECONNREFUSED"]),
    case("java.lang.OutOfMemoryError", codes=["java.lang.OutOfMemoryError"]),
    case("psycopg.errors.DeadlockDetected", codes=["psycopg.errors.DeadlockDetected"]),
    case("CNPGClusterHAWarning fires", codes=["CNPGClusterHAWarning"]),
    case("a ConfigMap and a DaemonSet", codes=[]),
    case("what is StockTraderX"),
    # intents
    case("which services are affected if redis fails", "redis", intents=[I.IMPACT]),
    case("what happens when worker-3 goes down", "worker-3", intents=[I.IMPACT]),
    case("blast radius of kafka", "kafka", intents=[I.IMPACT]),
    case("who depends on ledger", "ledger", intents=[I.IMPACT, I.DEPENDENCIES]),
    case("who owns risk-engine", "risk-engine", intents=[I.OWNER]),
    case("who is on call for payments", "payments", intents=[I.OWNER]),
    case("whom do I call about cart", "cart", intents=[I.OWNER]),
    case("what does checkout depend on", "checkout", intents=[I.DEPENDENCIES]),
    case("upstream of inventory", "inventory", intents=[I.DEPENDENCIES]),
    case("memory limit of payments", "payments", intents=[I.LIMITS]),
    case("how much cpu does matching-engine get", "matching-engine", intents=[I.LIMITS]),
    case("show the last 10 critical errors", intents=[I.LOGS], limit=10),
    case("latest five log lines of redis", "redis", intents=[I.LOGS], limit=5),
    case("3 most recent errors", intents=[I.LOGS], limit=3),
    case("errors in the last 10 minutes"),
    case("is payments close to its memory limit", "payments", intents=[I.METRICS, I.LIMITS]),
    case("how much memory does redis use", "redis", intents=[I.METRICS]),
    case("p99 latency of checkout", "checkout", intents=[I.METRICS]),
    case("chart the disk usage of worker-2", "worker-2", intents=[I.METRICS]),
    case("have we seen this before", intents=[I.SIMILAR]),
    case("similar incidents to INC-2031", codes=["INC-2031"], intents=[I.SIMILAR]),
    case("is everything healthy", intents=[I.STATUS]),
    case("root cause of the deadlock", intents=[I.WHY]),
    case("runbook for a full disk", intents=[I.HOW]),
    case("which flags does the kubelet need", intents=[I.CONFIG]),
    # typed in a hurry: typos, no punctuation, no capitals
    case("y is payments restartin", "payments"),
    case("payments keeps dying whats the cause", "payments", intents=[I.WHY]),
    case("paymetns down"),
    case("chekout 502 errors", codes=["502"]),
    case("PAYMENTS CRASHING AGAIN", "payments", intents=[I.STATUS, I.SIMILAR]),
    case("help redis unreachable", "redis"),
    case("pls check cart", "cart"),
    case("kafka??", "kafka"),
    case("hi there, is kafka ok?", "kafka"),
    case("order gateway slow since deploy", "order-gateway"),
    case("whats up with the matching engine", "matching-engine"),
    case("logs redis last 5", "redis", intents=[I.LOGS]),
    case("who own risk engine", "risk-engine"),
    case("who's on call for trading", "trading", intents=[I.OWNER]),
    case("cart cart cart", "cart"),
    case("checkout→payments broken", "checkout", "payments", intents=[I.STATUS]),
    case("payments,checkout,cart status", "payments", "checkout", "cart", intents=[I.STATUS]),
    case("(payments)", "payments"),
    case("“payments” fails", "payments"),
    case("`payments` restarts", "payments"),
    case("*payments* restarts", "payments"),
    case("payments: why?", "payments", intents=[I.WHY]),
    case("payments's limits", "payments", intents=[I.LIMITS]),
    case("payments’ limits", "payments", intents=[I.LIMITS]),
    # ns/name, kind/name, flags and addresses
    case("shop/checkout", "checkout", spaces=["shop"]),
    case("trading/statefulset/ledger", "ledger", spaces=["trading"]),
    case("deployment.apps/payments", "payments"),
    case("pod/payments-6c9d8b7f5b-x2k4q", "payments-6c9d8b7f5b-x2k4q", "payments"),
    case("shop/payments-6c9d8b7f5b-x2k4q is evicted", "payments-6c9d8b7f5b-x2k4q", "payments",
         spaces=["shop"]),
    case("kubectl -n shop logs deploy/payments --previous", "payments", spaces=["shop"],
         intents=[I.LOGS]),
    case("kubectl describe pod kafka-2 -n platform", "kafka-2", "kafka", spaces=["platform"]),
    case("kubectl --namespace=trading get sts ledger", "ledger", spaces=["trading"]),
    case("kubectl get events -n kube-system", spaces=["kube-system"]),
    case("redis.platform:6379 does not answer", "redis", spaces=["platform"]),
    case("redis.platform.svc.cluster.local is not resolved", "redis", spaces=["platform"]),
    case("http://payments.shop:8080/healthz answers 500", "payments", spaces=["shop"],
         codes=["500"]),
    case("kafka-0.kafka.platform.svc is gone", "kafka-0", "kafka", spaces=["platform"]),
    case("https://www.shop.example.com is down", intents=[I.STATUS]),
    case("svc/order-gateway has no endpoints", "order-gateway"),
    case("sts/kafka rollout stuck", "kafka", intents=[I.STATUS]),
    case("namespace: trading", spaces=["trading"]),
    case("ns=shop app=cart", "cart", spaces=["shop"]),
    case("everything in the shop and trading namespaces", spaces=["shop", "trading"]),
    # pods' hashes
    case("order-gateway-7f8b9c6d5f-lk2mz OOMKilled", "order-gateway-7f8b9c6d5f-lk2mz",
         "order-gateway", codes=["OOMKilled"]),
    case("matching-engine-0", "matching-engine-0", "matching-engine"),
    case("is it kafka-0 or kafka-1", "kafka-0", "kafka-1", "kafka"),
    case("nightly-reconciliation-29384715 did not finish", "nightly-reconciliation-29384715",
         "nightly-reconciliation"),
    case("email-worker-5b9c7d8f6f-9xk2v: ImagePullBackOff", "email-worker-5b9c7d8f6f-9xk2v",
         "email-worker", codes=["ImagePullBackOff"]),
    case("unknown-thing-7f8b9c6d5f-lk2mz crashes"),
    # pasted errors
    case("Error: connect ECONNREFUSED 10.2.0.7:6379", codes=["ECONNREFUSED"]),
    case("dial tcp 10.2.0.7:6379: connect: connection refused"),
    case("Back-off restarting failed container payments in pod payments-6c9d8b7f5b-x2k4q_shop",
         "payments", intents=[I.STATUS]),
    case("0/5 nodes are available: 5 Insufficient memory."),
    case("Warning  FailedScheduling  default-scheduler  0/5 nodes", codes=["FailedScheduling"]),
    case('MountVolume.SetUp failed for volume "data"', codes=["MountVolume", "SetUp"]),
    case("Readiness probe failed: HTTP probe failed with statuscode: 503", codes=["503"]),
    case("Liveness probe failed: Get http://10.2.0.9/health: context deadline exceeded"),
    case('OCI runtime create failed: exec: "java": executable file not found'),
    case('FATAL: password authentication failed for user "orders"'),
    case("upstream prematurely closed connection while reading response header, 502 Bad Gateway",
         codes=["502"]),
    case("x509: certificate has expired or is not yet valid"),
    case("Last State: Terminated Reason: OOMKilled Exit Code: 137", codes=["OOMKilled", "137"]),
    case("panic: runtime error: index out of range [5] with length 3"),
    case("Caused by: java.net.SocketTimeoutException: Read timed out",
         codes=["java.net.SocketTimeoutException"]),
    case("ERR_PAYMENT_TIMEOUT after 2000 ms in checkout", "checkout",
         codes=["ERR_PAYMENT_TIMEOUT"]),
    case("E1103 kubelet_volumes.go:245] orphaned pod found"),
    case("NodeNotReady on worker-3", "worker-3", codes=["NodeNotReady"]),
    case("got a SIGKILL, exit status 137", codes=["137"]),
    case("rc=1 from the nightly reconciliation", "nightly-reconciliation", codes=["1"]),
    # codes and numbers that are none
    case("4xx or 5xx?", codes=["4xx", "5xx"]),
    case("why do users see 504s", codes=["504"], intents=[I.WHY]),
    case("HTTP/1.1 503 Service Unavailable", codes=["503"]),
    case("status=429 on catalog", "catalog", codes=["429"]),
    case("100 restarts of cart in 200 minutes", "cart"),
    case("503 and 504 from the ingress", codes=[]),
    case("port 443 is closed"),
    case("limit of 512Mi for checkout", "checkout", intents=[I.LIMITS]),
    case("version 1.30.2 of kubernetes"),
    # intents by other words
    case("whom should I page for the ledger", "ledger", intents=[I.OWNER]),
    case("which team is responsible for search", "search", intents=[I.OWNER]),
    case("if worker-2 dies who suffers", "worker-2", intents=[I.IMPACT]),
    case("what breaks when kafka is down", "kafka", intents=[I.IMPACT]),
    case("can I drain worker-1 safely", "worker-1", intents=[I.IMPACT]),
    case("what talks to redis", "redis", intents=[I.DEPENDENCIES]),
    case("has this ever happened before with redis", "redis", intents=[I.SIMILAR]),
    case("any postmortem on the kafka outage", "kafka", intents=[I.SIMILAR]),
    case("steps to recover ledger", "ledger", intents=[I.HOW]),
    case("how can we mitigate disk pressure", intents=[I.HOW]),
    case("where is the config of market-data", "market-data", intents=[I.CONFIG]),
    case("cpu usage trend of catalog", "catalog", intents=[I.METRICS]),
    case("top 3 errors of inventory", "inventory", limit=3),
    case("give me the newest 20 lines of kafka", "kafka", intents=[I.LOGS], limit=20),
    case("the 5 latest errors", limit=5),
    case("show ten last errors", intents=[I.LOGS]),
    # in other words and other scripts
    case("warum startet payments neu", "payments"),
    case("wer ist zuständig für risk-engine", "risk-engine"),
    case("支払い payments が落ちた", "payments"),
    case("payments 🔥🔥🔥", "payments"),
    case("payments\nkeeps\nrestarting", "payments", intents=[I.STATUS]),
    case("\tpayments\t", "payments"),
    case(""),
    case("???"),
]  # fmt: skip


def read(question: str) -> Reading:
    return read_question(question, NAMES, NAMESPACES, NOW, UTC)


@pytest.mark.parametrize("wanted", CASES, ids=lambda wanted: wanted.question)
def test_a_phrasing_is_read(wanted: Case) -> None:
    reading = read(wanted.question)
    assert reading.names == wanted.names
    assert reading.namespaces == wanted.spaces
    assert reading.codes == wanted.codes
    assert reading.intents >= wanted.intents
    assert reading.limit == wanted.limit


def test_the_table_is_large_enough() -> None:
    assert len(CASES) >= 150


def test_a_how_to_question_is_not_taken_for_a_failure() -> None:
    assert read("how do I write a NetworkPolicy").intents == {Intent.HOW}
    assert Intent.IMPACT not in read("why does payments keep restarting").intents


def test_a_period_is_read_in_the_askers_zone() -> None:
    reading = read_question(
        "503 codes since 9:30", NAMES, NAMESPACES, NOW, ZoneInfo("Europe/Berlin")
    )
    assert reading.time_range is not None
    assert reading.time_range.start == datetime(2026, 3, 4, 8, 30, tzinfo=UTC)
    last = read("errors of payments in the last 2h").time_range
    assert last is not None
    assert last.end - last.start == timedelta(hours=2)
    assert read("what is a pod").time_range is None


def test_the_surest_name_stands_first() -> None:
    reading = read("cart or orders, and pod payments-6c9d8b7f5b-x2k4q?")
    assert reading.names[:2] == ("payments-6c9d8b7f5b-x2k4q", "payments")


def test_names_keep_the_case_the_cluster_knows_them_by() -> None:
    reading = read_question("is mailer up", frozenset({"Mailer"}), frozenset(), NOW, UTC)
    assert reading.names == ("Mailer",)


@given(st.text(max_size=300))
def test_any_text_can_be_read(question: str) -> None:
    reading = read(question)
    assert reading.question == question
    assert set(reading.namespaces) <= NAMESPACES

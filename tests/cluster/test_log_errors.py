"""Errors in the logs as findings: what is new, what is normal, whose error came first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cluster.log_errors import PROBLEM, ContainerErrors, find_log_errors
from core.baseline import Baseline, Observation
from core.findings import Finding, ObjectRef, Severity
from core.logscan import scan

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOTHING = Baseline()


def _owner(name: str, namespace: str = "shop") -> ObjectRef:
    return ObjectRef("eu", "Deployment", namespace, name)


def _log(name: str, *lines: str, pod: str = "a", namespace: str = "shop") -> ContainerErrors:
    ref = ObjectRef("eu", "Pod", namespace, f"{name}-{pod}")
    return ContainerErrors(ref, _owner(name, namespace), "app", tuple(scan("\n".join(lines))), "n1")


def _error(second: float, message: str) -> str:
    moment = NOW - timedelta(minutes=10) + timedelta(seconds=second)
    return f"{moment.isoformat(timespec='milliseconds')} ERROR {message}"


def _healthy(*logs: ContainerErrors) -> Baseline:
    looks = [
        Observation(log.owner, frozenset(kind.template for kind in log.kinds), is_healthy=True)
        for log in logs
    ]
    return Baseline().learn(looks, NOW - timedelta(days=1), is_first_look=True)


def _find(
    *logs: ContainerErrors, baseline: Baseline = NOTHING, troubled: Sequence[ObjectRef] = ()
) -> list[Finding]:
    return find_log_errors(
        logs,
        baseline=baseline,
        troubled=troubled,
        workloads={"payments", "orders", "stock-2", "web"},
        redact=lambda text: text.replace("hunter2", "<REDACTED>"),
        now=NOW,
    )


def test_an_error_that_is_new_is_told_with_its_count_and_first_time() -> None:
    (found,) = _find(_log("payments", *(_error(n, f"charge {n} failed") for n in range(3))))
    assert (found.problem, found.severity, found.count) == (PROBLEM, Severity.HIGH, 3)
    assert found.template == "charge <NUM> failed"
    assert found.first_seen == NOW - timedelta(minutes=10)
    assert found.last_seen == NOW - timedelta(minutes=10) + timedelta(seconds=2)
    assert found.log_lines == ("ERROR charge 0 failed",)
    assert (found.owner, found.involved.name, found.node) == (
        _owner("payments"),
        "payments-a",
        "n1",
    )
    assert found.title == "payments: ERROR charge 0 failed"


def test_an_error_of_good_times_is_for_questions_alone() -> None:
    normal = _healthy(_log("payments", _error(0, "cache miss 1")))
    found = _find(
        _log("payments", _error(5, "cache miss 2"), _error(6, "no such table")), baseline=normal
    )
    assert [(item.severity, item.template) for item in found] == [
        (Severity.HIGH, "no such table"),
        (Severity.INFO, "cache miss <NUM>"),
    ]


def test_a_normal_error_counts_while_something_else_is_wrong() -> None:
    normal = _healthy(_log("payments", _error(0, "cache miss")))
    log = _log("payments", _error(5, "cache miss"))
    (found,) = _find(log, baseline=normal, troubled=[_owner("payments")])
    assert found.severity is Severity.HIGH
    (other,) = _find(log, baseline=normal, troubled=[_owner("orders")])
    assert other.severity is Severity.INFO


def test_replicas_are_one_finding() -> None:
    line = _error(1, "boom")
    (found,) = _find(_log("payments", line), _log("payments", line, line, pod="b"))
    assert found.count == 3
    assert found.members == ("Pod shop/payments-b",)


def test_the_first_error_of_a_cascade_in_one_log_names_the_finding() -> None:
    later = [_error(2, f"retry {n} failed") for n in range(50)]
    (found,) = _find(_log("payments", _error(1, "disk full"), *later))
    assert found.template == "disk full"
    assert found.log_lines == ("ERROR disk full", "ERROR retry 0 failed")
    assert found.count == 51
    assert ("errors in the log", "51 lines of 2 kinds") in [
        (item.field, item.value) for item in found.evidence
    ]


def _request(number: int) -> str:
    return f"traceId={number:032x}"


def test_the_service_that_failed_first_in_the_same_requests_is_the_origin() -> None:
    stock = [_error(n, f"{_request(n)} no connection to database") for n in range(1, 6)]
    orders = [_error(n + 0.2, f"{_request(n)} stock answered 500") for n in range(1, 6)]
    web = [_error(n + 0.4, f"{_request(n)} orders answered 500") for n in range(1, 6)]
    (found,) = _find(_log("web", *web), _log("orders", *orders), _log("stock", *stock))
    assert found.owner == _owner("stock")
    assert found.members == ("Pod shop/web-a", "Pod shop/orders-a")
    assert ("followed by errors in", "Deployment shop/web, Deployment shop/orders") in [
        (item.field, item.value) for item in found.evidence
    ]


def test_errors_of_other_requests_and_of_the_same_instant_are_no_consequence() -> None:
    other = [_error(1, f"{_request(1)} x failed")], [_error(2, f"{_request(2)} y failed")]
    assert len(_find(_log("web", *other[0]), _log("orders", *other[1]))) == 2
    same = [_error(1, f"{_request(1)} x failed")], [_error(1, f"{_request(1)} y failed")]
    assert len(_find(_log("web", *same[0]), _log("orders", *same[1]))) == 2


def test_a_consequence_in_a_workload_with_another_finding_stays_with_it() -> None:
    logs = [
        _log("stock", _error(1, f"{_request(1)} no connection")),
        _log("web", _error(2, f"{_request(1)} stock answered 500")),
    ]
    assert {found.owner.name for found in _find(*logs, troubled=[_owner("web")])} == {
        "stock",
        "web",
    }


def test_a_normal_error_that_stands_in_every_request_explains_nothing() -> None:
    noise = [_error(n, f"{_request(n)} audit skipped") for n in range(1, 21)]
    normal = _healthy(_log("gate", noise[0]))
    fault = _log("orders", *(_error(n + 0.5, f"{_request(n)} deadlock") for n in range(1, 4)))
    found = _find(_log("gate", *noise), fault, baseline=normal)
    assert (found[0].owner.name, found[0].severity) == ("orders", Severity.HIGH)


def test_what_follows_from_a_normal_error_alone_is_no_news() -> None:
    cause = [_error(n, f"{_request(n)} lock timeout") for n in range(1, 6)]
    normal = _healthy(_log("stock", cause[0]))
    effect = _log("web", *(_error(n + 0.5, f"{_request(n)} got 500") for n in range(1, 6)))
    (found,) = _find(_log("stock", *cause), effect, baseline=normal)
    assert (found.owner.name, found.severity) == ("stock", Severity.INFO)


def test_an_error_of_several_workloads_is_normal_for_their_namespace_whomever_it_names() -> None:
    normal = _healthy(
        _log("web", _error(0, "no instance of payments")),
        _log("orders", _error(0, "no instance of web")),
    )
    line = _error(1, "no instance of stock-2")
    (found,) = _find(_log("gate", line), baseline=normal)
    assert found.severity is Severity.INFO
    (elsewhere,) = _find(_log("gate", line, namespace="prod"), baseline=normal)
    assert elsewhere.severity is Severity.HIGH
    one = _healthy(_log("web", _error(0, "no instance of payments")))
    (alone,) = _find(_log("gate", line), baseline=one)
    assert alone.severity is Severity.HIGH


def test_a_word_that_varied_in_good_times_makes_no_news() -> None:
    names = ("ann", "bob", "cleo", "dan", "eve")
    normal = _healthy(
        _log("web", *(_error(n, f"cart of {name} lost") for n, name in enumerate(names)))
    )
    (found,) = _find(_log("web", _error(9, "cart of zoe lost")), baseline=normal)
    assert found.severity is Severity.INFO
    (other,) = _find(_log("web", _error(9, "cart of zoe burnt")), baseline=normal)
    assert other.severity is Severity.HIGH
    few = _healthy(_log("web", _error(0, "cart of ann lost"), _error(1, "cart of bob lost")))
    (third,) = _find(_log("web", _error(9, "cart of zoe lost")), baseline=few)
    assert third.severity is Severity.HIGH


def test_another_code_is_another_error() -> None:
    codes = [_error(n, f"stock answered with code {400 + n}") for n in range(9)]
    normal = _healthy(_log("web", *codes))
    (found,) = _find(_log("web", _error(10, "stock answered with code 503")), baseline=normal)
    assert found.severity is Severity.HIGH


def test_a_template_remembered_from_before_keeps_its_first_time() -> None:
    early = NOW - timedelta(hours=5)
    known = Baseline().learn(
        [Observation(_owner("payments"), frozenset({"b failed"}), is_healthy=False)], early
    )
    (found,) = _find(_log("payments", _error(1, "a failed"), _error(2, "b failed")), baseline=known)
    assert (found.template, found.first_seen) == ("b failed", early)


def test_samples_are_redacted_short_and_at_most_five() -> None:
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"]
    lines = [_error(n, f"{word} hunter2 {'x' * 900}") for n, word in enumerate(words)]
    (found,) = _find(_log("payments", *lines))
    assert len(found.log_lines) == 5
    assert found.log_lines[0].startswith("ERROR alpha <REDACTED> xxx")
    assert max(map(len, found.log_lines)) <= 310
    assert len(found.title) <= 120


def test_an_error_without_a_time_is_of_now() -> None:
    (found,) = _find(_log("payments", "ERROR boom"))
    assert (found.first_seen, found.last_seen) == (NOW, NOW)


def test_logs_without_errors_give_nothing() -> None:
    assert _find(_log("payments", "INFO fine")) == []

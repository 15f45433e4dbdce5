"""Formats of log lines, as the frameworks write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

_KLOG = {"INFO": "I", "WARN": "W", "ERROR": "E", "FATAL": "F"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing said: by which service, where in its code, at which level."""

    at: datetime
    level: str
    service: str
    text: str
    number: int


def _millis(at: datetime) -> str:
    return f"{at.microsecond // 1000:03d}"


def _json(entry: Entry) -> str:
    return json.dumps(
        {
            "time": f"{entry.at:%Y-%m-%dT%H:%M:%S}.{_millis(entry.at)}Z",
            "level": entry.level.lower(),
            "service": entry.service,
            "msg": entry.text,
            "trace_id": f"{entry.number:016x}",
        }
    )


def _logfmt(entry: Entry) -> str:
    level = entry.level.lower()
    time = f"{entry.at:%Y-%m-%dT%H:%M:%S}.{_millis(entry.at)}Z"
    text = entry.text.replace('"', '\\"')
    return f'time={time} level={level} service={entry.service} msg="{text}" req={entry.number:08x}'


def _klog(entry: Entry) -> str:
    letter = _KLOG.get(entry.level, "I")
    where = f"{entry.service.replace('-', '_')}.go:{entry.number % 400 + 20}"
    return f"{letter}{entry.at:%m%d %H:%M:%S.%f}       1 {where}] {entry.text}"


def _spring(entry: Entry) -> str:
    thread = f"worker-{entry.number % 8}"
    logger = f"c.fenwick.{entry.service.replace('-', '')}.Service"
    return (
        f"{entry.at:%Y-%m-%d %H:%M:%S}.{_millis(entry.at)} {entry.level:>5} 1 --- "
        f"[{thread:>15}] {logger:<40} : {entry.text}"
    )


def _python(entry: Entry) -> str:
    level = "WARNING" if entry.level == "WARN" else entry.level
    name = entry.service.replace("-", "_")
    return f"{entry.at:%Y-%m-%d %H:%M:%S},{_millis(entry.at)} {level} {name}: {entry.text}"


def _log4j(entry: Entry) -> str:
    return (
        f"[{entry.at:%Y-%m-%d %H:%M:%S},{_millis(entry.at)}] {entry.level} {entry.text} "
        "(kafka.server.KafkaServer)"
    )


def _redis(entry: Entry) -> str:
    mark = "#" if entry.level in ("WARN", "ERROR") else "*"
    return f"1:M {entry.at:%d %b %Y %H:%M:%S}.{_millis(entry.at)} {mark} {entry.text}"


def _postgres(entry: Entry) -> str:
    level = {"INFO": "LOG", "WARN": "WARNING"}.get(entry.level, entry.level)
    process = entry.number % 900 + 60
    return (
        f"{entry.at:%Y-%m-%d %H:%M:%S}.{_millis(entry.at)} UTC [{process}] {level}:  {entry.text}"
    )


def _fluentbit(entry: Entry) -> str:
    return f"[{entry.at:%Y/%m/%d %H:%M:%S}] [{entry.level.lower():>5}] {entry.text}"


def _nginx(entry: Entry) -> str:
    if entry.level == "INFO":
        client = f"198.51.100.{entry.number % 250}"
        took = f"{entry.number % 400} 0.0{entry.number % 90:02d}"
        return (
            f'{client} - - [{entry.at:%d/%b/%Y:%H:%M:%S} +0000] "{entry.text} HTTP/2.0" 200 '
            f'{entry.number % 9000} "-" "Mozilla/5.0" {took}'
        )
    where = f"31#31: *{entry.number % 10**6}"
    return f"{entry.at:%Y/%m/%d %H:%M:%S} [{entry.level.lower()}] {where} {entry.text}"


STYLES: Mapping[str, Callable[[Entry], str]] = {
    "json": _json,
    "logfmt": _logfmt,
    "klog": _klog,
    "spring": _spring,
    "python": _python,
    "log4j": _log4j,
    "redis": _redis,
    "postgres": _postgres,
    "fluentbit": _fluentbit,
    "nginx": _nginx,
}

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot.audit import Audit
from bot.telemetry.errand import begin, errand, running
from bot.telemetry.logs import JsonFormat, TextFormat, set_up_logging
from core.errors import OpsbotError
from core.redact import Redactor
from tests.bot.bench import Bench, open_bench, seen

log = logging.getLogger("bot.tested")
REDACTOR = Redactor(b"k" * 32)


@contextmanager
def written(form: logging.Formatter) -> Iterator[io.StringIO]:
    """What all loggers write meanwhile."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(form)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def rows(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_of_text_carries_the_reference_once() -> None:
    with written(TextFormat(REDACTOR)) as stream:
        with running("1a2b3c4d", "ask"):
            log.info("the model was lost")
            log.warning("question failed, ref 1a2b3c4d")
        log.info("ready")
    lost, failed, ready = stream.getvalue().splitlines()
    assert lost.endswith("bot.tested: the model was lost [ref 1a2b3c4d]")
    assert failed.count("1a2b3c4d") == 1
    assert "ref" not in ready


def test_a_line_of_json_is_one_object_with_a_time_that_names_its_zone() -> None:
    with written(JsonFormat(REDACTOR)) as stream, running("1a2b3c4d", "limits"):
        log.info("two\nlines of %s", "words")
    (row,) = rows(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", row.pop("time"))
    assert row == {
        "level": "info",
        "logger": "bot.tested",
        "message": "two\nlines of words",
        "reference": "1a2b3c4d",
        "task": "limits",
    }


@pytest.mark.parametrize("form", [JsonFormat(REDACTOR), TextFormat(REDACTOR)])
def test_no_secret_is_written_not_in_a_trace_either(form: logging.Formatter) -> None:
    with written(form) as stream:
        log.info("asked: password=hunter2-hunter2")
        Audit(tells_questions=True).note(
            "U1", "C1", "ask", "answered", question="is password=hunter2-hunter2 right?"
        )
        log.error("it failed", exc_info=ValueError("password=hunter2-hunter2"))
    assert "hunter2" not in stream.getvalue()
    assert stream.getvalue().count("<REDACTED:") >= 3
    assert "ValueError" in stream.getvalue()


def test_the_audit_log_keeps_its_parts_apart() -> None:
    with written(JsonFormat(REDACTOR)) as stream:
        Audit().note("U1", "C1", "ask", "answered", seconds=1.234)
    (row,) = rows(stream)
    assert row["audit"] == {
        "user": "U1", "channel": "C1", "command": "ask", "outcome": "answered", "seconds": 1.23
    }  # fmt: skip


async def test_a_reference_goes_along_into_tasks_and_threads_and_ends_with_its_block() -> None:
    async def inner() -> str:
        return errand().reference

    with running("1a2b3c4d", "ask"):
        task = asyncio.create_task(inner())
    assert await task == "1a2b3c4d"
    assert errand().reference == ""

    async def listener() -> str:
        begin("5e6f7a8b")
        return await asyncio.to_thread(lambda: errand().reference)

    assert await asyncio.create_task(listener()) == "5e6f7a8b"
    assert errand().reference == ""


@pytest.fixture
async def bench() -> Any:
    async with open_bench(audit=Audit()) as bench:
        yield bench


async def test_every_line_of_an_answer_has_the_reference_that_its_reader_sees(
    bench: Bench,
) -> None:
    bench.fakes.answerer.scripts = [[OpsbotError("search", "the index is gone", "Index again.")]]
    with written(JsonFormat(REDACTOR)) as stream:
        await bench.type("ask why?")
        await bench.settle()
    shown = seen(bench.ephemerals()[-1])
    failed = [row for row in rows(stream) if row.get("error") or row.get("audit")]
    assert len(failed) == 2
    for row in failed:
        assert row["reference"] in shown
    assert failed[1]["audit"]["reference"] == failed[0]["reference"]


async def test_two_questions_have_two_references(bench: Bench) -> None:
    with written(JsonFormat(REDACTOR)) as stream:
        for _ in range(2):
            await bench.type("ask why?")
            await bench.settle()
    references = [row["reference"] for row in rows(stream) if "audit" in row]
    assert len(set(references)) == 2
    for message, reference in zip(bench.ephemerals()[-2:], references, strict=True):
        assert reference in seen(message)


def test_setting_it_up_quiets_libraries_unless_debugging_and_never_the_audit_log() -> None:
    names = ("alembic", "slack_sdk", "bot.audit")
    before = {name: logging.getLogger(name).level for name in names}
    try:
        set_up_logging("error", "json")
        assert logging.getLogger("slack_sdk").level == logging.WARNING
        assert logging.getLogger("bot.audit").level == logging.INFO
        logging.getLogger("slack_sdk").setLevel(logging.NOTSET)
        set_up_logging("debug", "text")
        assert logging.getLogger("slack_sdk").level == logging.NOTSET
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)

"""Writes the sample knowledge into a folder, with logs and metrics that end at a given moment.

The same moment gives the same bytes; another moment gives the same stories, shifted.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from sandbox.knowledge import background, metrics, stories, world
from sandbox.knowledge.background import Habit
from sandbox.knowledge.stories import Line

LOG_HEADER: Final = ("timestamp", "level", "namespace", "pod", "container", "code", "message")
METRIC_HEADER: Final = ("timestamp", "series", "value")
MARKDOWN_FOLDERS: Final = ("runbooks", "incidents", "config")


class LogFile(NamedTuple):
    """One CSV file: how many well-formed rows it has, what they tell, and its broken rows."""

    rows: int
    stories: Callable[[Random], list[Line]]
    habits: Sequence[Habit]
    malformed: tuple[str, ...]


LOG_FILES: Final = {
    "shop.csv": LogFile(
        2600,
        stories.shop,
        background.SHOP,
        (  # cut in the middle of a write; written by a tool that does not quote
            "{time},INFO,shop,frontend-mmhqchsl9",
            "{time},INFO,shop,search-98n8vhr9n-nmlvh,search,200,terms: oak, table, round",
        ),
    ),
    "trading.csv": LogFile(
        1300,
        stories.trading,
        background.TRADING,
        (  # a clock that was not set; an interrupted line
            "not-a-time,INFO,trading,matching-engine-0,matching-engine,,clock not synchronised",
            "{time},INFO,trading,ledger-0",
        ),
    ),
    "platform.csv": LogFile(
        1100,
        stories.platform,
        background.PLATFORM,
        (
            "{time},INFO",
            "{time},WARNING,platform,kafka-0,kafka,,isr shrunk from 0,1,2 to 0,1 for order-events",
        ),
    ),
}
"""Together 5,000 well-formed rows and 6 malformed ones."""


def source_folder() -> Path:
    """Where the Markdown files and `graph.yaml` of this package stand."""
    return Path(__file__).parent


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _utc(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError(f"now must be an aware time, got {now.isoformat()}; add tzinfo=UTC")
    return now.astimezone(UTC).replace(microsecond=0)


def _lines(name: str, file: LogFile) -> list[Line]:
    """Stories and ordinary days, oldest first."""
    random = Random(f"fenwick {name}")
    lines = file.stories(random)
    for _ in range(file.rows - len(lines)):
        ago = random.uniform(1, world.SPAN_SECONDS - 1)
        habit, message = background.ordinary_line(random, file.habits, ago)
        lines.append(Line(ago, habit.level, habit.pod, habit.code, message))
    return sorted(lines, key=lambda line: (-line.ago_seconds, line.message))


def write_logs(directory: Path, now: datetime) -> list[Path]:
    """Write the CSV logs of the 24 h before `now`; gives their paths.

    Raises:
        ValueError: `now` has no time zone.
    """
    now = _utc(now)
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, file in LOG_FILES.items():
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(LOG_HEADER)
        lines = _lines(name, file)
        middle = len(lines) // 2
        for index, line in enumerate(lines):
            if index == middle:
                time = _stamp(now - timedelta(seconds=line.ago_seconds))
                text.writelines(row.format(time=time) + "\n" for row in file.malformed)
            moment = now - timedelta(seconds=line.ago_seconds)
            pod = line.pod
            origin = (pod.namespace, pod.name, pod.container)
            rows.writerow((_stamp(moment), line.level, *origin, line.code, line.message))
        path = directory / name
        path.write_text(text.getvalue(), encoding="utf-8")
        written.append(path)
    return written


def write_metrics(directory: Path, now: datetime) -> list[Path]:
    """Write the metric series of the 6 h up to `now`, one value a minute; gives their paths.

    Raises:
        ValueError: `now` has no time zone.
    """
    now = _utc(now)
    directory.mkdir(parents=True, exist_ok=True)
    random = Random("fenwick metrics")
    path = directory / "metrics.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(METRIC_HEADER)
        for ago in range(metrics.SPAN_MINUTES, -1, -1):
            stamp = _stamp(now - timedelta(minutes=ago))
            for name, value in metrics.SERIES.items():
                rows.writerow((stamp, name, value(ago, random)))
    return [path]


def prepare(directory: Path, now: datetime) -> Path:
    """Make `directory` a complete knowledge folder and give it back.

    It then holds runbooks/, incidents/, config/, graph.yaml, logs/ and metrics/. Files of the same
    name are replaced, others are left alone.

    Raises:
        ValueError: `now` has no time zone.
    """
    _utc(now)
    directory.mkdir(parents=True, exist_ok=True)
    for folder in MARKDOWN_FOLDERS:
        shutil.copytree(source_folder() / folder, directory / folder, dirs_exist_ok=True)
    shutil.copyfile(source_folder() / "graph.yaml", directory / "graph.yaml")
    write_logs(directory / "logs", now)
    write_metrics(directory / "metrics", now)
    return directory

"""A real Neo4j for the tests: its test harness from Maven Central, in a Java process of its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "neo4j_server"
PASSWORD = "correct horse battery"
# The first build downloads some 190 MB; later ones find all on this machine.
BUILD_SECONDS = 900
START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Where the server listens; its user is "neo4j"."""

    host: str
    port: int

    def uri(self, *, user: str = "neo4j", database: str = "neo4j") -> str:
        """As a source names it."""
        return f"neo4j://{user}@{self.host}:{self.port}/{database}"


def missing_programs() -> list[str]:
    """What of Java and Maven is not installed."""
    return [name for name in ("java", "mvn") if shutil.which(name) is None]


def class_path(folder: Path) -> str:
    """Fetch the harness, without the network when it was fetched before."""
    target = folder / "classpath"
    goal = ["dependency:build-classpath", f"-Dmdep.outputFile={target}"]
    run = ["mvn", "-B", "-q", "-f", str(SOURCE / "pom.xml"), *goal]
    output = ""
    for more in (["-o"], []):
        done = subprocess.run(  # noqa: S603  (our own words)
            [*run, *more], check=False, capture_output=True, text=True, timeout=BUILD_SECONDS
        )
        output = done.stdout[-2000:]
        if done.returncode == 0:
            return target.read_text().strip()
    raise RuntimeError(f"Maven could not fetch Neo4j's test harness: {output}")


@contextmanager
def running_server(folder: Path) -> Iterator[RunningServer]:
    """Start a server in an empty folder, and end it."""
    log = folder / "server.log"
    data = folder / "data"
    data.mkdir()
    arguments = ["-Xmx512m", "-cp", class_path(folder), str(SOURCE / "Server.java")]
    with (
        log.open("wb") as errors,
        subprocess.Popen(  # noqa: S603  (our own words)
            ["java", *arguments, str(data), PASSWORD],  # noqa: S607  (the Java that is installed)
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            words = next((line.split() for line in process.stdout if line.startswith("bolt ")), [])
            if len(words) != 3:
                raise RuntimeError(
                    f"Neo4j did not start: {log.read_text(errors='replace')[-2000:]}"
                )
            yield RunningServer(words[1], int(words[2]))
        finally:
            process.stdin.close()  # it ends with its input
            try:
                process.wait(timeout=START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

"""`python -m sandbox.knowledge --out DIR`: writes the sample knowledge into a folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sandbox.knowledge.generate import prepare


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, write, print the folder; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.knowledge", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder to write into")
    parser.add_argument(
        "--now", type=_moment, default=None, help="ISO time the logs end at, UTC unless it says"
    )
    options = parser.parse_args(arguments)
    folder = prepare(options.out, options.now or datetime.now(UTC))
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

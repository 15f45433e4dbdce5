"""A folder of Markdown as large as a company's, made of the sample pages, no page like another."""

from __future__ import annotations

import random
import re
from pathlib import Path

PAGES = 1_200
_SAMPLE = Path(__file__).parents[2] / "sandbox" / "knowledge"
_NAMES = ("payments", "checkout", "inventory", "matching-engine", "risk-engine", "kafka", "redis")


def make_corpus(folder: Path, pages: int = PAGES) -> int:
    """Write the pages; gives how many bytes they have together.

    Each is a mixture of the sections of three sample pages, under names of its own.
    """
    rng = random.Random(3)  # noqa: S311  (sample data)
    texts = [path.read_text(encoding="utf-8") for path in sorted(_SAMPLE.rglob("*.md"))]
    sections = [part for text in texts for part in re.split(r"(?m)^(?=## )", text)]
    size = 0
    for number in range(pages):
        name = f"svc-{number:04}"
        body = "\n".join(rng.sample(sections, 9))
        for known in _NAMES:
            body = body.replace(known, f"{known}-{number}")
        path = folder / f"team-{number % 24}" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n\n{body}\n", encoding="utf-8")
        size += path.stat().st_size
    return size

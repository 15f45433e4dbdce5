"""Writes the list of what the bot runs on, licences included, as CycloneDX.

The environment that it is made of holds the tools of development as well; only what
requirements.txt pins is kept, which is what an image or a plain installation gets.
"""  # noqa: INP001  (a script, not a package)

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

Bom = dict[str, Any]


def normal(name: str) -> str:
    """A package's name as all its spellings are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def only(bom: Bom, names: AbstractSet[str]) -> Bom:
    """The same list with these packages alone, by their normal names."""
    kept = [row for row in bom["components"] if normal(row["name"]) in names]
    refs = {row["bom-ref"] for row in kept} | {bom["metadata"]["component"]["bom-ref"]}
    dependencies = [
        row | ({"dependsOn": sorted(refs & set(row["dependsOn"]))} if "dependsOn" in row else {})
        for row in bom["dependencies"]
        if row["ref"] in refs
    ]
    return bom | {"components": kept, "dependencies": dependencies}


def pinned(requirements: str) -> set[str]:
    """The normal names of what a requirements file pins."""
    return {normal(name) for name in re.findall(r"^([\w.-]+)==", requirements, flags=re.MULTILINE)}


def main() -> int:
    """Write the list to the path that is given."""
    (target,) = sys.argv[1:]
    done = subprocess.run(  # noqa: S603  (our own arguments)
        [
            *(sys.executable, "-m", "cyclonedx_py", "environment", sys.executable),
            *("--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "-o", "-"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    names = pinned((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    bom = only(json.loads(done.stdout), names)
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_text(json.dumps(bom, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"{target}: {len(bom['components'])} packages\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# Much is kept and all but the last of it let go: what is free lies below what is used.
_PROGRAM = """
from core.memory import give_back, keep_few_pools

def resident():
    lines = open("/proc/self/status", encoding="ascii").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

keep_few_pools()
kept = [bytearray(2000) for _ in range(50_000)]
del kept[:-1]
held = resident()
give_back()
print(held - resident())
"""


def test_what_is_free_goes_back_to_the_system() -> None:
    done = subprocess.run(  # noqa: S603  (our own program)
        [sys.executable, "-c", _PROGRAM],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(done.stdout) > 50_000, "of 100 MB"

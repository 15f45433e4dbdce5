"""The list of packages keeps what the bot runs on, and nothing of the tools of development."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "deploy" / "sbom.py"))

BOM: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "metadata": {"component": {"bom-ref": "root", "name": "opsbot"}},
    "components": [
        {"bom-ref": "Py_Yaml==6", "name": "Py_Yaml"},
        {"bom-ref": "pytest==9", "name": "pytest"},
        {"bom-ref": "rich==15", "name": "rich"},
    ],
    "dependencies": [
        {"ref": "Py_Yaml==6"},
        {"ref": "pytest==9", "dependsOn": ["rich==15"]},
        {"ref": "rich==15"},
        {"ref": "root", "dependsOn": ["Py_Yaml==6", "pytest==9", "rich==15"]},
    ],
}


def test_only_what_is_pinned_for_running_is_listed() -> None:
    names = SCRIPT["pinned"](
        "# rich\npy-yaml==6.0 \\\n    --hash=x\nrich==15 ; python_version>'3'\n"
    )
    assert names == {"py-yaml", "rich"}
    found = SCRIPT["only"](BOM, names)
    assert [row["name"] for row in found["components"]] == ["Py_Yaml", "rich"]
    assert found["dependencies"] == [
        {"ref": "Py_Yaml==6"},
        {"ref": "rich==15"},
        {"ref": "root", "dependsOn": ["Py_Yaml==6", "rich==15"]},
    ]
    assert found["bomFormat"] == "CycloneDX"

"""Every package that the bot is installed with may be passed on with it, in a company too."""

from __future__ import annotations

import re
from email.message import Message
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import cast

import pytest

REQUIREMENTS = Path(__file__).parents[2] / "requirements.txt"

# They ask for a notice at most; MPL-2.0 for the source of its own files, which we do not change.
ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CNRI-Python",
    "ISC",
    "MIT",
    "MIT-CMU",
    "MPL-2.0",
    "PSF-2.0",
    "Python-2.0",
    "Zlib",
}
# What packages say that do not speak SPDX yet.
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


def pinned() -> dict[str, str]:
    """Each package's line: its name, and the rest with the platforms it is for."""
    text = REQUIREMENTS.read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(.*)$", text, flags=re.MULTILINE))


def licences(metadata: Message) -> set[str]:
    """Every licence that a package's metadata names, by SPDX where it can be told."""
    expression = metadata.get("License-Expression")
    if expression:
        return set(re.findall(r"[\w.+-]+", expression)) - {"AND", "OR", "WITH"}
    classifiers = [
        row.rpartition(" :: ")[2]
        for row in metadata.get_all("Classifier") or []
        if row.startswith("License :: ") and row != "License :: OSI Approved"
    ]
    named = classifiers or [(metadata.get("License") or "").split("\n")[0]]
    words = [word for name in named for word in (SPDX.get(name) or name).split(" AND ")]
    return {SPDX.get(word, word) for word in words}


@pytest.mark.parametrize("name", sorted(pinned()))
def test_the_licence_of_every_package_is_an_allowed_one(name: str) -> None:
    try:
        metadata = cast("Message", distribution(name).metadata)
    except PackageNotFoundError:
        assert ";" in pinned()[name], f"{name} is pinned for this platform but not installed"
        return
    assert licences(metadata) <= ALLOWED


def test_a_licence_that_is_not_allowed_is_noticed() -> None:
    metadata = Message()
    assert licences(metadata) == {""}
    metadata["License"] = "GPL-3.0-only\nlong text"
    assert licences(metadata) == {"GPL-3.0-only"}
    metadata["Classifier"] = "License :: OSI Approved :: GNU Affero General Public License v3"
    metadata["Classifier"] = "License :: OSI Approved :: MIT License"
    assert licences(metadata) - ALLOWED == {"GNU Affero General Public License v3"}
    metadata["License-Expression"] = "MIT AND (Apache-2.0 OR GPL-2.0-only)"
    assert licences(metadata) - ALLOWED == {"GPL-2.0-only"}

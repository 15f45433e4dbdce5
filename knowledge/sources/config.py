"""What a source is told when it is opened: its own row, and what all sources share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import KnowledgeError

_PASSWORD = re.compile(r"(//[^/@\s:]*):[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One source as configured: a URI alone, or a row of `sources:` in the YAML file.

    Attributes:
        uri: "scheme:place", see `knowledge.sources.SCHEMES`.
        link_template: Web address of a page, with {path} and {anchor}; "" for the shared one.
        columns: For CSV: wanted name → column of the files, where the guess is not wanted.
        queries: For Neo4j: wanted rows → Cypher, where the default shape is not the graph's.
    """

    uri: str
    link_template: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    queries: Mapping[str, str] = field(default_factory=dict)

    @property
    def scheme(self) -> str:
        """What stands before the first colon."""
        return self.uri.partition(":")[0]

    @property
    def place(self) -> str:
        """What stands behind it."""
        return self.uri.partition(":")[2].strip()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What sources share.

    Attributes:
        data_folder: Where checkouts are kept.
        link_template: For Markdown sources that have none of their own.
        neo4j_password: Never told.
    """

    data_folder: Path = Path(".opsbot")
    link_template: str = ""
    neo4j_password: str = field(default="", repr=False)


def without_password(text: str) -> str:
    """A text whose addresses name no password."""
    return _PASSWORD.sub(r"\1:…@", text)


def refuse_password(uri: str, remedy: str) -> None:
    """Addresses are shown in `/k8s status` and stored with each chunk.

    Raises:
        KnowledgeError: There is a password in the address.
    """
    if _PASSWORD.search(uri):
        raise KnowledgeError(
            f'open the source "{without_password(uri)}"', "its address carries a password", remedy
        )

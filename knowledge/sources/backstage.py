"""A Backstage catalogue as a source: every YAML file below a folder that holds entities of it."""

from __future__ import annotations

from pathlib import Path

from knowledge.backstage import Entity, entity_of, graph_of
from knowledge.documents import Listing, UnreadableError
from knowledge.files import list_folder, read_text
from knowledge.sources.graph import GraphSource
from knowledge.yamltext import load_yaml_documents

_SUFFIXES = frozenset({".yaml", ".yml"})
_MARK = "backstage.io/"


class BackstageSource(GraphSource):
    """All entities below one folder, whatever their files are called.

    A file that cannot be read costs its own entities alone.

    Args:
        place: The folder.
    """

    def __init__(self, place: str) -> None:
        super().__init__(f"backstage:{place}")
        self._folder = Path(place)
        self._stamps: tuple[tuple[str, str], ...] | None = None
        self._unreadable: tuple[tuple[str, str], ...] = ()

    def listing(self) -> Listing:
        """The catalogue, read again if one of its files changed."""
        found = list_folder(self._folder, _SUFFIXES)
        if not found.is_complete:
            return found
        stamps = tuple((entry.path, entry.stamp) for entry in found.entries)
        if stamps != self._stamps:
            self._read(found)
            self._stamps = stamps
        problems = [*found.problems, *self._unreadable]
        problems += [(self.graph.location, problem) for problem in self.graph.problems]
        if not self.graph.services:
            problems.append((str(self._folder), "it holds no Component or Resource of a catalogue"))
        return Listing(self.entries(), tuple(problems), bool(self.graph.services))

    def _read(self, found: Listing) -> None:
        entities: list[Entity] = []
        unreadable: list[tuple[str, str]] = []
        problems: list[str] = []
        moments = []
        for entry in found.entries:
            try:
                text = read_text(self._folder / entry.path)
                documents = load_yaml_documents(text) if _MARK in text else []
            except (UnreadableError, ValueError) as error:
                unreadable.append((entry.path, str(error)))
                continue
            parsed = [entity_of(data, entry.path, problems) for data in documents]
            entities += [entity for entity in parsed if entity]
            if any(parsed) and entry.updated_at:
                moments.append(entry.updated_at)
        self._unreadable = tuple(unreadable)
        newest = max(moments, default=None)
        self.graph = graph_of(entities, self._folder.name, newest, problems)

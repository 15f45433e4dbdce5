"""Objects by their labels, so that a selector need not look at all of a namespace. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class LabelIndex(Generic[T]):
    """Finds what a selector selects.

    Args:
        items: Namespace, labels and the item itself.
    """

    def __init__(self, items: Iterable[tuple[str, Mapping[str, str], T]]) -> None:
        self._found: dict[tuple[str, str], dict[str, list[tuple[Mapping[str, str], T]]]] = (
            defaultdict(dict)
        )
        for namespace, labels, item in items:
            for key, value in labels.items():
                self._found[namespace, key].setdefault(value, []).append((labels, item))

    def selected(self, namespace: str, selector: Mapping[str, str]) -> list[T]:
        """Items that carry all these labels; an empty selector selects none."""
        candidates: list[Sequence[tuple[Mapping[str, str], T]]] = [
            self._found.get((namespace, key), {}).get(value, ()) for key, value in selector.items()
        ]
        return [
            item
            for labels, item in min(candidates, key=len, default=())
            if all(labels.get(key) == value for key, value in selector.items())
        ]

    def examples(self, namespace: str, key: str) -> list[Mapping[str, str]]:
        """The labels of one item for each value that a label has."""
        return [items[0][0] for items in self._found.get((namespace, key), {}).values()]

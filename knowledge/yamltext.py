"""YAML that somebody else wrote: parsed fast, and never the end of the process."""

from __future__ import annotations

from typing import Any

import yaml

MOST_NESTED = 200
MOST_VALUES = 100_000  # that aliases may make of a text
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(text: str) -> Any:
    """The value of the first document, None without one. Raises ValueError, which says why."""
    return next(iter(load_yaml_documents(text)), None)


def load_yaml_documents(text: str) -> list[Any]:
    """The values of all documents in a text.

    Raises:
        ValueError: It is no YAML, and where; or it is nested beyond reason.
    """
    try:
        # The loader in C is ten times as fast as the other, but deep nesting overflows its stack
        # and ends the whole process; its events come without recursion, so they are counted first.
        has_aliases = _check_depth(text)
        documents = list(yaml.load_all(text, Loader=_LOADER))  # both are safe loaders
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise ValueError(f"it is no YAML{where}") from error
    if has_aliases and _count(documents, {}) > MOST_VALUES:
        raise ValueError(f"its aliases make more than {MOST_VALUES:,} values of it")
    return documents


def _check_depth(text: str) -> bool:
    """Whether there are aliases. Raises ValueError for a text that is nested too deeply."""
    depth, has_aliases = 0, False
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MOST_NESTED:
                raise ValueError(f"it is nested more than {MOST_NESTED} deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            has_aliases = True
    return has_aliases


def _count(value: Any, known: dict[int, int]) -> int:
    """How many values there are when every alias is written out; each is looked at once."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = MOST_VALUES + 1  # of a value that holds itself there is no end
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_count(part, known) for part in inner)
    return known[id(value)]

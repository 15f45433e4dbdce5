"""YAML that somebody else wrote: parsed fast, and never the end of the process."""

from __future__ import annotations

from typing import Any

import yaml

MOST_NESTED = 200
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
        _check_depth(text)
        return list(yaml.load_all(text, Loader=_LOADER))  # both are safe loaders
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise ValueError(f"it is no YAML{where}") from error


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MOST_NESTED:
                raise ValueError(f"it is nested more than {MOST_NESTED} deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1

"""All lines of a log by what they say, whatever its format and length.

Three steps, each over the different results of the one before: keys of lines, templates of
messages (`core.templates`), and templates merged where a word varies freely (`core.merging`). A
line that goes on with an error, such as a frame of a trace, counts as a line of its own.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from core.linekeys import blind, has_id, shorten
from core.logformats import read_line, strip_prefix
from core.merging import merge
from core.templates import mask

MAX_KEYS = 100_000
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Grouped:
    """A grouped log.

    Attributes:
        groups: For each line, in order, the index of its template.
        templates: What the lines of each group say; `<*>` stands for what varies.
    """

    groups: array[int]
    templates: tuple[str, ...]


class LineGroups:
    """Takes a log in pieces and groups its lines.

    Args:
        max_keys: How many different lines are remembered; others are read again when they return.

    Example:
        groups = LineGroups()
        for text in pieces:
            groups.feed(text)
        grouped = groups.finish()
    """

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        self._max_keys = max_keys
        self._rest = ""
        self._blind: dict[str, int] = {}
        self._short: dict[str, int] = {}
        self._templates: dict[str, int] = {}
        self._lines = array("I")

    def feed(self, text: str) -> None:
        """Take the next piece; it may end anywhere in a line."""
        text = self._rest + text
        end = text.rfind("\n") + 1
        self._rest = text[end:]
        if end:
            self._add(text[: end - 1])

    def finish(self) -> Grouped:
        """The groups of all lines."""
        if self._rest:
            self._add(self._rest)
            self._rest = ""
        merged = merge(self._templates)
        numbers = {
            template: number for number, template in enumerate(dict.fromkeys(merged.values()))
        }
        of = [numbers[merged[template]] for template in self._templates]
        return Grouped(array("I", map(of.__getitem__, self._lines)), tuple(numbers))

    def _add(self, text: str) -> None:
        lines = text.split("\n")
        keys = blind(text).split("\n")
        known = self._blind
        for start in range(0, len(lines), _BATCH):
            # What one batch teaches, the next one knows.
            numbers = [known.get(key, -1) for key in keys[start : start + _BATCH]]
            for index, number in enumerate(numbers):
                if number < 0:
                    numbers[index] = self._learn(lines[start + index], keys[start + index])
            self._lines.extend(numbers)

    def _learn(self, line: str, key: str) -> int:
        """The number of a line's template."""
        number = self._blind.get(key)
        if number is not None:
            return number
        short = shorten(key)
        number = self._short.get(short)
        if number is None:
            message = read_line(strip_prefix(line.removesuffix("\r"))[0]).message
            number = self._templates.setdefault(mask(message), len(self._templates))
            self._remember(self._short, short, number)
        if not has_id(key, short):
            self._remember(self._blind, key, number)
        return number

    def _remember(self, known: dict[str, int], key: str, number: int) -> None:
        if len(known) >= self._max_keys:
            known.clear()
        known[key] = number


def group_lines(text: str) -> Grouped:
    """The groups of a text's lines."""
    groups = LineGroups()
    groups.feed(text)
    return groups.finish()

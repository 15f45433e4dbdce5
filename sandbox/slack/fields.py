"""Reads the fields of a control request, and refuses wrong, missing and unknown ones by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.slack.errors import ControlError

Json = dict[str, Any]


class Fields:
    """The fields of a control request; every one is read once, and none may be left over."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)
        self._known: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        """A string, needed when there is no default."""
        value = self._take(name, default)
        if not isinstance(value, str):
            raise ControlError(name, f"{value!r} is not a string", "a string")
        return value

    def optional(self, name: str) -> str | None:
        """A string or nothing."""
        if self._values.get(name) is None:
            self._known.append(name)
            self._values.pop(name, None)
            return None
        return self.text(name)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false."""
        value = self._take(name, default)
        if not isinstance(value, bool):
            raise ControlError(name, f"{value!r} is neither true nor false", "true or false")
        return value

    def number(self, name: str, default: float) -> float:
        """A number above zero, or the default."""
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ControlError(name, f"{value!r} is not a number of 0 or more", "0 or more")
        return float(value)

    def structure(self, name: str) -> Json:
        """A JSON object, {} when missing."""
        value = self._take(name, {})
        if not isinstance(value, dict):
            raise ControlError(name, f"{value!r} is not an object", "an object")
        return value

    def strings(self, name: str) -> list[str] | None:
        """A list of strings, None when missing."""
        value = self._take(name, ())
        if value == ():
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ControlError(name, f"{value!r} is not a list of strings", "a list of strings")
        return value

    def rest(self) -> Json:
        """All fields not read yet, for a reader that checks them itself."""
        rest, self._values = self._values, {}
        return rest

    def done(self) -> None:
        """Complain about fields nobody asked for."""
        for name in self._values:
            raise ControlError(name, "unknown field", sorted(self._known))

    def _take(self, name: str, default: Any) -> Any:
        self._known.append(name)
        value = self._values.pop(name, default)
        if value is None:
            raise ControlError(name, "is missing", "a value")
        return value

"""The two ways to refuse: as Slack's Web API does, and as the control API does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class SlackError(Exception):
    """An error answer of the Web API: `{"ok": false, "error": code, …}`.

    Args:
        code: Slack's error code, such as "channel_not_found".
        messages: Details for `response_metadata.messages`, as `invalid_blocks` has them.
        status: The HTTP status; Slack answers almost every error with 200.
        headers: Extra response headers, such as Retry-After.
        **extra: Further top-level fields, such as `needed` and `provided`.
    """

    def __init__(
        self,
        code: str,
        messages: Sequence[str] = (),
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.messages = tuple(messages)
        self.status = status
        self.headers = dict(headers or {})
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        body: dict[str, Any] = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            body["response_metadata"] = {"messages": list(self.messages)}
        return body


class ControlError(Exception):
    """A control request that cannot be carried out.

    Args:
        field: The field of the request that is wrong.
        wrong: What is wrong with it, in words.
        allowed: What is allowed, a list of values or a sentence.
    """

    def __init__(self, field: str, wrong: str, allowed: Sequence[str] | str) -> None:
        super().__init__(f"{field}: {wrong}")
        self.field = field
        self.wrong = wrong
        self.allowed = allowed if isinstance(allowed, str) else list(allowed)

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer, for status 400."""
        return {"ok": False, "field": self.field, "error": self.wrong, "allowed": self.allowed}

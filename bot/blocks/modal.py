"""A modal with one optional text field, and what was written into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.blocks.parts import Block


@dataclass(frozen=True, slots=True)
class FieldModal:
    """A modal.

    Attributes:
        callback_id: By which its submission is listened to.
        field: The block's id; that of the input is made from it.
        title: At most 24 characters.
        submit: The word on the button that sends it off.
        close: The word on the other button.
    """

    callback_id: str
    field: str
    title: str
    label: str
    hint: str
    max_chars: int
    submit: str
    close: str
    is_multiline: bool = False

    @property
    def _input(self) -> str:
        return f"{self.field}_text"

    def view(self, private_metadata: str, text: str = "") -> Block:
        """As `views.open` takes it, filled with `text`."""
        element: Block = {
            "type": "plain_text_input",
            "action_id": self._input,
            "max_length": self.max_chars,
        }
        if self.is_multiline:
            element["multiline"] = True
        if text:
            element["initial_value"] = text
        return {
            "type": "modal",
            "callback_id": self.callback_id,
            "private_metadata": private_metadata,
            "title": _plain(self.title),
            "submit": _plain(self.submit),
            "close": _plain(self.close),
            "blocks": [
                {
                    "type": "input",
                    "block_id": self.field,
                    "optional": True,
                    "label": _plain(self.label),
                    "hint": _plain(self.hint),
                    "element": element,
                }
            ],
        }

    def written(self, view: Mapping[str, Any]) -> str:
        """What a submitted one holds."""
        values = view["state"]["values"]
        return str(values.get(self.field, {}).get(self._input, {}).get("value") or "")


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}

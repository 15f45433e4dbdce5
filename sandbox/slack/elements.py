"""What using an element of Block Kit makes: a press, a choice, a filled-in modal. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.slack.errors import ControlError

Json = dict[str, Any]
_OPTION_TYPES = ("static_select", "radio_buttons", "overflow")


def pressed(blocks: Iterable[Json], action_id: str, value: str | None) -> Json:
    """The entry of `actions` for using one of the elements of these blocks."""
    elements = dict(_interactive(blocks))
    if action_id not in elements:
        wrong = f"there is no element {action_id!r} here"
        raise ControlError("action_id", wrong, sorted(elements))
    block_id, element = elements[action_id]
    try:
        return action_of(element, block_id, value)
    except LookupError:
        wrong = f"{action_id} does not offer {value!r}"
        raise ControlError("value", wrong, offered(element)) from None


def _interactive(blocks: Iterable[Json]) -> Iterable[tuple[str, tuple[str, Json]]]:
    for block in blocks:
        elements = [*block.get("elements", ()), block.get("accessory")]
        for element in elements:
            if isinstance(element, dict) and element.get("action_id"):
                yield element["action_id"], (block["block_id"], element)


def action_of(element: Json, block_id: str, value: str | None) -> Json:
    """The entry of `actions` that using an element makes.

    Args:
        element: The button, feedback buttons or menu.
        block_id: The id of its block.
        value: The option's value for a menu; for feedback buttons, which of the two was pressed.

    Raises:
        LookupError: When `value` is not among what the element offers.
    """
    kind = element["type"]
    action: Json = {"type": kind, "action_id": element.get("action_id"), "block_id": block_id}
    if kind == "feedback_buttons":
        choices = [element["positive_button"], element["negative_button"]]
        chosen = _choose(choices, value)
        return action | {"text": chosen["text"], "value": chosen["value"]}
    if kind in _OPTION_TYPES:
        return action | {"selected_option": _choose(element.get("options") or (), value)}
    action |= {key: element[key] for key in ("text", "value", "style") if key in element}
    return action


def offered(element: Json) -> list[str]:
    """The values an element offers; empty when it takes none."""
    if element["type"] == "feedback_buttons":
        return [element["positive_button"]["value"], element["negative_button"]["value"]]
    if element["type"] in _OPTION_TYPES:
        return [option["value"] for option in element.get("options") or ()]
    return []


def _choose(choices: Any, value: str | None) -> Json:
    for choice in choices:
        if value is None or choice["value"] == value:
            return dict(choice)
    raise LookupError(value)


def view_state(view: Json, values: Json) -> Json:
    """The `state.values` of a modal: what was filled in, over what was there from the start."""
    inputs = {row["block_id"]: row["element"] for row in view["blocks"] if row["type"] == "input"}
    by_action = {element["action_id"]: block_id for block_id, element in inputs.items()}
    state: Json = {}
    for block_id, element in inputs.items():
        state[block_id] = {element["action_id"]: _filled(element, None)}
    for key, value in values.items():
        block_id = key if key in inputs else by_action.get(key, "")
        if block_id not in inputs:
            raise ControlError("values", f"the modal has no input {key!r}", sorted(inputs))
        element = inputs[block_id]
        if isinstance(value, dict):
            value = value.get(element["action_id"])  # noqa: PLW2901  (both shapes are allowed)
        state[block_id] = {element["action_id"]: _filled(element, value)}
    return state


def _filled(element: Json, value: Any) -> Json:
    kind = element["type"]
    if kind in ("static_select", "radio_buttons"):
        options = {row["value"]: row for row in element.get("options") or ()}
        if value is not None and value not in options:
            raise ControlError("values", f"{value!r} is not offered", sorted(options))
        chosen = options.get(str(value)) if value is not None else element.get("initial_option")
        return {"type": kind, "selected_option": chosen}
    if kind in ("checkboxes", "multi_static_select"):
        chosen = value if isinstance(value, list) else []
        rows = [row for row in element.get("options") or () if row["value"] in chosen]
        return {"type": kind, "selected_options": rows}
    return {"type": kind, "value": element.get("initial_value") if value is None else str(value)}

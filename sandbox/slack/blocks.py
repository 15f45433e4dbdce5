"""Slack's limits on Block Kit: what `invalid_blocks` is answered for, and with which words.

`check_message` and `check_view` return the complaints, none when the blocks are fine. They know
the blocks Slack lets an app send in a message or a modal, and their limits in characters and items.
It is longer than others because it is one table of checks.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from typing import Any

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MARKDOWN_CHARACTERS = 12_000
TABLE_CHARACTERS = 10_000
_MESSAGE_ONLY = {"markdown", "context_actions", "plan", "task_card", "container", "table"}
_VIEW_ONLY = {"alert"}
_BUTTON_STYLES = ("primary", "danger")
_TASK_STATES = ("pending", "in_progress", "complete", "error")
_SELECTS = ("static_select", "multi_static_select", "radio_buttons", "checkboxes")
_OPTIONS = {"radio_buttons": 10, "checkboxes": 10, "overflow": 5}

Json = dict[str, Any]


class Complaints:
    """Collects complaints in Slack's form, each with the place it speaks of."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, path: str, wrong: str) -> None:
        """Complain about the value at a JSON pointer."""
        self.found.append(f"[ERROR] {wrong} [json-pointer:{path}]")

    def need(self, ok: bool, path: str, wrong: str) -> bool:
        """Complain unless `ok`; returns `ok`."""
        if not ok:
            self.add(path, wrong)
        return ok

    def string(self, value: Any, path: str, limit: int, *, least: int = 1) -> None:
        """Complain unless `value` is a string of `least` to `limit` characters."""
        if not self.need(isinstance(value, str), path, "must be a string"):
            return
        self.need(len(value) >= least, path, f"must be more than {least - 1} characters")
        self.need(len(value) <= limit, path, f"must be less than {limit + 1} characters")

    def items(self, value: Any, path: str, limit: int, *, least: int = 1) -> list[Any]:
        """Complain unless `value` is a list of `least` to `limit` items; returns what it has."""
        if not self.need(isinstance(value, list), path, "must be an array"):
            return []
        self.need(len(value) >= least, path, f"no less than {least} items required")
        self.need(len(value) <= limit, path, f"no more than {limit} items allowed")
        return list(value)

    def text(self, value: Any, path: str, limit: int, kinds: Sequence[str]) -> None:
        """Complain unless `value` is a text object of an allowed kind and length."""
        if not self.need(isinstance(value, dict), path, "must provide an object"):
            return
        allowed = " or ".join(kinds)
        self.need(value.get("type") in kinds, f"{path}/type", f"must be {allowed}")
        self.string(value.get("text"), f"{path}/text", limit)


_PLAIN = ("plain_text",)
_ANY_TEXT = ("plain_text", "mrkdwn")


def check_message(blocks: Any, *, limit: int = MESSAGE_BLOCKS) -> list[str]:
    """Complaints about the blocks of one message."""
    return _check(blocks, limit, _VIEW_ONLY)


def check_view(view: Any) -> list[str]:
    """Complaints about a modal or a Home tab."""
    told = Complaints()
    if not told.need(isinstance(view, dict), "/view", "must provide an object"):
        return told.found
    kind = view.get("type")
    told.need(kind in ("modal", "home"), "/view/type", "must be modal or home")
    if kind == "modal":
        told.text(view.get("title"), "/view/title", 24, _PLAIN)
        for key in ("submit", "close"):
            if key in view:
                told.text(view[key], f"/view/{key}", 24, _PLAIN)
    told.string(view.get("private_metadata", ""), "/view/private_metadata", 3000, least=0)
    told.string(view.get("callback_id", ""), "/view/callback_id", 255, least=0)
    blocks = view.get("blocks")
    has_input = any(_kind(block) == "input" for block in blocks or ())
    if kind == "modal" and has_input:
        told.need("submit" in view, "/view", "submit is required when an input block is present")
    return told.found + _check(blocks, VIEW_BLOCKS, _MESSAGE_ONLY)


def with_ids(blocks: Sequence[Json]) -> list[Json]:
    """The blocks as Slack stores them: each with a block_id, each element with an action_id."""
    numbers = itertools.count(1)
    stored = copy.deepcopy(list(blocks))
    for block in stored:
        if not block.get("block_id") or block["type"] == "markdown":  # ignored there, by Slack
            block["block_id"] = f"b{next(numbers)}"
        elements = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
        for element in elements:
            interactive = isinstance(element, dict) and (
                element.get("type") in (*_SELECTS, "button", "overflow", "feedback_buttons")
                or "input" in str(element.get("type"))
            )
            if interactive and not element.get("action_id"):
                element["action_id"] = f"a{next(numbers)}"
    return stored


def _kind(block: Any) -> str:
    return str(block.get("type")) if isinstance(block, dict) else ""


def _check(blocks: Any, limit: int, elsewhere: set[str]) -> list[str]:
    told = Complaints()
    rows = told.items(blocks, "/blocks", limit, least=0)
    seen: set[str] = set()
    for number, block in enumerate(rows):
        path = f"/blocks/{number}"
        kind = _kind(block)
        checker = _CHECKERS.get(kind)
        if checker is None or kind in elsewhere:
            told.add(f"{path}/type", f"unsupported type: {kind}")
            continue
        block_id = block.get("block_id")
        if block_id is not None:
            told.string(block_id, f"{path}/block_id", 255)
            told.need(block_id not in seen, f"{path}/block_id", "block_id already exists")
            seen.add(str(block_id))
        checker(block, path, told)
    sizes = [(MARKDOWN_CHARACTERS, _markdown_size(rows)), (TABLE_CHARACTERS, _table_size(rows))]
    for most, size in sizes:
        told.need(size <= most, "/blocks", f"must be less than {most + 1} characters in all")
    return told.found


def _markdown_size(blocks: Sequence[Any]) -> int:
    return sum(len(str(block.get("text"))) for block in blocks if _kind(block) == "markdown")


def _table_size(blocks: Sequence[Any]) -> int:
    tables = [block for block in blocks if _kind(block) == "table"]
    return sum(_characters(table.get("rows")) for table in tables)


def _characters(value: Any) -> int:
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(_characters(child) for child in value.values())
    return sum(_characters(child) for child in value) if isinstance(value, list) else 0


def _section(block: Json, path: str, told: Complaints) -> None:
    told.need("text" in block or "fields" in block, path, "must provide text or fields")
    if "text" in block:
        told.text(block["text"], f"{path}/text", 3000, _ANY_TEXT)
    if "fields" in block:
        for number, item in enumerate(told.items(block["fields"], f"{path}/fields", 10)):
            told.text(item, f"{path}/fields/{number}", 2000, _ANY_TEXT)
    if "accessory" in block:
        _element(block["accessory"], f"{path}/accessory", told)


def _header(block: Json, path: str, told: Complaints) -> None:
    told.text(block.get("text"), f"{path}/text", 150, _PLAIN)


def _divider(_block: Json, _path: str, _told: Complaints) -> None:
    """A divider has nothing that could be wrong."""


def _markdown(block: Json, path: str, told: Complaints) -> None:
    told.string(block.get("text"), f"{path}/text", MARKDOWN_CHARACTERS)


def _context(block: Json, path: str, told: Complaints) -> None:
    for number, item in enumerate(told.items(block.get("elements"), f"{path}/elements", 10)):
        place = f"{path}/elements/{number}"
        if _kind(item) == "image":
            _image(item, place, told)
        else:
            told.text(item, place, 2000, _ANY_TEXT)


def _actions(block: Json, path: str, told: Complaints) -> None:
    elements = told.items(block.get("elements"), f"{path}/elements", 25)
    _elements(elements, path, told)


def _context_actions(block: Json, path: str, told: Complaints) -> None:
    elements = told.items(block.get("elements"), f"{path}/elements", 5)
    for number, item in enumerate(elements):
        allowed = _kind(item) in ("feedback_buttons", "icon_button")
        told.need(allowed, f"{path}/elements/{number}/type", f"unsupported type: {_kind(item)}")
    _elements(elements, path, told)


def _elements(elements: Sequence[Any], path: str, told: Complaints) -> None:
    seen: set[str] = set()
    for number, item in enumerate(elements):
        place = f"{path}/elements/{number}"
        _element(item, place, told)
        action_id = item.get("action_id") if isinstance(item, dict) else None
        if action_id is not None:
            told.need(action_id not in seen, f"{place}/action_id", "action_id already exists")
            seen.add(str(action_id))


def _table(block: Json, path: str, told: Complaints) -> None:
    for number, row in enumerate(told.items(block.get("rows"), f"{path}/rows", 100)):
        place = f"{path}/rows/{number}"
        for column, cell in enumerate(told.items(row, place, 20)):
            allowed = _kind(cell) in ("raw_text", "raw_number", "rich_text")
            told.need(allowed, f"{place}/{column}/type", f"unsupported type: {_kind(cell)}")
            if _kind(cell) == "raw_text":
                told.string(cell.get("text"), f"{place}/{column}/text", TABLE_CHARACTERS)
    told.items(block.get("column_settings", []), f"{path}/column_settings", 20, least=0)


def _image(block: Json, path: str, told: Complaints) -> None:
    told.string(block.get("alt_text"), f"{path}/alt_text", 2000)
    has_source = "image_url" in block or "slack_file" in block
    told.need(has_source, path, "must provide image_url or slack_file")
    if "image_url" in block:
        told.string(block["image_url"], f"{path}/image_url", 3000)


def _rich_text(block: Json, path: str, told: Complaints) -> None:
    told.items(block.get("elements"), f"{path}/elements", 1000)


def _input(block: Json, path: str, told: Complaints) -> None:
    told.text(block.get("label"), f"{path}/label", 2000, _PLAIN)
    _element(block.get("element"), f"{path}/element", told)


def _task_card(block: Json, path: str, told: Complaints) -> None:
    told.string(block.get("task_id"), f"{path}/task_id", 255)
    told.string(block.get("title"), f"{path}/title", 3000)
    state = block.get("status", "pending")
    told.need(state in _TASK_STATES, f"{path}/status", f"must be one of {', '.join(_TASK_STATES)}")


def _plan(block: Json, path: str, told: Complaints) -> None:
    told.string(block.get("title"), f"{path}/title", 3000)
    for number, task in enumerate(block.get("tasks") or ()):
        _task_card(task, f"{path}/tasks/{number}", told)


def _alert(block: Json, path: str, told: Complaints) -> None:
    told.text(block.get("text"), f"{path}/text", 3000, _ANY_TEXT)


_CHECKERS: dict[str, Callable[[Json, str, Complaints], None]] = {
    "actions": _actions,
    "alert": _alert,
    "context": _context,
    "context_actions": _context_actions,
    "divider": _divider,
    "header": _header,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
    "plan": _plan,
    "rich_text": _rich_text,
    "section": _section,
    "table": _table,
    "task_card": _task_card,
}


def _element(item: Any, path: str, told: Complaints) -> None:
    kind = _kind(item)
    if kind not in _ELEMENTS:
        told.add(f"{path}/type", f"unsupported type: {kind}")
        return
    if "action_id" in item:
        told.string(item["action_id"], f"{path}/action_id", 255)
    if kind in ("button", "icon_button"):
        _button(item, path, told)
    elif kind == "feedback_buttons":
        for key in ("positive_button", "negative_button"):
            choice = item.get(key)
            if told.need(isinstance(choice, dict), f"{path}/{key}", "must provide an object"):
                _button(choice, f"{path}/{key}", told)
    elif kind == "image":
        _image(item, path, told)
    elif kind in _SELECTS or kind == "overflow":
        _options(item, path, told)


def _button(item: Json, path: str, told: Complaints) -> None:
    told.text(item.get("text"), f"{path}/text", 75, _PLAIN)
    for key, limit in (("value", 2000), ("url", 3000)):
        if key in item:
            told.string(item[key], f"{path}/{key}", limit, least=0)
    if "style" in item:
        ok = item["style"] in _BUTTON_STYLES
        told.need(ok, f"{path}/style", f"must be one of {', '.join(_BUTTON_STYLES)}")


def _options(item: Json, path: str, told: Complaints) -> None:
    groups = item.get("option_groups")
    rows = [group.get("options") for group in groups] if groups else [item.get("options")]
    limit = _OPTIONS.get(_kind(item), 100)
    for options in rows:
        for number, option in enumerate(told.items(options, f"{path}/options", limit)):
            place = f"{path}/options/{number}"
            told.text(option.get("text"), f"{place}/text", 75, _ANY_TEXT)
            told.string(option.get("value"), f"{place}/value", 150)


_ELEMENTS = frozenset(
    {
        *_SELECTS,
        "button",
        "channels_select",
        "conversations_select",
        "datepicker",
        "feedback_buttons",
        "icon_button",
        "image",
        "number_input",
        "overflow",
        "plain_text_input",
        "timepicker",
        "users_select",
    }
)

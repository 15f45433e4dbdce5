"""What `<…>` tokens in a message mean: who is notified, and which links hide their target."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r"<([^<>\n]+)>")
_AUTO = re.compile(r"(?<![\w/@.])@([\w.-]*\w)")
_TYPED = re.compile(r"<@(?P<id>[UW]\w+)>|(?P<url>https?://[^\s<>]+)|(?P<mark>[@#])(?P<name>[\w-]+)")
_BROADCASTS = ("here", "channel", "everyone")


@dataclass(slots=True)
class Entities:
    """The tokens of one text or message.

    Attributes:
        users: Ids in `<@U…>`.
        broadcasts: Of "here", "channel", "everyone".
        groups: Ids in `<!subteam^S…>`.
        links: (target, label) of `<target|label>` and `<target>`; the label may be "".
    """

    users: set[str] = field(default_factory=set)
    broadcasts: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    links: list[tuple[str, str]] = field(default_factory=list)

    def add_text(self, text: str) -> None:
        """Parse Slack's tokens in a mrkdwn or markdown text."""
        for match in _TOKEN.finditer(text):
            target, _, label = match.group(1).partition("|")
            if target.startswith("@"):
                self.users.add(target[1:])
            elif target.startswith("!subteam^"):
                self.groups.add(target.removeprefix("!subteam^"))
            elif target.startswith("!"):
                if target[1:] in _BROADCASTS:
                    self.broadcasts.add(target[1:])
            elif re.match(r"(https?|mailto|slack):", target):
                self.links.append((target, label))

    def add_names(self, text: str, user_ids: Mapping[str, str]) -> None:
        """Parse bare `@here` and `@name`, as Slack does where automatic parsing is on."""
        for match in _AUTO.finditer(text):
            name = match.group(1)
            if name in _BROADCASTS:
                self.broadcasts.add(name)
            elif name in user_ids:
                self.users.add(user_ids[name])

    def hidden_links(self) -> list[tuple[str, str]]:
        """Links whose words are not their target, so that a reader cannot see where they lead."""
        return [(target, label) for target, label in self.links if label and label != target]


def message_entities(
    message: Mapping[str, Any], user_ids: Mapping[str, str], *, link_names: bool = False
) -> Entities:
    """All entities of a message: its text and every text in its blocks.

    Plain text objects and `raw_text` cells have none. A mrkdwn object that is not `verbatim` is
    parsed for bare names too. Tokens inside code are counted: Slack leaves open whether it does.

    Args:
        message: A Slack message object.
        user_ids: User ids by name, for automatic parsing.
        link_names: Whether the top-level text was posted with `link_names`.
    """
    found = Entities()
    text = str(message.get("text") or "")
    found.add_text(text)
    if link_names:
        found.add_names(text, user_ids)
    for item in _objects(message.get("blocks") or ()):
        kind = item.get("type")
        if kind in ("mrkdwn", "markdown"):
            words = str(item.get("text") or "")
            found.add_text(words)
            if kind == "mrkdwn" and not item.get("verbatim"):
                found.add_names(words, user_ids)
        elif kind == "user" and "user_id" in item:
            found.users.add(str(item["user_id"]))
        elif kind == "broadcast":
            found.broadcasts.add(str(item.get("range")))
        elif kind == "usergroup":
            found.groups.add(str(item.get("usergroup_id")))
    return found


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from _objects(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _objects(child)


def escape(text: str) -> str:
    """Escape Slack's three control characters."""
    return html.escape(text, quote=False)


def compose(text: str, user_ids: Mapping[str, str], channel_ids: Mapping[str, str]) -> str:
    """What Slack's composer makes of typed words: escaped, with names and addresses as tokens.

    Args:
        text: As typed; `<@U…>` with a known id counts as a picked name.
        user_ids: User ids by name.
        channel_ids: Channel ids by name.
    """
    known = set(user_ids.values())
    parts: list[str] = []
    last = 0
    for match in _TYPED.finditer(text):
        token = _typed_token(match, user_ids, channel_ids, known)
        if token is None or (match.group("mark") and _inside_word(text, match.start())):
            continue
        parts += [escape(text[last : match.start()]), token]
        last = match.end()
    parts.append(escape(text[last:]))
    return "".join(parts)


def _inside_word(text: str, start: int) -> bool:
    return start > 0 and (text[start - 1].isalnum() or text[start - 1] in "/@.")


def _typed_token(
    match: re.Match[str],
    user_ids: Mapping[str, str],
    channel_ids: Mapping[str, str],
    known: Iterable[str],
) -> str | None:
    if match.group("id"):
        return match.group() if match.group("id") in known else None
    if match.group("url"):
        return f"<{escape(match.group('url'))}>"
    name = match.group("name")
    if match.group("mark") == "#":
        return f"<#{channel_ids[name]}|{name}>" if name in channel_ids else None
    if name in _BROADCASTS:
        return f"<!{name}>"
    return f"<@{user_ids[name]}>" if name in user_ids else None


def rich_text(text: str) -> list[dict[str, Any]]:
    """The `rich_text` block that Slack's own client sends with a typed message."""
    elements: list[dict[str, Any]] = []
    last = 0
    for match in _TOKEN.finditer(text):
        if match.start() > last:
            elements.append({"type": "text", "text": html.unescape(text[last : match.start()])})
        elements.append(_rich_element(match.group(1)))
        last = match.end()
    if last < len(text):
        elements.append({"type": "text", "text": html.unescape(text[last:])})
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "elements": [section]}]


def _rich_element(token: str) -> dict[str, Any]:
    target, _, label = token.partition("|")
    if target.startswith("@"):
        return {"type": "user", "user_id": target[1:]}
    if target.startswith("#"):
        return {"type": "channel", "channel_id": target[1:]}
    if target.startswith("!"):
        return {"type": "broadcast", "range": target[1:]}
    url = html.unescape(target)
    return {"type": "link", "url": url} | ({"text": html.unescape(label)} if label else {})

"""Text for Slack, made harmless: what a log, a document or a model wrote must never act.

Three dialects, three rules. `mrkdwn` text objects need `&`, `<` and `>` escaped. `markdown` blocks
parse `<…>` tokens too but show entities of `&` as they are, so there only `<` and `>` are escaped,
and a link whose label hides its address is opened up. `plain_text` and `raw_text` need nothing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

_LINK_SCHEMES = frozenset({"http", "https"})
# `[label](https://…)`, `[label]: https://…`: what follows the bracket decides whether it is a link.
_HIDDEN_LINK = re.compile(
    r"\](?=\s?[(:]\s*(?:&lt;|<)?\s*(?:[A-Za-z][A-Za-z0-9+.-]*:|//|www\.))", re.IGNORECASE
)
# The end of a text that may yet turn out to be a hidden link when more of it arrives.
_UNDECIDED_TAIL = re.compile(r"\](?:\s?[(:]\s*(?:&lt;|<)?\s*[A-Za-z0-9+./-]{0,24})?\s?\Z")


def escape(text: str) -> str:
    """Escape for a `mrkdwn` text object and for a message's top-level `text`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """What a person typed, from the text that Slack delivers."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape_markdown(text: str) -> str:
    """Escape for a `markdown` block: no `<…>` token, and no label in front of an address.

    `[runbook](https://evil)` becomes `[runbook] (https://evil)`: the address is there to be read.
    """
    shown = text.replace("<", "&lt;").replace(">", "&gt;")
    return _HIDDEN_LINK.sub("] ", shown)


def settled(text: str) -> str:
    """The beginning of a growing text whose `escape_markdown` further text cannot change."""
    return _UNDECIDED_TAIL.sub("", text)


def code(text: str) -> str:
    """One line of inline code; backticks inside would end it, so they become apostrophes."""
    flat = " ".join(text.split()).replace("`", "'")
    return f"`{escape(flat)}`" if flat else ""


def fence(text: str) -> str:
    """A block of code for a `mrkdwn` text object."""
    return f"```\n{escape(text.strip().replace('```', chr(39) * 3))}\n```"


def link(url: str, label: str) -> str:
    """A link where the address is a web address, else only the escaped label."""
    is_address = is_web_address(url)
    flat = " ".join(label.split()) or (url if is_address else "")
    shown = escape(flat).replace("|", "¦")  # a second bar would start another label
    return f"<{quote(url, safe=_URL_SAFE)}|{shown}>" if is_address else shown


# Everything a URL may hold, without the characters that end Slack's link token.
_URL_SAFE = "%:/?#[]@!$&'()*+,;=-._~"


def is_web_address(url: str) -> bool:
    """Whether this is an absolute http or https address with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in _LINK_SCHEMES and bool(parts.netloc)


def date(moment: datetime, now: datetime | None = None, url: str = "") -> str:
    """A moment in the reader's own time zone; clients that cannot show it get UTC.

    Args:
        moment: Aware.
        now: Where given, a moment of the last twelve hours is told by its time alone.
        url: What it opens, or ''.
    """
    utc = moment.astimezone(UTC)
    is_recent = now is not None and timedelta() <= now - moment < timedelta(hours=12)
    form = "{time}" if is_recent else "{date_short_pretty} {time}"
    opens = f"^{quote(url, safe=_URL_SAFE)}" if is_web_address(url) else ""
    plain = f"{utc:%H:%M} UTC" if is_recent else f"{utc:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(utc.timestamp())}^{form}{opens}|{plain}>"


def duration(span: timedelta) -> str:
    """A length of time in its one telling unit: "45 s", "12 min", "3 h", "5 d"."""
    seconds = max(0, int(span.total_seconds()))
    for unit_seconds, unit, from_seconds in (
        (86_400, "d", 172_800),
        (3_600, "h", 5_400),
        (60, "min", 90),
    ):
        if seconds >= from_seconds:
            return f"{round(seconds / unit_seconds)} {unit}"
    return f"{seconds} s"


def ago(span: timedelta) -> str:
    """How long ago something was: "just now", "3 h ago"."""
    return "just now" if span < timedelta(seconds=10) else f"{duration(span)} ago"


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, with an ellipsis where something was cut off.

    Cut before escaping: an entity cut in half would show its remains.
    """
    return text if len(text) <= limit else text[: max(0, limit - 1)].rstrip() + "…"


def clip_escaped(text: str, limit: int) -> str:
    """`clip` for text that is escaped already: never in the middle of an entity or a token."""
    if len(text) <= limit:
        return text
    cut = text[: max(0, limit - 1)]
    for opening, closing in (("&", ";"), ("<", ">")):
        start = cut.rfind(opening)
        if start >= 0 and closing not in cut[start:]:
            cut = cut[:start]
    return cut.rstrip() + "…"

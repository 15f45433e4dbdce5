"""Web addresses of documents, made from a template. Pure.

Such as `https://git.example.com/ops/runbooks/blob/main/{path}#{anchor}`.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from core.errors import KnowledgeError

_PATH, _ANCHOR = "{path}", "{anchor}"
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_NO_WORD = re.compile(r"[^\w\- ]")


def check_template(template: str) -> str:
    """The template itself; "" is one, and gives no links.

    Raises:
        KnowledgeError: It is no web address, has no {path}, or another placeholder.
    """
    if not template:
        return ""
    wrong = ""
    unknown = sorted(set(_PLACEHOLDER.findall(template)) - {_PATH, _ANCHOR})
    if not template.startswith(("https://", "http://")):
        wrong = "it does not begin with https:// or http://"
    elif unknown:
        wrong = f"{unknown[0]} is no placeholder"
    elif _PATH not in template:
        wrong = "it has no {path}"
    if wrong:
        raise KnowledgeError(
            f'use the link template "{template}"',
            wrong,
            "Write it like https://git.example.com/ops/runbooks/blob/main/{path}#{anchor}",
        )
    return template


def fill_path(template: str, path: str) -> str:
    """The template with the path filled in; `{anchor}` stays."""
    return template.replace(_PATH, quote(path, safe="/"))


def fill_anchor(link: str, heading: str) -> str:
    """The link to one heading of the page; without a heading, to the page itself."""
    anchor = anchor_of(heading)
    if anchor:
        return link.replace(_ANCHOR, quote(anchor, safe=""))
    return link.replace(f"#{_ANCHOR}", "").replace(_ANCHOR, "")


def anchor_of(heading: str) -> str:
    """What GitHub, GitLab, Gitea and MkDocs make of a heading, the first of its name on a page."""
    return _NO_WORD.sub("", heading.strip().lower()).replace(" ", "-")

"""Markdown pages: front matter, title, kind and text of each, as documents."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from knowledge.documents import Document, Entry, Listing, UnreadableError
from knowledge.files import read_text
from knowledge.links import fill_anchor, fill_path
from knowledge.yamltext import load_yaml

SOURCE = "markdown"
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIRST_HEADING = re.compile(r"^(?:# +(.+?)\s*#*$|(\S[^\n]*)\n=+[ \t]*$)", re.MULTILINE)
# Site generators' tags: the words a reader would see are kept, the rest is noise to a search.
_TAG_WITH_TEXT = re.compile(r"\{\{[<%][^{}]{0,400}?\btext=\"([^\"]{0,400})\"[^{}]{0,400}?[>%]\}\}")
_TAG = re.compile(r"\{\{[<%][^{}]*?[>%]\}\}")
_COMMENT_LINE = re.compile(r"^[ \t]*<!--(?:(?!-->).)*-->[ \t]*$", re.MULTILINE)
# The folder a page stands in tells what it is when its front matter does not.
_KIND_OF_FOLDER = {
    "runbooks": "runbook",
    "runbook": "runbook",
    "playbooks": "runbook",
    "incidents": "incident",
    "postmortems": "incident",
    "policies": "policy",
    "policy": "policy",
    "config": "config",
    "configuration": "config",
}


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one folder; plain values, so that another process can read them as well.

    Attributes:
        folder: Paths of entries begin below it.
        link_template: See `knowledge.links`; a page's own `url` counts more.
    """

    folder: str
    link_template: str = ""

    def load(self, entry: Entry) -> Sequence[Document]:
        """One document a file; an empty one gives none. Raises UnreadableError."""
        return read_page(read_text(Path(self.folder) / entry.path), entry, self.link_template)


class PageSource:
    """A source whose entries are the pages of one folder.

    Attributes:
        uri: As configured.
        pages: What loads them, here or in another process.
    """

    kind = SOURCE

    def __init__(self, uri: str, pages: Pages) -> None:
        self.uri = uri
        self.pages = pages

    def listing(self) -> Listing:
        """The files there now; what cannot be used is a problem of the listing."""
        raise NotImplementedError

    def load(self, entry: Entry) -> Sequence[Document]:
        """One document a file; an empty one gives none. Raises UnreadableError."""
        return self.pages.load(entry)


def read_page(text: str, entry: Entry, link_template: str = "") -> tuple[Document, ...]:
    """The document of one page; an empty page gives none.

    Raises:
        UnreadableError: Its front matter is broken.
    """
    meta, body = split_front_matter(text)
    body = _COMMENT_LINE.sub("", _TAG.sub("", _TAG_WITH_TEXT.sub(r"\1", body)))
    if not body.strip():
        return ()
    path = Path(entry.path)
    folders = [part.lower() for part in path.parts[:-1]]
    guesses = (_KIND_OF_FOLDER[name] for name in reversed(folders) if name in _KIND_OF_FOLDER)
    own_url = _word(meta, "url", "link")
    link = "" if own_url or not link_template else fill_path(link_template, entry.path)
    document = Document(
        source=SOURCE,
        path=entry.path,
        title=_word(meta, "title") or _first_heading(body) or _name_in_words(path),
        text=body,
        url=own_url or fill_anchor(link, ""),
        link=link,
        updated_at=_moment(meta) or entry.updated_at,
        namespace=_word(meta, "namespace"),
        service=_word(meta, "service", "component", "app"),
        team=_word(meta, "team", "owner"),
        kind=_word(meta, "kind", "type") or next(guesses, ""),
    )
    return (document,)


def _first_heading(body: str) -> str:
    heading = _FIRST_HEADING.search(body)
    return (heading[1] or heading[2]).strip() if heading else ""


def _name_in_words(path: Path) -> str:
    return path.stem.replace("_", " ").replace("-", " ")


def split_front_matter(text: str) -> tuple[Mapping[str, object], str]:
    """The YAML block on top, as far as it is a mapping, and the text without it.

    Raises:
        UnreadableError: There is a block and it is no YAML.
    """
    match = _FRONT_MATTER.match(text)
    if match is None:
        return {}, text
    try:
        meta = load_yaml(f"\n{match[1]}")  # lines count from the top of the page
    except ValueError as error:
        raise UnreadableError(f"in its front matter: {error}") from error
    # A page may begin with a rule and end its first part with another: no mapping, no front matter.
    return (meta, text[match.end() :]) if isinstance(meta, dict) else ({}, text)


def _word(meta: Mapping[str, object], *keys: str) -> str:
    for key in keys:
        value = meta.get(key)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, str | int) and str(value).strip():
            return str(value).strip()
    return ""


def _moment(meta: Mapping[str, object]) -> datetime | None:
    for key in ("updated", "updated_at", "last_updated", "date"):
        value = meta.get(key)
        if isinstance(value, datetime):
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, date):
            return datetime.combine(value, time(), UTC)
    return None

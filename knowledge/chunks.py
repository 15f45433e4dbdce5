"""Cuts Markdown into chunks along its headings. Pure; loses no line that is not blank.

A chunk is a run of whole blocks. Code blocks and tables stay in one piece until they are far larger
than what an encoder reads; then a fence is closed at the cut and opened again behind it, and a
table's head is repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

# The encoder reads 256 word pieces; heading path and special marks need some of them.
TARGET_TOKENS = 220
# A code block or table may be this large before it is cut.
LARGEST_BLOCK_TOKENS = 480
# Sub-sections shorter than this stay with what follows them.
SMALLEST_TOKENS = 60
# A single line above this is cut at blanks: a minified JSON or a base64 dump.
LONGEST_LINE_CHARS = 4000
HEADING_JOIN = " › "

# Six letters of a word, or one sign, are about one word piece.
_PIECE = re.compile(r"\w{1,6}|[^\w\s]")
# A parser's rules that find nothing in a text without these. Each is asked at every line.
_MARKS = {
    "blockquote": re.compile(">"),
    "html_block": re.compile("<"),
    "lheading": re.compile(r"^[ \t>]*(?:=+|-+)[ \t]*$", re.MULTILINE),
    "table": re.compile(r"\|"),
}
_FENCE = re.compile(r"^(\s*(?:>\s*)*(?:[-*+]\s+|\d+[.)]\s+)?)(`{3,}|~{3,})(.*)$")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a page.

    Attributes:
        heading: The path of headings it stands under, its own included.
        context: Title and headings above its first line: what the body alone does not say.
        body: The lines as found.
    """

    heading: str
    context: str
    body: str

    @property
    def text(self) -> str:
        """What is encoded and searched: context in front of the body."""
        return f"{self.context}\n\n{self.body}" if self.context else self.body


@dataclass(frozen=True, slots=True)
class _Block:
    lines: tuple[str, ...]
    kind: str
    level: int = 0
    title: str = ""

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def count_tokens(text: str) -> int:
    """About as many word pieces as an encoder would see; within a fifth on prose and YAML."""
    return len(_PIECE.findall(text))


def chunk_markdown(text: str, title: str = "") -> tuple[Chunk, ...]:
    """Cut a page into chunks of at most about 220 tokens, each under its heading path.

    Args:
        text: Markdown without front matter. Any text will do.
        title: The page's title; stands in front of each heading path.
    """
    chunks: list[Chunk] = []
    path: list[tuple[int, str]] = []
    held: list[str] = []
    held_tokens = 0
    has_body = False
    start_level = 0
    above: tuple[str, ...] = ()
    under: tuple[str, ...] = ()

    def finish() -> None:
        nonlocal held, held_tokens, has_body
        body = "\n".join(held).strip("\n")
        if body.strip():
            context = HEADING_JOIN.join(_without_repeats((title, *above)))
            chunks.append(Chunk(HEADING_JOIN.join(under), context, body))
        held, held_tokens, has_body = [], 0, False

    for block in _blocks(text):
        if block.kind == "heading":
            is_deeper = block.level > start_level
            if held_tokens >= SMALLEST_TOKENS or not is_deeper:
                finish()
            path = [item for item in path if item[0] < block.level]
            if not held:
                above = tuple(name for _, name in path)
                under = (*above, block.title)
                start_level = block.level
            path.append((block.level, block.title))
        for piece, tokens in _pieces(block):
            # A heading never stands alone: what follows it comes along, however large.
            if has_body and held_tokens + tokens > TARGET_TOKENS:
                finish()
            if not held and block.kind != "heading":
                above = under = tuple(name for _, name in path)
                start_level = path[-1][0] if path else 0
            held.append(piece)
            held_tokens += tokens
            has_body = has_body or block.kind != "heading"
    finish()
    return tuple(chunks)


def _without_repeats(names: Sequence[str]) -> Iterator[str]:
    """Pages often repeat their title as the first heading; once is enough."""
    last = ""
    for name in names:
        if name and name != last:
            yield name
            last = name


def _blocks(text: str) -> Iterator[_Block]:
    """Top-level blocks that together hold every line: what stands between two goes to the first."""
    lines = text.splitlines()
    source = "\n".join(lines)
    idle = tuple(rule for rule, mark in _MARKS.items() if not mark.search(source))
    tokens = _parser(idle).parse(source)
    starts: list[tuple[int, str, int, str]] = []
    for index, token in enumerate(tokens):
        if token.level == 0 and token.map is not None and token.nesting >= 0:
            kind = token.type.removesuffix("_open")
            level = int(token.tag[1]) if kind == "heading" else 0
            name = tokens[index + 1].content.strip() if kind == "heading" else ""
            starts.append((token.map[0], kind, level, _plain(name)))
    if not starts or starts[0][0] > 0:
        starts.insert(0, (0, "paragraph", 0, ""))
    # The parser counts form feeds and other odd separators differently from splitlines only when
    # they are left in the text; `source` has none but "\n", so both count the same lines.
    ends = [start[0] for start in starts[1:]] + [len(lines)]
    for (first, kind, level, name), end in zip(starts, ends, strict=True):
        if end > first:
            yield _Block(tuple(lines[first:end]), kind, level, name)


@cache
def _parser(idle: tuple[str, ...]) -> MarkdownIt:
    """Finds where blocks begin and end, and nothing else; keeps no state between two texts.

    HTML stays what it is, and what stands inside a block stays text. Idle rules are left out.
    """
    # Imported here: a run of `opsbot index` that finds nothing new needs no parser.
    from markdown_it import MarkdownIt  # noqa: PLC0415

    parser = MarkdownIt("commonmark").enable("table").disable(["inline", *idle])
    parser.parse("The first text compiles its rules: two threads must not do that at once.")
    return parser


def _plain(heading: str) -> str:
    """A heading without its anchor and code marks."""
    return re.sub(r"\s*\{#[^}]*\}", "", heading).replace("`", "").strip("* ")


def _pieces(block: _Block) -> Iterator[tuple[str, int]]:
    """The block in one piece, or cut when it is too large for its kind; each with its tokens."""
    text = block.text
    tokens = count_tokens(text)
    is_whole_kind = block.kind in ("fence", "code_block", "table", "html_block")
    fits = tokens <= (LARGEST_BLOCK_TOKENS if is_whole_kind else TARGET_TOKENS)
    if fits and all(len(line) <= LONGEST_LINE_CHARS for line in block.lines):
        yield text, tokens
        return
    pieces = _table_pieces if block.kind == "table" else _line_pieces
    for piece in pieces(block.lines):
        yield piece, count_tokens(piece)


def _table_pieces(lines: Sequence[str]) -> Iterator[str]:
    head, rows = list(lines[:2]), lines[2:]
    held: list[str] = []
    for row in rows:
        if held and count_tokens("\n".join((*head, *held, row))) > TARGET_TOKENS:
            yield "\n".join((*head, *held))
            held = []
        held.append(row)
    yield "\n".join((*head, *held))


def _line_pieces(lines: Sequence[str]) -> Iterator[str]:
    """Cut between lines. Inside a fence it is closed at the cut and opened again after it."""
    held: list[str] = []
    held_tokens = 0
    opening = ""
    mark = ""
    for line in _short_lines(lines):
        tokens = count_tokens(line)
        limit = LARGEST_BLOCK_TOKENS if mark else TARGET_TOKENS
        if held and held_tokens + tokens > limit and held != [opening]:
            yield "\n".join((*held, mark)) if mark else "\n".join(held)
            held = [opening] if mark else []
            held_tokens = count_tokens(opening) if mark else 0
        held.append(line)
        held_tokens += tokens
        fence = _FENCE.match(line)
        if fence and not mark:
            opening, mark = line, fence[2]
        elif fence and fence[2].startswith(mark) and not fence[3].strip():
            opening = mark = ""
    if held:
        yield "\n".join(held)


def _short_lines(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        rest = line
        while len(rest) > LONGEST_LINE_CHARS:
            cut = rest.rfind(" ", LONGEST_LINE_CHARS // 2, LONGEST_LINE_CHARS)
            cut = cut if cut > 0 else LONGEST_LINE_CHARS
            yield rest[:cut]
            rest = rest[cut:].lstrip(" ")
        yield rest

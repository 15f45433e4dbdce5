"""Inputs that nobody would write: what was real once, spoilt at random.

Spoilt samples get deeper into a parser than noise does, which most parsers refuse at once.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Path = tuple[Any, ...]

# Each has broken some parser somewhere: emptiness, extremes, controls, half a pair, depth.
TEXTS: tuple[str, ...] = (
    *(
        "",
        " ",
        "\0",
        "\n",
        "\r\n",
        "\t",
        '"',
        "'",
        "`",
        "```",
        "\\",
        "<",
        ">",
        "&",
        "{",
        "}",
        "[",
        "]",
    ),
    *(
        "<!channel>",
        "<@U1>",
        "<https://a|b>",
        "{{",
        "%s",
        "${HOME}",
        "../",
        "-",
        "--",
        "---",
        ":",
        ": ",
    ),
    *("#", "&a *a", "!!python/object", "|", "||", "\ufeff", "\u202e", "\u2028", "\u0085", "\ufffd"),
    *("é", "e\u0301", "😀", "\U0010ffff", "\ud800", "٣", "0", "-1", "1e999", "NaN", "9" * 40, "0x"),
    *(
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "2026-02-30T25:61:61+99:99",
        "00:00",
        "10:00-",
    ),
    *("source:", "after:", "code:", "ns:*", "last 0 days", "last 999999999999 years"),
    *("x" * 5_000, "()" * 500, " | " * 300, "a" * 300 + "-" * 300),
)
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63, -(2**63), 10**30, 1.5, -0.0, 1e308),
    *([], {}, [None], [[]], {"": {}}, {"x": None}, *TEXTS),
)


def mutated_text(rng: random.Random, sample: str) -> str:
    """The text with one to eight spans cut, doubled, moved or replaced."""
    text = sample
    for _ in range(rng.randint(1, 8)):
        start = rng.randint(0, len(text))
        end = min(len(text), start + rng.choice((0, 1, 1, 2, 5, 20, 200)))
        span = text[start:end]
        match rng.randrange(5):
            case 0:
                span = rng.choice(TEXTS)
            case 1:
                span = ""
            case 2:
                span *= rng.choice((2, 3, 50))
            case 3:
                span = chr(
                    rng.choice((rng.randrange(32), rng.randrange(0x250), rng.randrange(0xD7FF)))
                )
            case _:
                other = rng.randint(0, len(text))
                span += text[other : other + 40]
        text = (text[:start] + span + text[end:])[:50_000]
    return text


def mutated_json(rng: random.Random, sample: Any) -> Any:
    """A copy with one to six nodes replaced, removed, doubled, renamed or swapped for another."""
    root = copy.deepcopy(sample)
    for _ in range(rng.randint(1, 6)):
        paths = list(_paths(root))
        if not paths:
            return rng.choice(ODD)
        path = rng.choice(paths)
        holder = _at(root, path[:-1])
        match rng.randrange(6):
            case 0 | 1:
                holder[path[-1]] = copy.deepcopy(rng.choice(ODD))
            case 2:
                del holder[path[-1]]
            case 3 if isinstance(holder, list):
                holder.insert(path[-1], copy.deepcopy(holder[path[-1]]))
            case 3 if isinstance(holder, dict):
                holder[rng.choice(TEXTS)] = holder.pop(path[-1])
            case 4 if isinstance(holder[path[-1]], str):
                holder[path[-1]] = mutated_text(rng, holder[path[-1]])
            case _:
                holder[path[-1]] = copy.deepcopy(_at(root, rng.choice(paths)))
    return root


def mutated_bytes(rng: random.Random, sample: bytes) -> bytes:
    """Bytes with single ones changed and spans cut, which need no longer be UTF-8."""
    raw = bytearray(sample)
    for _ in range(rng.randint(1, 8)):
        start = rng.randint(0, len(raw))
        match rng.randrange(4):
            case 0:
                raw[start : start + 1] = bytes([rng.randrange(256)])
            case 1:
                del raw[start : start + rng.choice((1, 3, 50))]
            case 2:
                raw[start:start] = raw[start : start + rng.choice((1, 10, 200))]
            case _:
                raw[start:start] = rng.choice(TEXTS).encode("utf-8", "surrogatepass")
    return bytes(raw[:50_000])


def deep(depth: int) -> str:
    """JSON that is nested so deeply that readers which call themselves give up."""
    return "[" * depth + "]" * depth


def attack(
    parse: Callable[[Any], object],
    inputs: Iterator[Any],
    count: int,
    allowed: tuple[type[Exception], ...] = (),
) -> None:
    """Parse that many inputs. Fails, with the input, at the first error that is not allowed."""
    for number in range(count):
        given = next(inputs)
        try:
            parse(given)
        except allowed:
            continue
        except Exception as error:
            shown = given if isinstance(given, str | bytes) else json.dumps(given, default=str)
            raise AssertionError(f"input {number}: {shown[:4_000]!r}") from error


def endless(
    mutate: Callable[[random.Random, Any], Any], samples: Sequence[Any], seed: int = 0
) -> Iterator[Any]:
    """Spoilt samples without end; the same seed gives the same."""
    rng = random.Random(seed)  # noqa: S311  (a test's choice, no secret)
    while True:
        yield mutate(rng, rng.choice(samples))


def _paths(node: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(node, dict):
        items: Iterator[tuple[Any, Any]] = iter(list(node.items()))
    elif isinstance(node, list):
        items = iter(list(enumerate(node)))
    else:
        return
    for key, value in items:
        yield (*path, key)
        yield from _paths(value, (*path, key))


def _at(node: Any, path: Path) -> Any:
    for key in path:
        node = node[key]
    return node

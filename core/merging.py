"""Templates that differ in a word alone into one: a word that varies freely is a variable.

What `core.templates` cannot know from one message shows in many: "user alice logged in" and nine
more with other names. Two words in one place may be two things ("opened", "closed"); many words
there are a variable. Templates are compared with those of as many words that begin with the same
word, as in a Drain tree, but by counting the words in each place, so that the order does not
matter. Pure, and nearly linear in the number of templates.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

ANY = "<*>"
# So many different words in one place are a variable.
MIN_WORDS = 5
# Of templates that differ in several places, this part of the words must agree.
MIN_AGREEMENT = 0.6
MAX_WORDS = 60
_MAX_COMPARED = 2000
_MAX_ROUNDS = 4

_VARIABLE = re.compile(r"<[A-Z]{2,8}>|\d+")
_ANIES = re.compile(r"(?:<\*>[.,:;/\-+_]{0,2}){2,}")

_Words = tuple[str, ...]


def merge(templates: Iterable[str]) -> dict[str, str]:
    """For each template the one that stands for it and its like.

    Args:
        templates: As `core.templates.mask` gives them; each counts once.

    Returns:
        By template: the same words with `<*>` for all that varies. Placeholders of all types and
        numbers vary; words do where many different ones are seen.
    """
    shapes = {template: _shape(template) for template in dict.fromkeys(templates)}
    buckets: dict[tuple[int, str], dict[_Words, None]] = defaultdict(dict)
    for words in shapes.values():
        buckets[len(words), words[0] if words else ""][words] = None
    merged: dict[_Words, _Words] = {}
    for bucket in buckets.values():
        merged |= _merge_bucket(list(bucket))
    return {template: " ".join(merged[words]) for template, words in shapes.items()}


def _shape(template: str) -> _Words:
    words = _ANIES.sub(ANY, _VARIABLE.sub(ANY, template)).split()
    return tuple(words[:MAX_WORDS])


def _merge_bucket(keys: Sequence[_Words]) -> dict[_Words, _Words]:
    """What stands for each key; keys have as many words."""
    stands = {key: key for key in keys}
    if len(keys) < MIN_WORDS:
        return stands
    for _ in range(_MAX_ROUNDS):
        current = list(dict.fromkeys(stands.values()))
        found = _by_one_place(current) or _by_places(current[:_MAX_COMPARED])
        if not found:
            break
        stands = {key: found.get(value, value) for key, value in stands.items()}
    return stands


def _by_one_place(keys: Sequence[_Words]) -> dict[_Words, _Words]:
    """Keys that differ in one place, where many words are seen."""
    found: dict[_Words, _Words] = {}
    for place in range(1, len(keys[0])):
        alike: dict[_Words, list[_Words]] = defaultdict(list)
        for key in keys:
            if key not in found:
                alike[(*key[:place], ANY, *key[place + 1 :])].append(key)
        for general, members in alike.items():
            if _varies([key[place] for key in members]):
                found |= dict.fromkeys(members, general)
    return found


def _by_places(keys: Sequence[_Words]) -> dict[_Words, _Words]:
    """Keys that differ in several places, in each of which many words are seen."""
    groups: list[list[_Words]] = []
    for key in keys:
        home = next((group for group in groups if _agree(group[0], key)), None)
        if home is None:
            groups.append([key])
        else:
            home.append(key)
    found: dict[_Words, _Words] = {}
    for group in groups:
        columns = list(zip(*group, strict=True))
        varies = [_varies(column) for column in columns]
        # Places with few words tell kinds apart.
        kinds: dict[_Words, list[_Words]] = defaultdict(list)
        for key in group:
            words = (ANY if free else word for free, word in zip(varies, key, strict=True))
            kinds[tuple(words)].append(key)
        for general, members in kinds.items():
            if len(members) >= MIN_WORDS:
                found |= dict.fromkeys(members, general)
    return {key: general for key, general in found.items() if key != general}


def _agree(first: _Words, second: _Words) -> bool:
    same = sum(a == b for a, b in zip(first, second, strict=True))
    return same >= MIN_AGREEMENT * len(first)


def _varies(words: Iterable[str]) -> bool:
    """Whether these words of one place are values of a variable; a word with `<*>` is one."""
    different = set(words)
    plain = sum(ANY not in word for word in different)
    return len(different) > 1 and (plain <= 1 or len(different) >= MIN_WORDS)

"""Keys of log lines: equal for lines that differ in numbers and ids alone.

Looking a key up costs a tenth of reading a line, so of a long log only the different keys are read.
"""

from __future__ import annotations

import re

MAX_KEY_CHARS = 4000

_DIGITS = str.maketrans("123456789", "000000000")
# What hexadecimal letters and dashes stand around a digit: a number, a date, an id.
_NUMBER = re.compile(r"(?<![a-fA-F\-])[a-fA-F\-]*+0[0a-fA-F\-]*")


def blind(text: str) -> str:
    """A text with every digit as 0; as long as before, so it may be many lines at once."""
    return text.translate(_DIGITS)


def shorten(key: str) -> str:
    """A blind line with every number and id as one 0; of a long line, the first 4,000 characters.

    It may eat letters of a word with a digit; two lines with one key differ in nothing else.
    """
    return _NUMBER.sub("0", key[:MAX_KEY_CHARS])


def has_id(key: str, short: str) -> bool:
    """Whether shortening took letters: a blind line with an id never comes again."""
    return _letters(key) != _letters(short)


def _letters(key: str) -> int:
    return len(key) - key.count("0") - key.count("-")

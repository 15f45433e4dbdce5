"""Takes text that speaks to a model, and not to people, out of what was found.

Whoever can write a log line, an annotation or a wiki page can write "ignore your instructions". The
fence around passages and the check of the answer stand behind this; what a model never reads it
cannot obey, and what no passage holds the check does not take for borne out. Patterns find what is
said plainly, in six languages; they do not find everything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from core.answers import Passage

LEFT_OUT = "[left out: text addressed to an assistant]"

_RULES = (
    r"(?:instructions?|rules|prompts?|guidelines|directives|restrictions|programming|training"
    r"|system messages?|constraints|policies)"
)
_EARLIER = (
    r"(?:all|any|every|the|your|my|these|those|of|previous|prior|above|earlier|preceding|former"
    r"|other|original|initial|current|existing|system|safety|and)"
)
_MODEL = (
    r"(?:(?:ai|llm)\s+)?"
    r"(?:ai|a\.i\.|llm|assistants?|language models?|chat ?bots?|chatgpt|gpt|llama|copilot|agent"
    r"|opsbot|model|bot)"
)
# Each with words of which one stands, in lower case, in everything it finds.
_PATTERNS: tuple[tuple[str, str], ...] = (
    # Overriding what the model was told.
    (
        "ignor disregard forget overrid bypass discard drop skip",
        (
            r"\b(?:ignore|disregard|forget|override|bypass|discard|drop|skip)\s+"
            rf"(?:{_EARLIER}\s+){{1,5}}{_RULES}"
        ),
    ),
    (
        "ignore disregard forget",
        (
            r"\b(?:ignore|disregard|forget)\s+(?:everything|anything|all|what)\s+(?:\w+\s+){0,3}"
            r"(?:above|before|said|told|written|so far)"
        ),
    ),
    (
        "instruction prompt",
        (
            r"\b(?:new|updated|revised|real|actual|secret)\s+(?:system\s+)?(?:instructions?|prompt)\s*"
            r"(?::|are\b|follow)"
        ),
    ),
    (
        "now changed longer",
        rf"\b(?:these|your|the)\s+(?:new\s+)?{_RULES}\s+(?:are\s+now|have\s+changed|no\s+longer)",
    ),
    # Asking for what it was told.
    (
        "prompt instruction message rules text",
        (
            r"\b(?:reveal|print|repeat|show|output|leak|reproduce|recite|dump|disclose|translate"
            r"|summari[sz]e|copy)\s+(?:me\s+|us\s+)?(?:\w+\s+){0,3}?(?:your|the|its)\s+(?:\w+\s+)?"
            r"(?:system|hidden|initial|original|secret|first|full|entire|above)\s+"
            r"(?:\w+\s+)?(?:prompt|instructions?|messages?|rules|text)"
        ),
    ),
    ("prompt", r"\bsystem\s+prompt\b"),
    # Giving it a new part to play.
    (
        "you",
        (
            r"\byou\s+are\s+(?:now|no\s+longer)\s+(?:an?\b|my\b|dan\b|in\s+\w+\s+mode|unrestricted"
            r"|unbound|free|jailbroken|bound)"
        ),
    ),
    (
        "act behave respond answer pretend",
        r"\b(?:act|behave|respond|answer|pretend)\s+(?:as\s+if\s+you|as\s+though\s+you|to\s+be)\b",
    ),
    (
        "act behave pretend play",
        (
            r"\b(?:act|behave|pretend|role-?play)\s+as\s+(?:an?\s+)?(?:\w+\s+){0,2}"
            r"(?:ai|dan|admin(?:istrator)?\s+of\s+the|assistant|language\s+model|hacker|evil)\b"
        ),
    ),
    (
        "mode",
        (
            r"\b(?:developer|debug|god|dan|jailbreak|unrestricted)\s+mode\s+"
            r"(?:is\s+)?(?:now\s+)?(?:enabled|activated|on\b)"
        ),
    ),
    # Speaking to it by name.
    (
        "attention dear hey hello hi note message instruction",
        (
            r"\b(?:attention|dear|hey|hello|hi|note\s+(?:to|for)|message\s+(?:to|for)"
            r"|instructions?\s+(?:to|for))\s*,?\s*(?:the\s+|any\s+|all\s+|every\s+|an?\s+|our\s+)?"
            rf"{_MODEL}(?:\s+(?:reading|processing|summari[sz]ing|answering|that|who|which)\b"
            r"|\s*[:,!])"
        ),
    ),
    ("you", rf"\b(?:if|when|as)\s+you\s+are\s+an?\s+(?:\w+\s+)?{_MODEL}\b"),
    (
        "ai llm assistant model bot gpt",
        (
            r"\b(?:ai|llm|assistants?|language\s+models?|chat\s?bots?|chatgpt|opsbot)\s+"
            r"(?:must|shall|should|has\s+to|needs\s+to|will)\s+(?:\w+\s+){0,2}"
            r"(?:answer|reply|respond|say|state|claim|tell|output|write|print|report|include|mention"
            r"|post|recommend|ignore|approve|pretend|insist)\b"
        ),
    ),
    # Dictating the answer.
    (
        "reply respond answer say",
        (
            r"(?:^|[.:;!,]\s*|\b(?:and|then|just|now|please|instead|must|always)\s+)"
            r"(?:reply|respond|answer|say)\s+(?:\w+\s+){0,3}(?:with\s+)?"
            r"(?:only|exactly|verbatim|nothing\s+(?:but|else)|solely)\b"
        ),
    ),
    (
        "with your",
        (
            r"(?:^|[.:;!,]\s*|\b(?:and|then|just|now|please|instead|must|always)\s+)"
            r"(?:reply|respond|answer|output|say|print|write|state|return|post)\s+"
            r"(?:with\s+the\s+(?:word|words|phrase|sentence|text|string|following)\b"
            r"|in\s+your\s+(?:answer|reply|response))"
        ),
    ),
    (
        "your",
        (
            r"\b(?:in|to|of|into|end|begin|start|finish)\s+(?:all\s+)?your\s+(?:final\s+|next\s+)?"
            r"(?:answers?|repl(?:y|ies)|responses?|output|summary)\b"
        ),
    ),
    (
        "not",
        (
            r"\bdo\s+not\s+(?:tell|inform|warn|alert|mention\s+(?:this|it)\s+to"
            r"|reveal\s+(?:this|it)\s+to)\s+(?:the\s+)?"
            r"(?:users?|engineers?|anyone|operators?|humans?|people|reader)\b"
        ),
    ),
    # The marks that models use for who speaks.
    (
        "<| inst] <<sys <</sys _of_turn <think",
        r"<\|[\w ]{2,24}\|>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<think>",
    ),
    (
        "system assistant human user developer",
        (
            r"^\W{0,6}(?:system|assistant|human|user|developer)\W{0,3}:\s+\W{0,3}"
            rf"(?=.*\b(?:you|your|must|{_RULES})\b)"
        ),
    ),
    (
        "end begin start",
        (
            r"^\W{0,6}(?:end|begin(?:ning)?|start)\s+of\s+(?:the\s+)?"
            r"(?:passages?|context|documents?|evidence|data|prompt|system\s+message)"
        ),
    ),
    ("passage", r"</?passage\b"),
    # The plainest of it in other languages.
    (
        "ignor vergiss missacht",
        r"\b(?:ignorier\w*|vergiss|missachte\w*)\s+(?:\w+\s+){0,4}(?:anweisungen|regeln|vorgaben)",
    ),
    (
        "ignor oubli",
        r"\b(?:ignore[zrs]?|oublie[zrs]?)\s+(?:\w+\s+){0,4}(?:instructions|consignes|règles)",
    ),
    (
        "ignor olvid dimentic",
        (
            r"\b(?:ignora\w*|olvida\w*|dimentica\w*)\s+(?:\w+\s+){0,4}"
            r"(?:instrucciones|reglas|istruzioni|regole|instruções|regras)"
        ),
    ),
    (
        "\u0438\u0433\u043d\u043e\u0440 \u0437\u0430\u0431\u0443\u0434\u044c",
        (
            "\\b(?:\u0438\u0433\u043d\u043e\u0440\u0438\u0440\u0443\u0439\\w*"
            "|\u0437\u0430\u0431\u0443\u0434\u044c\\w*)\\s+(?:\\w+\\s+){0,4}"
            "(?:\u0438\u043d\u0441\u0442\u0440\u0443\u043a\u0446\u0438\\w+"
            "|\u043f\u0440\u0430\u0432\u0438\u043b\u0430)"
        ),
    ),
    ("\u5ffd\u7565", "\u5ffd\u7565.{0,8}(?:\u6307\u4ee4|\u6307\u793a|\u89c4\u5219)"),
)
_COMPILED = tuple(
    (tuple(hints.split()), re.compile(pattern, re.IGNORECASE | re.MULTILINE))
    for hints, pattern in _PATTERNS
)
_INVISIBLE = dict.fromkeys(
    point
    for start, end in ((0x00AD, 0x00AD), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2064),
                       (0xFEFF, 0xFEFF), (0xE0000, 0xE007F))
    for point in range(start, end + 1)
)  # fmt: skip
_PARAGRAPH = re.compile(r"(\n[ \t]*\n)")
_LINE = re.compile(r"(\n)")
_SENTENCE = re.compile(r"(?<=[.!?:;])\s+|\n")
_HTML_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
# In logs and tables each line is written by somebody else; prose goes on to its paragraph's end.
_LINEWISE = frozenset({"cluster", "csv-logs", "csv-metrics", "graph"})


def is_addressed_to_a_model(text: str) -> bool:
    """Whether a piece of text tells an assistant what to do, as far as patterns can tell."""
    plain = _plain(text)
    lowered = plain.lower()
    return any(
        pattern.search(plain)
        for hints, pattern in _COMPILED
        if any(hint in lowered for hint in hints)
    )


def without_orders(text: str, *, is_prose: bool = True) -> str:
    """The text without what is addressed to a model; `LEFT_OUT` marks each place.

    What follows an order is the order's matter: it goes too, up to the end of the paragraph, or of
    the line where `is_prose` is False. HTML comments, which no reader of a page sees, go as a whole
    when they hold an order.
    """
    if not text.isascii():
        text = text.translate(_INVISIBLE)
    if not is_addressed_to_a_model(text):
        return text
    if is_prose:
        text = _HTML_COMMENT.sub(
            lambda found: LEFT_OUT if is_addressed_to_a_model(found[0]) else found[0], text
        )
    parts = (_PARAGRAPH if is_prose else _LINE).split(text)
    return "".join(_cut(part) for part in parts)


def quarantined(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """Passages without orders, also in their titles."""
    return tuple(_clean(passage) for passage in passages)


def _clean(passage: Passage) -> Passage:
    text = without_orders(passage.text, is_prose=passage.source not in _LINEWISE)
    title = without_orders(passage.title, is_prose=False)
    heading = without_orders(passage.heading, is_prose=False)
    if (text, title, heading) == (passage.text, passage.title, passage.heading):
        return passage
    return replace(passage, text=text, title=title, heading=heading)


def _cut(part: str) -> str:
    """A paragraph or line up to the sentence in which an order begins."""
    if not is_addressed_to_a_model(part):
        return part
    start = 0
    for end in _SENTENCE.finditer(part):
        if is_addressed_to_a_model(part[start : end.start()]):
            break
        start = end.end()
    if start and not is_addressed_to_a_model(part[start:]):
        start = 0  # the order runs over the ends of sentences
    return f"{part[:start]}{LEFT_OUT}"


def _plain(text: str) -> str:
    """As the patterns want it: nothing invisible, no styled letters. The length may change."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text.translate(_INVISIBLE))

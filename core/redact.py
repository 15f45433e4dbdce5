"""Secrets out of text, before it is stored, shown to a model or posted.

Equal secrets keep an equal keyed mark, so that a reader still sees that two lines speak of the
same one. Redacting twice gives the same text.

It is longer than others: one table of patterns with its reader.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

_MARK = re.compile(r"(<REDACTED:[a-z-]{2,16}:[0-9a-f]{4}>)")
_MARK_START = "<REDACTED:"
_SCHEMES = frozenset(("bearer", "basic", "token", "digest", "negotiate", "apikey"))

# Keys whose value is a secret whatever it looks like. Only the end of a key counts, so
# `secretName`, `tokenExpirationSeconds` and `max_tokens` are left alone. The first letters of all,
# in front, spare most places of a text the long list.
_KEY = (
    r"(?=[pstaemlcjxr.])(?:password|passwd|passphrase|passcode|requirepass|secret|token"
    r"|(?:api|access|private|secret|signing|encryption|master|account|auth|ssh|license)[_.\- ]?key"
    r"|credentials?|(?<![a-z])pwd|(?<![a-z])pass|jsessionid|phpsessid|session[_-]?id"
    r"|client-key-data|client-certificate-data|certificate-authority-data|\.dockerconfigjson"
    r"|secret[_-]?id|x-amz-(?:signature|credential)|(?<=[?&])sig)"
    r"(?:[_-]?\d{1,3}|[_-]?(?:value|hash|enc|b64|base64|old|new|plain))?"
)
# With what stands before it, bounded: what is searched are other people's texts.
_FULL_KEY = rf"[\w.\-]{{0,100}}?{_KEY}"
# Keys whose value is a secret only when it looks random.
_WEAK_KEY = (
    r"(?=[ka_snci])(?<![a-z])(?:key|auth|_auth|session|signature|sig|salt|nonce|cert|code|sid|seed|"
    r"identity|credential[_-]?data)"
)
_SEPARATOR = r"(?:\\*[\"'])?[ \t]{0,40}(?::=|=>|[:=])[ \t]{0,40}(?:\[(?=[^\]\n]))?"
_QUOTED = r"(?P<quote>\\*[\"'])(?P<quoted>[^\n]*?)(?:(?<!\\)(?P=quote)|(?=\n)|\Z)"
# A bare value ends at white space, or at a delimiter that clearly opens the next thing: secrets
# themselves contain commas, semicolons, ampersands and quotes.
_BARE = (
    r"(?:(?:bearer|basic|token)[ \t]+)?"
    r"(?P<bare>(?:[^\s\"'&,;]|[\"'](?![,}\])\s:;]|\Z)|&(?![\w.\-]+=)"
    r"|[,;](?![\s\"']|\Z|[\w.\-]+[ ]?[=:]))+)"
)
_VALUE = rf"(?:{_QUOTED}|{_BARE})"

# What stands after "token:" or "password:" in prose, and in places that hold no secret.
_ORDINARY = frozenset(
    re.findall(
        r"\S+",
        """a an and are at bad been but by can cannot changed could denied did does doesn't empty
    error exceeded expired expires failed failure false for forbidden found from had has have
    illegal in incorrect invalid is isn't it length malformed mismatch missing must name nil no
    none not null ok of on optional or please required rejected reset revoked rotated secret
    set should signature string the this to too true unauthorized unable undefined unexpected
    unknown unset unsupported valid was wasn't were when will with wrong yes your""",
    )
)
_PLACEHOLDER = re.compile(
    r"\$\{[^}]*\}|\$\([^)]*\)|\{\{.*|%\w+%|[*•x.…\-]{3,}|[*_]+|\[?redacted\]?|<[a-z ._\-]{1,24}>"
    r"|<set(?: to the key .*)?|\(set\)|\|[+-]?|>[+-]?|[{\[(]+|\[\]|\{\}|\d+[ ]bytes"
    r"|/(?:run|var|etc|tmp|opt|home|mnt|vault|secrets?|root|usr|app|data)/[\w./\-]*",
    re.IGNORECASE,
)

# Kind, what stands in every one of them (lower case), and its form.
_TOKENS: tuple[tuple[str, str, str], ...] = (
    ("jwt", "eyj", r"(?<![A-Za-z0-9])eyJ[\w\-]{8,2000}\.[\w\-]{4,}(?:\.[\w\-]*){0,3}"),
    ("aws", "akia asia abia acca", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    (
        "github",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})",
    ),
    (
        "gitlab",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat-",
        r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat)-[\w\-]{16,}",
    ),
    (
        "slack",
        "xox xapp- hooks.slack.com/",
        r"\b(?:xox[a-z]-|xapp-)[\w\-]{8,}|(?<=hooks\.slack\.com/)[a-z]+/T\w+/[\w/]{8,}",
    ),
    (
        "google",
        "aiza ya29. gocspx-",
        r"\b(?:AIza[\w\-]{30,}|ya29\.[\w\-]{20,}|GOCSPX-[\w\-]{16,})",
    ),
    ("stripe", "k_live_ k_test_", r"\b[srp]k_(?:live|test)_\w{10,}"),
    ("key", "sk- sg.", r"\bsk-[A-Za-z0-9][\w\-]{19,}|\bSG\.[\w\-]{16,}\.[\w\-]{16,}"),
    ("token", "npm_", r"\bnpm_[A-Za-z0-9]{30,}"),
    ("token", "pypi-", r"\bpypi-[\w\-]{40,}"),
    ("token", "hf_", r"\bhf_[A-Za-z0-9]{30,}"),
    ("vault", "hvs. hvb.", r"\bhv[sb]\.[\w\-]{24,}"),
    ("token", "dop_v1_", r"\bdop_v1_[0-9a-f]{64}"),
    ("grafana", "glsa_ glc_", r"\bgl(?:sa|c)_[\w=]{32,}"),
    ("docker", "dckr_", r"\bdckr_(?:pat|oat)_[\w\-]{27,}"),
    ("token", "dapi", r"\bdapi[0-9a-f]{32}\b"),
    ("token", "nrak-", r"\bNRAK-[A-Z0-9]{27}\b"),
    ("token", "shp", r"\bshp(?:at|ss|ca|pa)_[0-9a-f]{32}\b"),
    ("telegram", ":aa", r"(?<!\d)\d{8,10}:AA[\w\-]{33}(?![\w\-])"),
    ("age", "age-secret-key-1", r"\bAGE-SECRET-KEY-1[A-Z0-9]{58}"),
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """Where a kind of secret stands; tried only when one of `hints` is in the lower-cased text.

    `spans_lines` says that a match may hold a line's end: most rules never look beyond one line,
    and are tried on telling lines alone.
    """

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    accepts: Callable[[str], bool]
    spans_lines: bool = False


def _is_secret(value: str) -> bool:
    """Whether what stands after a secret's key is one, not a word of prose or a reference."""
    word = value.strip().strip(".,;:!").lower()
    return bool(word) and word not in _ORDINARY and not _PLACEHOLDER.fullmatch(value.strip())


def _is_secret_line(value: str) -> bool:
    """As `_is_secret`, for a whole line after a key: prose begins with an ordinary word."""
    return _is_secret(value) and value.split(maxsplit=1)[0].lower().strip(".,;:!") not in _ORDINARY


def _is_labelled(value: str) -> bool:
    """As `_is_secret`, behind a label, where as often prose or a link follows."""
    is_link = value.startswith(("[", "(", "http", "/"))
    return not is_link and bool(re.search(r"[\d!@#$%^&+=]", value)) and _is_secret(value)


def _looks_random(value: str) -> bool:
    """Whether a value is too random for a name: no pod name, UUID or version passes."""
    if not 20 <= len(value) <= 4096 or not re.fullmatch(r"[\w+/=.\-]+", value):
        return False
    if max(len(part) for part in re.split(r"[-_./]", value)) < 16:
        return False
    if not (re.search(r"\d", value) and re.search(r"[A-Za-z]", value)):
        return False
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return bits > 3.2


def _is_basic(value: str) -> bool:
    """Whether "Basic …" carries credentials: base64 of printable "user:password"."""
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return False
    return ":" in decoded and decoded.isprintable()


def _is_bearer(value: str) -> bool:
    """Whether "Bearer …" carries a token: "bearer authentication" is prose."""
    return any(c.isdigit() for c in value) or len(value) >= 24


def _is_credential(value: str) -> bool:
    """Whether what follows "Authorization:" is more than the name of a scheme."""
    return value.lower() not in _SCHEMES


def _always(_: str) -> bool:
    return True


def _rule(
    kind: str,
    hints: str,
    pattern: str,
    accepts: Callable[[str], bool] = _is_secret,
    *,
    spans_lines: bool = False,
) -> _Rule:
    flags = re.IGNORECASE | re.MULTILINE
    return _Rule(kind, tuple(hints.split()), re.compile(pattern, flags), accepts, spans_lines)


_KEY_HINTS = "pass pwd secret token key credential sess x-amz- sig= data dockerconfigjson"
_RULES: tuple[_Rule, ...] = (
    _rule(
        "private-key",
        "private",
        r"(?P<value>-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[\s\S]*?-----END[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\:,.\-]*))",
        _always,
        spans_lines=True,
    ),
    # A name and value pair, as in a container's env, in YAML or JSON.
    _rule(
        "secret",
        "value",
        rf"name[\"']?:[ \t]*[\"']?{_FULL_KEY}[\"']?[ \t]*,?\s{{0,40}}"
        rf"[\"']?value[\"']?:[ \t]*{_VALUE}",
        spans_lines=True,
    ),
    # A block scalar of YAML.
    _rule(
        "secret",
        _KEY_HINTS,
        r"^(?=[^\n]*[|>][+\-0-9]{0,2}[ \t]*$)"
        rf"(?P<indent>[ \t]*)(?:- )?{_FULL_KEY}[\"']?:[ \t]*[|>][+\-0-9]{{0,2}}[ \t]*\n"
        r"(?P<value>(?:(?P=indent)[ \t]+[^\n]*(?:\n|\Z)|[ \t]*\n)+)",
        _always,
        spans_lines=True,
    ),
    _rule(
        "password",
        "://",
        r"(?<=://)(?:[^\s/:@\"'<>]*):(?!\d{1,5}/)(?P<value>(?:(?!://)[^\s\"'<>])+)@(?=[\w.\[\-%$])",
    ),
    _rule("token", "://", r"(?<=://)(?P<value>[\w\-.]{20,})@(?=[\w.\-])", _looks_random),
    _rule("password", "@tcp( @unix( @udp(", r"\w:(?P<value>[^\s@/]+)@(?=(?:tcp|unix|udp)\()"),
    _rule(
        "auth",
        "authorization",
        rf"authorization{_SEPARATOR}(?:\\*[\"'])?(?:(?:bearer|basic|token|digest|negotiate|apikey|"
        r"aws4-hmac-sha256)[ \t]+)?(?P<value>[^\s\"'\\,\]]+)",
        _is_credential,
    ),
    # The rest of a YAML line: a passphrase may hold spaces.
    _rule(
        "secret",
        _KEY_HINTS,
        rf"^[ \t]*(?:- )?[\"']?{_FULL_KEY}[\"']?:[ \t]+(?P<value>[^\s\"'][^\n]*?)[ \t\r]*$",
        _is_secret_line,
    ),
    _rule("secret", _KEY_HINTS, rf"{_KEY}{_SEPARATOR}{_VALUE}"),
    # A label of Markdown: "**Password:** …" or "`token`: …".
    _rule(
        "secret",
        _KEY_HINTS,
        rf"{_KEY}(?:[*_`]{{1,3}}[ \t]*[:=]|[:=][*_]{{1,3}})[ \t]+{_VALUE}",
        _is_labelled,
    ),
    _rule(
        "secret",
        "--",
        rf"(?<![\w\-])--?{_FULL_KEY}[ \t]+(?!-)(?:\\*[\"'])?(?P<value>(?:[^\s\"'<]|<(?!/))+)",
    ),
    # As in redis.conf.
    _rule(
        "password",
        "requirepass masterauth",
        r"^[ \t]*(?:requirepass|masterauth)[ \t]+(?P<value>[^\s\"']+)",
    ),
    _rule(
        "password",
        "identified requirepass password",
        r"(?:identified[ ]+by|password|requirepass)[ ]+"
        r"(?P<quote>[\"'])(?P<quoted>[^\n]+?)(?P=quote)",
    ),
    _rule(
        "secret",
        "</",
        rf"<(?P<tag>[\w.:\-]{{0,60}}?{_KEY})>(?P<value>[^<]+)</(?P=tag)>",
        spans_lines=True,
    ),
    _rule(
        "cookie",
        "cookie",
        r"cookie[\"']?[ \t]*[:=][ \t]*(?:\\*[\"'])?(?P<value>[^\n\"']+=[^\n\"']+)",
    ),
    _rule("auth", "bearer", r"\bbearer[ \t]+(?P<value>[\w.~+/\-]{8,}=*)", _is_bearer),
    _rule("auth", "basic", r"\bbasic[ \t]+(?P<value>[A-Za-z0-9+/]{6,}={0,2})", _is_basic),
    *(
        _Rule(kind, tuple(hints.split()), re.compile(f"(?P<value>{pattern})"), _always)
        for kind, hints, pattern in _TOKENS
    ),
    _rule(
        "key",
        "key auth sess sig salt nonce cert code sid seed identity",
        rf"{_WEAK_KEY}{_SEPARATOR}{_VALUE}",
        _looks_random,
    ),
)
_TOKEN_KINDS = tuple((kind, re.compile(pattern)) for kind, _, pattern in _TOKENS)
# Every rule needs one of these; most lines have none of them and are done with.
_HINTS = tuple(sorted({hint for rule in _RULES for hint in rule.hints} | {"kind: secret"}))
_LINE_END = re.compile(r"\n")
_CLOSERS = {")": "(", "]": "[", "}": "{", ">": "<"}
_SECRET_DATA = re.compile(
    r"(?P<head>^(?P<indent>[ \t]*)(?:stringData|data):[ \t]*\n)"
    r"(?P<body>(?:(?P=indent)[ \t]+[^\n]*(?:\n|\Z))+)"
    r"|(?P<json_head>\"(?:stringData|data)\"\s*:\s*\{)(?P<json_body>[^{}]*)",
    re.MULTILINE,
)
_YAML_VALUE = re.compile(
    r"(?P<head>^[ \t]+[\w.\-\"']+:[ \t]+)(?P<value>[^\n]+?)[ \t]*$", re.MULTILINE
)
_JSON_VALUE = re.compile(r"(?P<head>:\s*\")(?P<value>(?:[^\"\\]|\\.)+)")


class Redactor:
    """Replaces secrets by keyed marks: `<REDACTED:kind:hash4>`.

    Args:
        key: Keeps the marks of equal secrets equal, and hides the secrets from whoever guesses.
            Keep it between restarts: identities of findings depend on the marks.
        on_mark: Told the kind of each secret that is found in a text.
    """

    def __init__(self, key: bytes, on_mark: Callable[[str], None] = lambda _: None) -> None:
        self._key = key
        self._on_mark = on_mark

    @property
    def key(self) -> bytes:
        """For a process of ours that must make the same marks."""
        return self._key

    def redact(self, text: str) -> str:
        """The text with every secret that is recognised replaced; never raises."""
        lowered = text.lower()
        if not any(hint in lowered for hint in _HINTS):
            return text
        marks: dict[str, str] = {}
        # A mark can uncover what its secret hid from a rule; until nothing changes.
        for _ in range(10):
            before = text
            text = self._once(text, marks)
            if text == before:
                break
        return text

    def _once(self, text: str, marks: dict[str, str]) -> str:
        lowered = text.lower()
        if "secret" in lowered and "kind" in lowered and "data" in lowered:
            text = _outside_marks(text, lambda piece: self._secret_manifest(piece, marks))
        hints = {hint for hint in _HINTS if hint in lowered}
        due = [rule for rule in _RULES if not hints.isdisjoint(rule.hints)]
        for spans_lines, rules in groupby(due, key=lambda rule: rule.spans_lines):
            if spans_lines:
                for rule in rules:
                    text = self._apply(rule, text, marks)
            else:
                text = self._apply_to_lines(rules, text, hints, marks)
        for secret, mark in marks.items():
            # The same secret without its key, elsewhere in the text.
            if len(secret) >= 8 and not secret.isalpha() and secret in text:
                text = _outside_marks(
                    text,
                    lambda piece, secret=secret, mark=mark: piece.replace(secret, mark),  # type: ignore[misc]
                )
        return text

    def _apply_to_lines(
        self, rules: Iterable[_Rule], text: str, hints: Iterable[str], marks: dict[str, str]
    ) -> str:
        """Each rule on the lines that hold one of its hints: no rule here looks beyond a line."""
        lines = text.split("\n")
        telling = _telling(lines, hints)
        for rule in rules:
            numbers = sorted(set().union(*(telling.get(hint, ()) for hint in ("", *rule.hints))))
            part = self._apply(rule, "\n".join(lines[number] for number in numbers), marks)
            for number, line in zip(numbers, part.split("\n"), strict=False):
                lines[number] = line
        return "\n".join(lines)

    def _apply(self, rule: _Rule, text: str, marks: dict[str, str]) -> str:
        def replace(match: re.Match[str]) -> str:
            groups = match.groupdict()
            name = next(n for n in ("value", "quoted", "bare") if groups.get(n) is not None)
            value = groups[name]
            if name == "bare":
                value = _without_closers(value)
            value = value.rstrip("\n")
            if not value or not rule.accepts(value):
                return match[0]
            start = match.start(name) - match.start()
            whole = match[0]
            mark = self._mark(rule.kind, value, whole[:start], marks)
            return whole[:start] + mark + whole[start + len(value) :]

        return _outside_marks(text, lambda piece: rule.pattern.sub(replace, piece))

    def _secret_manifest(self, text: str, marks: dict[str, str]) -> str:
        """Every value of a Secret's data, whatever its key is called."""
        if not re.search(r"kind[\"']?\s*:\s*[\"']?Secret\b", text):
            return text

        def value(match: re.Match[str]) -> str:
            secret = match["value"]
            if not _is_secret(secret):
                return match[0]
            rest = match[0][len(match["head"]) + len(secret) :]
            return match["head"] + self._mark("secret", secret, "", marks) + rest

        def block(match: re.Match[str]) -> str:
            if match["head"] is not None:
                return match["head"] + str(_YAML_VALUE.sub(value, match["body"]))
            return match["json_head"] + str(_JSON_VALUE.sub(value, match["json_body"]))

        return _SECRET_DATA.sub(block, text)

    def _mark(self, kind: str, secret: str, before: str, marks: dict[str, str]) -> str:
        known = marks.get(secret)
        if known is not None:
            return known
        digest = hmac.new(self._key, secret.encode(errors="surrogatepass"), hashlib.sha256)
        name = _kind(kind, secret, before)
        mark = f"{_MARK_START}{name}:{digest.hexdigest()[:4]}>"
        marks[secret] = mark
        self._on_mark(name)
        return mark


def _telling(lines: Sequence[str], hints: Iterable[str]) -> dict[str, set[int]]:
    """Hint → numbers of the lines that hold it; "" → those in which any rule may find something.

    Patterns that ignore case also match a few letters that are not ASCII, which `lower` leaves.
    """
    found = {"": {number for number, line in enumerate(lines) if not line.isascii()}}
    lowered = "\n".join(lines).lower()
    # Lengths may differ from those before, but no line's end comes or goes.
    starts = [0, *(end.end() for end in _LINE_END.finditer(lowered)), len(lowered) + 1]
    for hint in hints:
        numbers = found[hint] = set()
        at = lowered.find(hint)
        while at >= 0:
            next_line = bisect_right(starts, at)
            numbers.add(next_line - 1)
            at = lowered.find(hint, starts[next_line])
    return found


def _outside_marks(text: str, change: Callable[[str], str]) -> str:
    """Apply `change` to what is not a mark yet, so that marks stay as they are."""
    if _MARK_START not in text:
        return change(text)
    return "".join(
        piece if index % 2 else change(piece) for index, piece in enumerate(_MARK.split(text))
    )


def _without_closers(value: str) -> str:
    """Without brackets at its end that were opened before it."""
    while value and value[-1] in _CLOSERS and _CLOSERS[value[-1]] not in value:
        value = value[:-1]
    return value


def _kind(kind: str, secret: str, before: str) -> str:
    """What to call a secret: by its own form, else by its key."""
    for name, pattern in _TOKEN_KINDS:
        if pattern.fullmatch(secret):
            return name
    if kind != "secret":
        return kind
    key = before.lower()
    for word, name in (
        ("pass", "password"),
        ("pwd", "password"),
        ("token", "token"),
        ("-data", "key"),
        ("key", "key"),
        ("sess", "session"),
    ):
        if word in key:
            return name
    return kind

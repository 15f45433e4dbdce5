from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.redact import Redactor

REDACTOR = Redactor(b"a key of the tests")
MARK = re.compile(r"<REDACTED:[a-z-]+:[0-9a-f]{4}>")
SECRET = "tr0ub4dor-Xq9"
# Built here so that no scanner takes this file for a leak.
SLACK = "xoxb-" + "123456789012-abcdefABCDEF"
GITHUB = "ghp_" + "a1B2" * 9
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
GOOGLE = "AIza" + "SyA1234567890abcdefghijklmnopqrstuv"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc+/=\n-----END RSA PRIVATE KEY-----"

SECRETS: list[tuple[str, str, str]] = [
    (f"password={SECRET} user=bob", SECRET, "password"),
    (f"DB_PASSWORD={SECRET}", SECRET, "password"),
    (f"PGPASSWORD={SECRET}; export", SECRET, "password"),
    (f'{{"password": "{SECRET}", "x": 1}}', SECRET, "password"),
    (f'{{"clientSecret":"{SECRET}"}}', SECRET, "secret"),
    (rf'"{{\"api_key\":\"{SECRET}\"}}"', SECRET, "key"),
    ("password: correct horse battery", "horse", "password"),
    ("  passphrase: 'two words'", "two words", "password"),
    ('password="a\\"b c" next', 'b c"', "password"),
    (f'password="{SECRET}', SECRET, "password"),
    (f"password: |\n  {SECRET}\n  more\nnext: 1", SECRET, "password"),
    (f"{{'token': '{SECRET}'}}", SECRET, "token"),
    (f"Server=db;User=x;Password={SECRET};Pooling=true", SECRET, "password"),
    (f"postgres://bob:{SECRET}@db:5432/shop?sslmode=off", SECRET, "password"),
    (f"amqp://a:{SECRET}@h1,amqp://b:{SECRET}@h2", SECRET, "password"),
    (f"redis://:{SECRET}@redis:6379/0", SECRET, "password"),
    (f"bob:{SECRET}@tcp(db:3306)/shop", SECRET, "password"),
    ("https://1234567890abcdef1234567890abcdef@sentry.example.com/1", "90abcdef", "token"),
    (f"http://x/cb?access_token={SECRET}&y=1", SECRET, "token"),
    (f"Authorization: Bearer {SECRET}", SECRET, "auth"),
    (f"Authorization: Token {SECRET}", SECRET, "auth"),
    (f"map[Authorization:[Bearer {SECRET}]]", SECRET, "auth"),
    (f'curl -H "Authorization: {SECRET}"', SECRET, "auth"),
    (f"sent bearer {SECRET} to api", SECRET, "auth"),
    ("Basic " + base64.b64encode(b"bob:hunter2").decode(), "Ym9iOmh1", "auth"),
    (f"Cookie: session={SECRET}; theme=dark", SECRET, "cookie"),
    (f"mysql --password {SECRET} -h db", SECRET, "password"),
    (f"<td>--password {SECRET}</td>", SECRET, "password"),
    (f"requirepass: {SECRET}", SECRET, "password"),
    (f"  requirepass {SECRET}\nport 6379", SECRET, "password"),
    (f"redis-server --requirepass {SECRET}", SECRET, "password"),
    (f"masterauth {SECRET}", SECRET, "password"),
    (f"- **Password:** {SECRET}", SECRET, "password"),
    (f"**API key**: {SECRET}", SECRET, "key"),
    (f"__Token__ = `{SECRET}`", SECRET, "token"),
    (f"`password`: `{SECRET}`", SECRET, "password"),
    (f"--client-secret '{SECRET}'", SECRET, "secret"),
    (f"ALTER USER x IDENTIFIED BY '{SECRET}'", SECRET, "password"),
    (f"<password>{SECRET}</password>", SECRET, "password"),
    (f"- name: DB_PASSWORD\n  value: {SECRET}\n- name: X", SECRET, "password"),
    (f'{{"name":"API_KEY","value":"{SECRET}"}}', SECRET, "key"),
    (f"kind: Secret\ndata:\n  anything: {SECRET}\nmetadata:\n  name: x", SECRET, "secret"),
    (f'{{"kind":"Secret","data":{{"a":"{SECRET}"}}}}', SECRET, "secret"),
    ("    client-key-data: LS0tLS1CRUdJTiBS", "LS0tLS1CRUdJTiBS", "key"),
    ("key=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "9f86d081", "key"),
    (PEM, "MIIEow", "private-key"),
    (PEM[:50], "MIIEow", "private-key"),
    (f"token is {JWT} ok", JWT, "jwt"),
    (f"using {SLACK}", SLACK, "slack"),
    (f"clone {GITHUB}", GITHUB, "github"),
    (f"id {AWS} used", AWS, "aws"),
    (f"maps {GOOGLE}", GOOGLE, "google"),
    (f"token: {JWT}", JWT, "jwt"),
    (f"saw {SECRET} because password={SECRET}", SECRET, "password"),
]

ORDINARY = [
    "image registry.example.com/shop/payments@sha256:" + "9f86d081884c7d65" * 4,
    "request 3f2504e0-4f89-11d3-9a0c-0305e82c3301 failed",
    "pod payments-7d9f8b6c5d-x2x7z restarted",
    "secretName: foo",
    "secretKeyRef: checkout-canary",
    'secret "checkout-tls" not found',
    "the password is wrong",
    "password: incorrect",
    "invalid token: signature has expired",
    "token: expired",
    "imagePullSecrets: [regcred]",
    "tokenExpirationSeconds: 3600",
    "max_tokens=4096 tokens: 5",
    "compass: north, bypass=1, passes=3",
    "password: ${DB_PASSWORD}",
    "PASSWORD=$(DB_PASSWORD)",
    "password: {{ .Values.password }}",
    "password: ********",
    "**Password:** Vault rotates it",
    "*Access token*: [how to get one](https://example.com/docs/2)",
    '<td colspan="2">--token string</td>',
    "# requirepass foobared",
    "token: /var/run/secrets/kubernetes.io/serviceaccount/token",
    "DB_PASSWORD: <set to the key 'password' in secret 'db'>  Optional: false",
    "http://registry:4873/@scope/pkg",
    "ssh://git@github.com/fenwick/shop",
    "http://host:8080/path@x",
    "basic authentication failed, bearer authentication too",
    'Www-Authenticate: Bearer realm="https://auth.example.com/token"',
    "Basic functionality works",
    "kind: ConfigMap\ndata:\n  a: secretive",
    "key=user-service-account-name",
    "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    "error code 0x80004005 in key exchange",
    "password:",
    "",
]


@pytest.mark.parametrize(("text", "secret", "kind"), SECRETS)
def test_secrets_are_replaced_by_marks(text: str, secret: str, kind: str) -> None:
    redacted = REDACTOR.redact(text)
    assert secret not in redacted
    assert f"<REDACTED:{kind}:" in redacted
    assert REDACTOR.redact(redacted) == redacted


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_things_stay(text: str) -> None:
    assert REDACTOR.redact(text) == text


def test_what_stands_around_a_secret_stays() -> None:
    text = f'level=info password={SECRET}, user=bob url=postgres://bob:{SECRET}@db/x {{"a": 1}}'
    redacted = MARK.sub("*", REDACTOR.redact(text))
    assert redacted == 'level=info password=*, user=bob url=postgres://bob:*@db/x {"a": 1}'
    assert REDACTOR.redact("a password: x1y2\nnext: line").endswith("\nnext: line")


def test_equal_secrets_keep_an_equal_mark_that_depends_on_the_key() -> None:
    first = MARK.findall(REDACTOR.redact(f"password={SECRET}"))
    second = MARK.findall(REDACTOR.redact(f'{{"db_password": "{SECRET}"}}'))
    url = MARK.findall(REDACTOR.redact(f"postgres://bob:{SECRET}@db/x"))
    other = MARK.findall(REDACTOR.redact("password=another1"))
    keyed = MARK.findall(Redactor(b"another key").redact(f"password={SECRET}"))
    assert first == second == url
    assert first != other
    assert first != keyed


@given(st.text())
def test_any_text_can_be_redacted_and_twice_is_once(text: str) -> None:
    once = REDACTOR.redact(text)
    assert REDACTOR.redact(once) == once


_PIECES = st.sampled_from(
    ["password", "token", "=", ": ", '"', "'", "://", "@", "\n", " ", "Bearer ", "\\", "value",
     "data:\n", "  ", "{", "}", ",", ";", "abc123XYZ", "<REDACTED:password:0123>", "name: ",
     "kind: Secret",
     "-----BEGIN PRIVATE KEY-----", "Authorization", "&", "eyJabcdefghij.abcdef.", "|", "[", "key"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_texts_full_of_traps_are_redacted_once_and_for_all(text: str) -> None:
    once = REDACTOR.redact(text)
    assert REDACTOR.redact(once) == once


_FORMS = [
    "password={}",
    "password={} next",
    'password="{}"',
    "{{'secret': '{}'}}",
    '{{"token": "{}", "a": 1}}',
    "postgres://bob:{}@db/x",
    "DB_PASSWORD: {}",
    "Authorization: Bearer {}",
    "--password {} -v",
    "- name: API_TOKEN\n  value: {}\n",
    "x;Password={};y=1",
]
_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%*+-._~^"


@given(
    st.sampled_from(_FORMS),
    st.text(_ALPHABET, min_size=8, max_size=40).map(lambda text: "s3" + text),
    st.sampled_from(["", "before ", "error: cannot log in: ", '{"a": "b"} ']),
)
def test_no_secret_survives(form: str, secret: str, before: str) -> None:
    assert secret not in REDACTOR.redact(before + form.format(secret))


_TRAPS = [
    "password=", "password ", "a", "a1", "://", "x://", "--", "name: ", "  x\n", "eyJ", "a.b.",
    "\"'", " ", "key key ", "<", "A-", "[a]", "a=b", "/a", "1.", "a:", "a@", '\\"', "cookie=",
    "secret ", "data:\n",
]  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("start", ["", "password=", "http://", "kind: Secret\ndata:\n"])
@pytest.mark.parametrize("trap", _TRAPS)
def test_no_text_takes_for_ever(start: str, trap: str) -> None:
    text = start + trap * (20_000 // len(trap))
    assert REDACTOR.redact(text) is not None


@pytest.mark.parametrize(("text", "secret", "kind"), SECRETS)
def test_a_secret_is_found_among_lines_that_hold_none(text: str, secret: str, kind: str) -> None:
    prose = "The pods of the node are moved to another one.\n" * 40
    assert REDACTOR.redact(f"{prose}{text}\n{prose}").count(secret) == 0
    assert f"<REDACTED:{kind}:" in REDACTOR.redact(f"{prose}{text}\n{prose}")


def test_a_key_in_letters_that_are_no_ascii_is_a_key_beside_an_ordinary_one() -> None:
    line = "pa\u017f\u017fword=hunter2-swordfish"  # the long s, which matches an s without case
    assert "hunter2" not in REDACTOR.redact(f"password: x\n{line}")

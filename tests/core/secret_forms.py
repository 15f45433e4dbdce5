"""Secrets in the forms that their makers publish, and lines of logs that hold none; all made up."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from uuid import UUID

_ALNUM = string.ascii_letters + string.digits
_UPPER = string.ascii_uppercase + string.digits
_HEX = "0123456789abcdef"
_URL = _ALNUM + "-_"
_BASE32 = string.ascii_uppercase + "234567"


def _of(rng: random.Random, letters: str, length: int) -> str:
    return "".join(rng.choice(letters) for _ in range(length))


def _jwt(rng: random.Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    head = {"alg": "RS256", "kid": _of(rng, _ALNUM, 12), "typ": "JWT"}
    body = {"sub": "system:serviceaccount:shop:payments", "exp": rng.randint(1, 2_000_000_000)}
    return f"{part(head)}.{part(body)}.{_of(rng, _URL, 86)}"


def _pem(rng: random.Random) -> str:
    lines = "\n".join(_of(rng, _ALNUM + "+/", 64) for _ in range(4))
    return f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----"


def _password(rng: random.Random) -> str:
    # The marks that people are made to use; what ends a URL or a quote would be escaped there.
    return _of(rng, _ALNUM, 9) + rng.choice("!$%^*_-+") + _of(rng, _ALNUM, 4)


TOKENS: dict[str, Callable[[random.Random], str]] = {
    "aws access key id": lambda r: "AKIA" + _of(r, _BASE32, 16),
    "aws temporary key id": lambda r: "ASIA" + _of(r, _BASE32, 16),
    "github token": lambda r: "ghp_" + _of(r, _ALNUM, 36),
    "github fine-grained token": lambda r: f"github_pat_{_of(r, _ALNUM, 22)}_{_of(r, _ALNUM, 59)}",
    "gitlab token": lambda r: "glpat-" + _of(r, _URL, 20),
    "slack bot token": lambda r: (
        f"xoxb-{r.randint(10**11, 10**12)}-{r.randint(10**11, 10**12)}-{_of(r, _ALNUM, 24)}"
    ),
    "slack app token": lambda r: (
        f"xapp-1-A{_of(r, _UPPER, 10)}-{r.randint(10**12, 10**13)}-{_of(r, _HEX, 64)}"
    ),
    "slack webhook": lambda r: (
        f"hooks.slack.com/services/T{_of(r, _UPPER, 10)}/B{_of(r, _UPPER, 10)}/{_of(r, _ALNUM, 24)}"
    ),
    "google api key": lambda r: "AIza" + _of(r, _URL, 35),
    "google client secret": lambda r: "GOCSPX-" + _of(r, _URL, 28),
    "stripe key": lambda r: "sk_live_" + _of(r, _ALNUM, 24),
    "openai project key": lambda r: "sk-proj-" + _of(r, _URL, 48),
    "sendgrid key": lambda r: f"SG.{_of(r, _URL, 22)}.{_of(r, _URL, 43)}",
    "npm token": lambda r: "npm_" + _of(r, _ALNUM, 36),
    "pypi token": lambda r: "pypi-AgEIcHlwaS5vcmc" + _of(r, _URL, 120),
    "hugging face token": lambda r: "hf_" + _of(r, _ALNUM, 34),
    "vault token": lambda r: "hvs." + _of(r, _URL, 90),
    "digitalocean token": lambda r: "dop_v1_" + _of(r, _HEX, 64),
    "grafana token": lambda r: f"glsa_{_of(r, _ALNUM, 32)}_{_of(r, _HEX, 8)}",
    "docker hub token": lambda r: "dckr_pat_" + _of(r, _URL, 27),
    "databricks token": lambda r: "dapi" + _of(r, _HEX, 32),
    "new relic key": lambda r: "NRAK-" + _of(r, _UPPER, 27),
    "shopify token": lambda r: "shpat_" + _of(r, _HEX, 32),
    "telegram bot token": lambda r: f"{r.randint(10**9, 10**10 - 1)}:AA{_of(r, _URL, 33)}",
    "age key": lambda r: "AGE-SECRET-KEY-1" + _of(r, _BASE32, 58),
    "service account token": _jwt,
    "private key": _pem,
}
"""Kinds that their form gives away; by name a maker of one."""

KEYED: dict[str, Callable[[random.Random], str]] = {
    "aws secret key": lambda r: _of(r, _ALNUM + "+/", 40),
    "azure storage key": lambda r: base64.b64encode(r.randbytes(64)).decode(),
    "password": _password,
    "twilio token": lambda r: _of(r, _HEX, 32),
}
"""Kinds that only what stands before them gives away."""

_PLACES = (
    "E1122 10:15:02.123456       1 client.go:42] request failed with {token}: unauthorized",
    '{{"level":"error","msg":"login","token":"{token}","pod":"payments-7d9f8b-x2x1z"}}',
    "2026-11-22T10:15:02Z ERROR using {token} for the upload to bucket backups",
    "    kubectl.kubernetes.io/last-applied: '{token}'",
    "2026-11-22 10:15:02,ERROR,shop,payments-1,app,503,call with {token} refused",
    "We rotated it; the old one was `{token}` until Friday.",
)
_KEYED_PLACES = {
    "aws secret key": ("AWS_SECRET_ACCESS_KEY={token}", 'secret_access_key = "{token}"'),
    "azure storage key": (
        "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={token};EndpointSuffix=core",
    ),
    "password": (
        "dial postgres://orders:{token}@orders-db:5432/orders?sslmode=disable failed",
        "  - name: DB_PASSWORD\n    value: {token}",
        '{{"user":"orders","password":"{token}"}}',
        "redis-cli -h cache --pass {token} ping",
        "mysql: orders:{token}@tcp(orders-db:3306)/orders: connection refused",
    ),
    "twilio token": ("TWILIO_AUTH_TOKEN: {token}", "auth_token={token} status=401"),
}


def planted(seed: int = 7) -> Iterator[tuple[str, str, str]]:
    """Kind, secret and a text that holds it, for every kind at every place that may hold it."""
    rng = random.Random(seed)  # noqa: S311  (nothing here is a real secret)
    for kind, make in TOKENS.items():
        for place in _PLACES:
            if "\n" in (secret := make(rng)) and "{{" in place:
                secret = secret.replace("\n", "\\n")  # as JSON writes it
            yield kind, secret, place.format(token=secret)
    for kind, make in KEYED.items():
        for place in _KEYED_PLACES[kind]:
            for _ in range(3):
                secret = make(rng)
                yield kind, secret, place.format(token=secret)


_NAMES = ("payments", "checkout", "orders-db", "cart", "matching-engine", "ingress-nginx")
_BENIGN: tuple[Callable[[random.Random], str], ...] = (
    lambda r: (
        f"pod {_name(r)}-{_of(r, 'bcdfghjklmnpqrstvwxz2456789', 9)}-"
        f"{_of(r, 'bcdfghjklmnpqrstvwxz2456789', 5)} restarted {r.randint(1, 90)} times"
    ),
    lambda r: f"Pulled image registry.shop.example/{_name(r)}@sha256:{_of(r, _HEX, 64)}",
    lambda r: f'trace_id={_of(r, _HEX, 32)} span_id={_of(r, _HEX, 16)} msg="GET /cart 200"',
    lambda r: f"uid {UUID(int=r.getrandbits(128))} owner ReplicaSet/{_name(r)}",
    lambda r: f"commit {_of(r, _HEX, 40)} merged into main of {_name(r)}",
    lambda r: f"10.{r.randint(0, 255)}.{r.randint(0, 255)}.7:{r.randint(1024, 65535)} -> :5432",
    lambda r: f"token expired after {r.randint(1, 60)}m, renewing for {_name(r)}",
    lambda r: f"secret {_name(r)}-tls not found in namespace shop",
    lambda r: f"max_tokens={r.randint(1, 900)} context_tokens=8192 model=llama3.1",
    lambda r: f"MountVolume.SetUp failed for volume {_name(r)}-token: secret is missing",
    lambda r: f"password authentication failed for user {_name(r)}",
    lambda r: f"key {_name(r)}.max-connections changed from {r.randint(1, 99)} to 100",
    lambda r: f"etag W/{_of(r, _HEX, 20)} cache HIT for /assets/app.{_of(r, _HEX, 8)}.js",
    lambda r: f"lease kube-system/{_name(r)} renewed, resourceVersion {r.randint(1, 10**9)}",
    lambda r: f"E1122 10:15:0{r.randint(0, 9)}.123456 1 pod_workers.go:1301] Error syncing pod",
    lambda r: f"certificate of {_name(r)} expires in {r.randint(1, 90)} days",
    lambda r: f"kafka offset {r.randint(1, 10**12)} partition {r.randint(0, 64)} lag 0",
    lambda r: f"at com.shop.{_name(r).replace('-', '')}.Service.call(Service.java:{r.random():.6})",
    lambda r: f"    resources: {{limits: {{memory: {r.randint(64, 4096)}Mi, cpu: 500m}}}}",
    lambda r: f"| {_name(r)} | team-{r.randint(1, 9)} | #team-{r.randint(1, 9)} | on call |",
)


def _name(rng: random.Random) -> str:
    return rng.choice(_NAMES)


def benign(count: int, seed: int = 11) -> Iterator[str]:
    """Lines as clusters write them, with ids, hashes and words about secrets, but no secret."""
    rng = random.Random(seed)  # noqa: S311
    for number in range(count):
        yield _BENIGN[number % len(_BENIGN)](rng)

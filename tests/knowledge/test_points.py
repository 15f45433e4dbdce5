from __future__ import annotations

from core.redact import Redactor
from knowledge.documents import Document, Entry
from knowledge.points import Edition, make_points
from knowledge.ports import Point

REDACTOR = Redactor(b"a key of the tests")
SECRETS = ("tr0ub4dor-Xq9", "cjNhbGx5LXNlY3JldA", "MIIEowIBAAKCAQEA", "two words of it")
# Each of these is known as a secret by a line that another chunk may hold.
SPREAD = f"""The database answers to {SECRETS[0]} as well.

```yaml
apiVersion: v1
kind: Secret
data:
  anything: {SECRETS[1]}
```

-----BEGIN RSA PRIVATE KEY-----

{SECRETS[2]}

-----END RSA PRIVATE KEY-----

| name | value |
|---|---|
| passphrase | kept in the vault |

- passphrase: {SECRETS[3]}

DB_PASSWORD={SECRETS[0]}
"""


def points_of(text: str, service: str = "", team: str = "") -> tuple[Point, ...]:
    document = Document("markdown", "a.md", "A page", text, service=service, team=team)
    return make_points("markdown:docs", Entry("a.md", "1:2"), [document], REDACTOR)


def test_no_secret_of_a_page_stands_in_a_chunk_wherever_the_page_is_cut() -> None:
    cut_inside = 0
    for words in range(0, 230, 5):
        points = points_of(f"{'word ' * words}\n\n{SPREAD}")
        cut_inside += sum("<REDACTED" in point.text for point in points) > 1
        for point in points:
            assert not [secret for secret in SECRETS if secret in point.text]
            assert REDACTOR.redact(point.text) == point.text
    assert cut_inside > 10


def test_fields_without_a_value_are_left_out_but_those_that_a_scope_asks_for() -> None:
    (bare,) = points_of("text")
    assert not {"service", "kind", "url", "updated_at"} & bare.payload.keys()
    assert (bare.payload["namespace"], bare.payload["team"]) == ("", "")
    (full,) = points_of("text", service="payments", team="orders")
    assert (full.payload["service"], full.payload["team"]) == ("payments", "orders")


def test_each_point_knows_the_edition_of_its_entry() -> None:
    points = points_of(f"# One\n\n{'word ' * 200}\n\n# Two\n\n{'more ' * 200}")
    (edition,) = {Edition.read(point.payload["edition"]) for point in points}
    assert edition is not None
    assert (edition.stamp, edition.points) == ("1:2", len(points))
    other = Edition.read(points_of("other text")[0].payload["edition"])
    assert other is not None
    assert other.content != edition.content
    assert Edition.read(None) is None

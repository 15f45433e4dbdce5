from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from core.answers import Citation, Confidence, Gap
from core.digests import Digest, DigestItem, ItemState, Precedent
from core.findings import Evidence, Severity
from core.questions import TimeRange
from digest.render_text import header, render_text
from tests.digest.conftest import NINE, finding

BERLIN = ZoneInfo("Europe/Berlin")
WINDOW = TimeRange(NINE - timedelta(hours=1), NINE)
ITEM = DigestItem(
    finding(evidence=(Evidence("limit", "256Mi\nx"),), count=14),
    ItemState.ESCALATING,
    NINE - timedelta(hours=3),
    count_change=4,
    buckets=(0,) * 9 + (1, 10, 14),
    team="orders",
    on_call="#team-orders",
    affected=("checkout", "frontend"),
    cause="Too little memory.",
    confidence=Confidence.CONFIRMED,
    runbook=Citation(1, "Payments restarts", "runbooks/payments-restarts.md", "markdown"),
    suggestion="Raise the limit.",
    next_command="kubectl -n shop describe pod p",
    precedent=Precedent("INC-2031: payments OOM", helped="The limit was raised."),
)

REST = DigestItem(finding("redis", severity=Severity.MEDIUM), ItemState.NEW, NINE)


FULL = """**Digest: 2 new, 1 resolved**
2026-03-01 09:00 CET – 2026-03-01 10:00 CET · demo

1. **payments: oom** [high, escalating]
   Deployment shop/payments in demo · seen 14× (+4) · since 2026-03-01 07:00 CET, last \
2026-03-01 10:00 CET
   ▂▆█
   Owner: orders · #team-orders
   Affects: checkout, frontend
   Evidence: limit = 256Mi x
   Cause (confirmed): Too little memory.
   Do: Raise the limit.
   Runbook: Payments restarts (runbooks/payments-restarts.md)
   Seen before: INC-2031: payments OOM: The limit was raised.
   Next: `kubectl -n shop describe pod p`

Also found:
- redis: oom [medium, new], Deployment shop/redis, seen 3×

Resolved:
- cart: oom

Not read: cluster prod (timed out). Check it.
One note.
Worded by ollama:llama3.1.
"""


def test_a_full_digest_reads_well_as_text() -> None:
    digest = Digest(
        "daily", "s", WINDOW, (ITEM,),
        resolved=(DigestItem(finding("cart"), ItemState.RESOLVED, NINE),),
        totals=((ItemState.NEW, 2), (ItemState.RESOLVED, 1)),
        rest=(REST,), model="ollama:llama3.1",
        gaps=(Gap("cluster prod", "timed out", "Check it."),),
        notes=("One note.",), clusters=("demo",),
    )  # fmt: skip
    assert render_text(digest, BERLIN) == FULL


def test_quiet_is_said_only_where_all_was_read() -> None:
    quiet = Digest("d", "", WINDOW, (), clusters=("demo",))
    assert header(quiet) == "nothing critical"
    assert render_text(quiet, BERLIN).endswith("Nothing critical.\n")
    unread = Digest("d", "", WINDOW, (), gaps=(Gap("cluster demo", "timed out"),))
    text = render_text(unread, BERLIN)
    assert "nothing critical" not in text
    assert "no cluster could be read" in text
    assert "Not read: cluster demo (timed out)." in text
    medium = Digest("d", "", WINDOW, (), totals=((ItemState.NEW, 1),), rest=(REST,))
    assert "Nothing critical to list." in render_text(medium, BERLIN)


def test_a_bare_item_has_no_empty_lines_of_its_own() -> None:
    bare = Digest("d", "", WINDOW, (DigestItem(finding(), ItemState.NEW, NINE),))
    text = render_text(bare, BERLIN)
    assert "Owner" not in text
    assert "Cause" not in text

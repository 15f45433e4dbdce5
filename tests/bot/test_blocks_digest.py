from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.digest import digest_message, urgent_message
from bot.blocks.digest_item import briefs_message, explain_question, item_message
from bot.blocks.digest_table import rest_message
from core.answers import Confidence
from core.digests import Acknowledgement, ItemState, KnownIssue, Marks, Mute, Precedent
from core.findings import Evidence, ObjectRef, Severity
from digest.outbox import rest_pages
from tests.bot.checks import assert_fits, assert_harmless, shown
from tests.bot.samples import HOSTILE, NOW, digest, finding, gap, item

MEDIUM = finding("redis", severity=Severity.MEDIUM)


def rows(message_blocks: tuple[dict[str, object], ...]) -> list[list[str]]:
    (table,) = [block for block in message_blocks if block["type"] == "table"]
    return [[cell["text"] for cell in row] for row in table["rows"]]  # type: ignore[attr-defined]


def test_the_parent_has_header_window_totals_and_a_table_of_what_is_news() -> None:
    old = finding("cart", title="cart:  ImagePullBackOff", severity=Severity.HIGH)
    told = digest(
        item(),
        item(finding=old, state=ItemState.ONGOING, count_change=0),
        totals=((ItemState.NEW, 1), (ItemState.REGRESSED, 1), (ItemState.ONGOING, 4)),
        rest=(item(finding=MEDIUM),) * 12,
    )
    built = digest_message(told, "/k8s")
    assert [block["type"] for block in built.blocks] == [
        "header", "context", "section", "table", "section", "context",
    ]  # fmt: skip
    assert built.blocks[0]["text"]["text"] == "Digest: 1 new, 1 regressed, 4 ongoing"
    assert built.blocks[2]["text"]["text"] == (
        "🔴 1 critical  ·  🟠 1 high  ·  🟡 12 medium  ·  12 of them only named in the thread"
    )
    assert rows(built.blocks) == [
        ["State", "Problem", "Workload", "Seen", "Team"],
        ["🔴 🆕 new", "OOMKilled, 14 restarts", "shop/payments", "14× (+6) ▂▂▂▁▃▃▄▅▆█", "orders"],
    ]
    assert built.blocks[4]["text"]["text"] == (
        "🔁 *1 ongoing*  ·  🟠 1 high  ·  longest 3 h\nshop/cart OOMKilled"
    )


def test_without_news_the_table_is_for_the_ongoing_ones() -> None:
    table = rows(
        digest_message(digest(item(state=ItemState.ONGOING, buckets=(), team="")), "/k8s").blocks
    )
    assert table[1] == ["🔴 🔁 ongoing 3 h", "OOMKilled, 14 restarts", "shop/payments",
                        "14× (+6)", "–"]  # fmt: skip


def test_two_clusters_are_told_apart_in_the_table() -> None:
    east = finding("cart", owner=ObjectRef("east", "Deployment", "shop", "cart"))
    table = rows(digest_message(digest(item(), item(finding=east)), "/k8s").blocks)
    assert [row[2] for row in table[1:]] == ["demo: shop/payments", "east: shop/cart"]


def test_a_cluster_scoped_object_is_named_with_its_kind() -> None:
    node = finding(
        "worker-3", owner=ObjectRef("demo", "Node", "", "worker-3"), severity=Severity.HIGH,
        title="Kubelet stopped posting status",
    )  # fmt: skip
    table = rows(digest_message(digest(item(finding=node)), "/k8s").blocks)
    assert table[1][:3] == ["🟠 🆕 new", "Kubelet stopped posting status", "Node worker-3"]


def test_resolved_gaps_and_notes_are_told_below_the_table() -> None:
    told = digest(
        item(),
        resolved=tuple(item(f"cart-{number}", state=ItemState.RESOLVED) for number in range(10)),
        gaps=tuple(gap(f"cluster {number}") for number in range(7)),
        notes=("Event messages were cut.",),
        model="ollama:llama3.1",
    )
    text = shown(digest_message(told, "/k8s"))
    assert "✅ shop/cart-0: OOMKilled" in text
    assert "and 2 more" in text
    assert "⚠️ Could not look at cluster 0, cluster 1 and 5 more: no connection" in text
    assert "⚠️ Event messages were cut." in text
    assert "Causes worded by ollama:llama3.1, AI-generated" in text


def test_only_resolved_ones_make_a_digest_without_a_table() -> None:
    told = digest(resolved=(item(state=ItemState.RESOLVED),), totals=((ItemState.RESOLVED, 1),))
    built = digest_message(told, "/k8s")
    assert built.blocks[0]["text"]["text"] == "Digest: 1 resolved"
    assert "Nothing critical any more" in shown(built)
    assert "table" not in [block["type"] for block in built.blocks]


def test_a_quiet_digest_is_one_line() -> None:
    built = digest_message(digest(), "/k8s")
    assert len(built.blocks) == 1
    assert built.text.startswith("✅ nothing critical  ·  <!date^")
    assert "\n" not in built.text


def test_quiet_with_hidden_ones_still_counts_them() -> None:
    told = digest(rest=(item(finding=MEDIUM),) * 3)
    assert "🟡 3 medium  ·  3 of them only named in the thread" in digest_message(told, "/k8s").text


def test_with_gaps_it_is_never_all_quiet() -> None:
    built = digest_message(digest(gaps=(gap("cluster east"),)), "/k8s", is_preview=True)
    assert "✅" not in built.text
    assert "nothing critical where I could look" in built.text
    assert "cluster east" in built.text


def test_a_preview_says_that_it_is_one() -> None:
    text = shown(digest_message(digest(item(), totals=()), "/k8s", is_preview=True))
    assert "only you see this preview" in text
    assert "Digest preview: 1 listed" in text


def test_an_item_tells_what_proves_it_why_and_what_to_do() -> None:
    built = item_message(item(), "daily")
    text = shown(built)
    for part in (
        "🔴 🆕  *payments: OOMKilled, 14 restarts*",
        "`Deployment shop/payments`  ·  cluster demo  ·  team orders, #team-orders",
        "seen 14× (+6)  ·  ▂▂▂▁▃▃▄▅▆█",
        "`lastState.terminated.reason`  `OOMKilled`",
        "```\njava.lang.OutOfMemoryError: Java heap space\n```",
        "**Probable cause** (likely)\n\nThe settlement batch",
        "**What to do**\n\nRaise the limit to 768Mi",
        "📖 Runbook: <https://docs.example/1|Payments runs out of memory>",
        "*Also affected*  checkout, frontend",
        "```\nkubectl -n shop logs deploy/payments --previous --tail=50\n```",
    ):
        assert part in text
    assert built.blocks[-1]["elements"][0]["value"] == explain_question(item())


def test_a_bare_item_has_no_empty_headings() -> None:
    bare = item(
        finding=finding(evidence=(), log_lines=(), node="worker-3", members=("Pod shop/a",)),
        buckets=(), team="", cause="", suggestion="", runbook=None,
        affected=(), next_command="",
    )  # fmt: skip
    built = item_message(bare, "daily")
    text = shown(built)
    assert "Probable cause" not in text
    assert "What to do" not in text
    assert "on worker-3" in text
    assert "and 1 more: Pod shop/a" in text


def test_what_is_over_is_told_in_two_lines_without_buttons() -> None:
    built = item_message(item(state=ItemState.RESOLVED), "daily")
    assert [block["type"] for block in built.blocks] == ["section", "context"]
    assert "over  ·  first seen <!date^" in built.text


def test_a_sentence_of_evidence_is_prose_and_a_value_is_code() -> None:
    words = "0/5 nodes are available: 5 Insufficient memory. No preemption victims found."
    proofs = (Evidence("message", words), Evidence("limit", "24Gi"))
    text = shown(item_message(item(finding=finding(evidence=proofs)), "daily"))
    assert f"•  `message`  {words}" in text
    assert "•  `limit`  `24Gi`" in text


def test_briefs_give_cause_and_next_step_in_markdown() -> None:
    built = briefs_message([item(suggestion="**Raise** a && b <x>.")])
    assert built.blocks[0]["text"].split("\n") == [
        "🔴 🆕 **payments: OOMKilled, 14 restarts**",
        "- The settlement batch needs more memory than the limit of 256Mi. _(likely)_",
        "- → **Raise** a && b &lt;x&gt;.",
        "- `kubectl -n shop logs deploy/payments --previous --tail=50`",
    ]
    assert "**Raise** a &amp;&amp; b &lt;x&gt;." in built.text


def test_the_explain_question_names_object_reason_and_proof() -> None:
    asked = explain_question(item())
    assert asked.startswith("Why does Deployment shop/payments have OOMKilled")
    assert "limits.memory: 256Mi" in asked
    plain = replace(item(), finding=finding(evidence=()))
    assert "Evidence" not in explain_question(plain)


def test_what_is_muted_or_flaps_is_counted_and_named_in_one_line_each() -> None:
    mute = Mute("U1", "mira", NOW, None, Severity.CRITICAL, 14)
    muted = [item(f"m{number}", marks=Marks(mute)) for number in range(7)]
    told = digest(item(), muted=tuple(muted), flapping=(item("cart", state=ItemState.ONGOING),))
    text = shown(digest_message(told, "/k8s"))
    assert "🔇 7 muted: shop/m0 OOMKilled until it gets worse, shop/m1" in text
    assert "and 2 more" in text
    assert "〰️ Comes and goes: 🔴 shop/cart: OOMKilled, 14 restarts" in text


def test_with_all_muted_the_one_line_counts_them() -> None:
    built = digest_message(digest(muted=(item(),)), "/k8s")
    assert len(built.blocks) == 1
    assert "nothing critical" in built.text
    assert "🔇 1 muted: shop/payments" in built.text


def test_what_goes_on_is_one_line_with_its_counts_and_what_stayed_unseen() -> None:
    went_on = item(state=ItemState.ONGOING)
    told = digest(went_on, full_ts="1.0", rest=(item(finding=MEDIUM),) * 2, gaps=(gap("log of a"),))
    built = digest_message(told, "/k8s", urls={"1.0": "https://docs.example/1"})
    assert len(built.blocks) == 1
    told_line, unseen = built.text.splitlines()
    assert told_line == (
        "🔁 *1 ongoing, nothing new*  ·  🔴 1 critical, and 2 medium  ·  longest 3 h  ·  "
        "<https://docs.example/1|last full digest>"
    )
    assert unseen == "⚠️ Could not look at log of a: no connection"


def test_what_was_only_counted_so_far_or_is_no_longer_muted_is_news() -> None:
    for odd in (
        item(state=ItemState.ONGOING, was_listed=False),
        item(state=ItemState.ONGOING, is_unmuted=True),
    ):
        assert not digest(odd, full_ts="1.0").is_collapsed
    assert "no longer muted" in shown(item_message(item(is_unmuted=True), "daily"))


def test_places_unseen_for_the_same_reason_share_a_line() -> None:
    told = digest(item(), gaps=tuple(gap(f"log of p{number}") for number in range(9)))
    text = shown(digest_message(told, "/k8s"))
    assert "Could not look at log of p0, log of p1 and 7 more: no connection" in text


NASTY = st.one_of(st.text(max_size=300), st.just(HOSTILE * 4), st.just("x" * 5_000))


@given(NASTY, NASTY, st.integers(0, 30), st.sampled_from(list(ItemState)))
def test_every_digest_fits_and_does_no_harm(
    text: str, name: str, count: int, state: ItemState
) -> None:
    nasty = item(
        finding=finding(
            reason=text, title=text, count=count + 1, members=(text,) * count, node=text,
            owner=ObjectRef(name, text, name, text), evidence=(Evidence(text, name),) * count,
            log_lines=(text,) * count, severity=Severity.HIGH,
        ),
        state=state, team=name, on_call=text, affected=(text,) * count, cause=text,
        suggestion=name, next_command=text, confidence=Confidence.UNKNOWN,
    )  # fmt: skip
    mute = Mute("U1", name, NOW, None, Severity.HIGH, 1)
    marks = Marks(mute, KnownIssue("U1", name, NOW, text), Acknowledgement("U1", name, NOW))
    nasty = replace(nasty, marks=marks, told_ts="1.0")
    went_on = replace(nasty, state=ItemState.ONGOING)
    told = digest(
        *(nasty,) * min(count, 10), resolved=(nasty,) * count, gaps=(gap(text),) * count,
        notes=(text,) * min(count, 3), clusters=(name,), rest=(nasty,) * count, model=name,
        muted=(nasty,) * count, flapping=(nasty,) * count,
    )  # fmt: skip
    parent = digest_message(told, "/k8s", urls={"1.0": "https://docs.example/1"})
    ongoing = replace(told, resolved=(), full_ts="1.0", items=(went_on,) * (count % 10 + 1))
    assert len(parent.blocks) <= 15
    for built in (
        parent,
        digest_message(ongoing, "/k8s"),
        urgent_message(told),
        item_message(nasty, "daily"),
        briefs_message([nasty] * (count % 12 + 1)),
    ):
        assert_fits(built)
        assert_harmless(built)


def test_what_goes_on_is_one_line_however_many_there_are() -> None:
    old = [item(finding=finding(f"old-{number}"), state=ItemState.ONGOING) for number in range(9)]
    left = item(
        finding=finding("left", severity=Severity.HIGH), state=ItemState.ONGOING, was_listed=False
    )
    built = digest_message(digest(item("fresh"), *old, rest=(left,)), "/k8s")
    assert [row[2] for row in rows(built.blocks)[1:]] == ["shop/fresh"]
    assert (
        "🔁 *10 ongoing*  ·  🔴 9 critical, 🟠 1 high  ·  longest 3 h\n"
        "shop/old-0 OOMKilled, shop/old-1 OOMKilled, shop/old-2 OOMKilled and 7 more"
    ) in shown(built)


def test_the_rest_is_named_in_tables_of_thirty_and_counted_beyond() -> None:
    rest = tuple(item(finding=finding(f"w-{number}")) for number in range(95))
    messages = [rest_message(page) for page in rest_pages(digest(item(), rest=rest))]
    assert [len(rows(message.blocks)) - 1 for message in messages] == [30, 30, 30]
    assert "and 5 more" in shown(messages[-1])
    assert "w-89" in messages[-1].text
    assert rest_pages(digest(item())) == []


def test_an_item_tells_what_was_like_it_and_what_helped() -> None:
    report = Precedent("INC-2031: OOM", "https://docs.example/2031", helped="The limit was raised.")
    assert (
        "🕘 Seen before: <https://docs.example/2031|INC-2031: OOM>  ·  "
        "helped then: The limit was raised."
    ) in shown(item_message(item(precedent=report), "daily"))
    again = Precedent("payments: OOMKilled", happened_at=NOW, lasted=timedelta(hours=2))
    assert (
        "🕘 Seen before: payments: OOMKilled  ·  <!date^"
        in item_message(item(precedent=again), "daily").text
    )
    assert "Seen before" not in shown(item_message(item(), "daily"))


def test_explaining_what_others_are_folded_under_asks_for_them_too() -> None:
    asked = explain_question(item(finding=finding(members=("Pod shop/a-1", "Pod shop/b-1"))))
    assert asked.endswith("Also hit: Pod shop/a-1, Pod shop/b-1")

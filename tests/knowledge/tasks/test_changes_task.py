"""`changes`: how it is asked, and what the timeline says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from core.answers import Confidence, Gap
from core.changes import ChangeKind
from core.errors import RequestError
from core.findings import ObjectRef
from knowledge.tasks.changes import ChangesTask
from knowledge.tasks.subject import Subjects
from knowledge.tasks.timeline import place_of, span, tell, when
from tests.knowledge.conftest import NOW
from tests.knowledge.tasks.conftest import World
from tests.knowledge.tasks.trails import (
    PAYMENTS,
    RISK,
    SHOP,
    Trail,
    change,
    finding,
    timeline,
    trouble,
)

UTC = ZoneInfo("UTC")


def task(world: World, trail: Trail | None) -> ChangesTask:
    live = world.cluster if trail else None
    subjects = Subjects(world.namer, live, trail, UTC)
    return ChangesTask(subjects, trail, world.clock, UTC)


async def test_the_window_is_read_however_it_is_said(world: World) -> None:
    for asked, hours in (
        ("payments", 24),
        ("payments 6h", 6),
        ("payments since 2h", 2),
        ("payments last 90 minutes", 1.5),
        ("shop/payments since 09:30", 2.5),
        ("deployment/payments 2h", 2),
        ("what changed before payments broke?", 24),
        ("what changed in payments since 9:30?", 2.5),
        ("what changed in payments in the last 3 hours", 3),
    ):
        trail = Trail()
        await world.ask(task(world, trail), asked)
        (window,) = trail.windows
        assert NOW - window.start == timedelta(hours=hours), asked
        assert trail.readings[-1].names == ("payments",), asked


async def test_a_namespace_is_taken_as_such(world: World) -> None:
    for asked in ("shop", "shop 2h", "what changed in shop since 9:30?", "ns shop"):
        trail = Trail()
        trail.timeline = timeline(change(owner=PAYMENTS), about=SHOP)
        answer = await world.ask(task(world, trail), asked)
        assert trail.readings[-1].namespaces == ("shop",), asked
        assert "in namespace shop" in answer.text


async def test_the_likely_change_is_marked_and_never_called_proven(world: World) -> None:
    answer = await world.ask(task(world, Trail()), "payments")
    assert answer.text.startswith("**payments: OOMKilled, since 11:03 (57 min ago).** [1]")
    assert "**Likely behind it, not proven:** the change marked ←, 3 min before." in answer.text
    lines = answer.text.splitlines()
    at = next(n for n, text in enumerate(lines) if text.startswith("- 11:00"))
    assert "memory limit 512Mi → 256Mi · `helm` ← likely" in lines[at]
    assert lines[at + 1] == "- 11:03 ✗ **broke:** payments: OOMKilled"
    assert "Secrets are not read." in answer.text
    assert answer.confidence is Confidence.LIKELY
    assert [citation.title for citation in answer.citations] == [
        "Changes of Deployment shop/payments"
    ]


async def test_without_trouble_and_changes_it_says_so_with_the_last_rollout(world: World) -> None:
    trail = Trail()
    trail.timeline = timeline(before=change(minutes=60 * 24 * 5))
    answer = await world.ask(task(world, trail), "payments")
    assert "**No changes in the last 24 h in shop/payments; nothing is broken" in answer.text
    assert "The last rollout before that was 5 d ago: rolled out revision 2" in answer.text
    assert answer.confidence is Confidence.CONFIRMED


async def test_a_slip_gets_a_guess_and_no_cluster_a_remedy(world: World) -> None:
    with pytest.raises(RequestError, match="paymnts") as caught:
        await world.ask(task(world, Trail()), "paymnts")
    assert "`payments`" in caught.value.remedy
    with pytest.raises(RequestError, match="no cluster is configured"):
        await world.ask(task(world, None), "payments")


async def test_a_name_that_no_cluster_has_is_told_with_where_was_looked(world: World) -> None:
    trail = Trail()
    trail.objects, trail.gaps = (), (Gap("cluster other", "unreachable"),)
    answer = await world.ask(task(world, trail), "risk-engine")
    assert not answer.is_grounded
    assert "I looked in: cluster demo." in answer.text
    assert answer.gaps == trail.gaps


async def test_objects_of_the_same_name_are_named_in_a_note(world: World) -> None:
    trail = Trail()
    other = replace(PAYMENTS, cluster="prod")
    trail.objects = (PAYMENTS, other, replace(PAYMENTS, namespace="trading"))
    answer = await world.ask(task(world, trail), "payments")
    (note,) = answer.notes
    assert note.startswith("This is about Deployment shop/payments. Also named so: ")
    assert "Deployment shop/payments in cluster prod, Deployment trading/payments." in note


# --- the words ----------------------------------------------------------------------------------


def test_no_suspect_is_said_and_a_suspect_before_the_window_is_told_whole() -> None:
    assert "No change that I can see stands just before it." in tell(
        timeline(troubles=(trouble(),)), UTC
    )
    old = change(minutes=60 * 3)
    told = tell(timeline(troubles=(trouble(old),), before=old, hours=1), UTC)
    assert "not proven:** 2 h 3 min before: payments rolled out revision 2" in told
    assert "The last rollout before that" not in told


def test_several_troubles_stand_in_the_line_of_time_with_their_suspects() -> None:
    cart = replace(PAYMENTS, name="cart")
    edit = change(58, ChangeKind.CONFIG, "changed", replace(PAYMENTS, kind="ConfigMap", name="c"))
    old = change(300)
    found = timeline(
        edit,
        troubles=(trouble(edit), trouble(old, of=finding("image-pull", cart, "no image"))),
        about=SHOP,
        hours=2,
    )
    told = tell(found, UTC)
    assert told.startswith("**2 things are broken in namespace shop; 1 change in the last 2 h.**")
    assert "**ConfigMap c** changed · `helm` ← likely: payments" in told
    assert "cart: no image ← likely, 4 h 3 min before: payments rolled out revision 2" in told


def test_of_many_rows_troubles_and_suspects_stay() -> None:
    suspect = change(60)
    later = [change(50 - n, ChangeKind.NODE, "rebooted", RISK) for n in range(20)]
    told = tell(timeline(suspect, *later, troubles=(trouble(suspect),)), UTC)
    assert "← likely" in told
    assert "✗ **broke:**" in told
    assert "10 left out" in told
    assert "11:29" in told  # the newest


def test_a_window_in_the_past_is_told_with_its_ends() -> None:
    found = timeline(change())
    past = replace(
        found,
        window=replace(found.window, end=NOW - timedelta(hours=1)),
    )
    assert "from Tue 3 Mar 12:00 to 11:00" in tell(past, UTC)


def test_what_was_not_read_is_not_told_as_quiet() -> None:
    half = replace(timeline(), gaps=(Gap("configmaps", "403"),))
    told = tell(half, UTC)
    assert "not all of it could be read" in told
    assert "nothing is broken" not in told


def test_a_managers_name_cannot_break_out_of_its_quotes() -> None:
    told = tell(timeline(change(by="evil` *now*\n<!channel>")), UTC)
    assert "`evil' *now* <!channel>`" in told


def test_long_words_are_cut() -> None:
    told = tell(timeline(change(what="x" * 900)), UTC)
    assert "x…" in told
    assert "x" * 300 not in told


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0 s"),
        (40, "40 s"),
        (25 * 60, "25 min"),
        (7200, "2 h"),
        (10_620, "2 h 57 min"),
        (300_000, "3 d"),
    ],
)
def test_lengths_of_time_are_said_as_people_do(seconds: float, said: str) -> None:
    assert span(timedelta(seconds=seconds)) == said


def test_times_and_places_are_short() -> None:
    assert when(NOW, NOW, ZoneInfo("Europe/Berlin")) == "13:00"
    assert when(NOW - timedelta(days=1), NOW, UTC) == "Tue 3 Mar 12:00"
    assert place_of(ObjectRef("demo", "Node", "", "worker-1")) == "node worker-1"

"""Whatever a digest holds, Slack takes all of its messages; the workspace's own rules judge."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.digest import digest_message, urgent_message
from bot.blocks.digest_item import briefs_message, item_message
from bot.blocks.digest_table import rest_message
from bot.blocks.parts import Message
from core.answers import Citation, Confidence, Gap
from core.digests import (
    Acknowledgement,
    Digest,
    DigestItem,
    ItemState,
    KnownIssue,
    Marks,
    Mute,
    Precedent,
)
from core.findings import Evidence, Finding, ObjectRef, Severity
from core.questions import TimeRange
from digest.outbox import rest_pages
from sandbox.slack.blocks import check_message
from tests.bot.checks import assert_harmless
from tests.bot.samples import HOSTILE, NOW

PARENT_BLOCKS = 15
URL = "https://docs.example/1"
# Long ones by repetition: drawn letter by letter they would take minutes.
TEXT = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", " ", "\n", HOSTILE, "```", "|", "*_~`", "&<>" * 40]),
    st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=4),
              st.sampled_from([80, 700, 4_000])),
)  # fmt: skip
COUNTS = st.integers(1, 10**12)
MOMENTS = st.timedeltas(timedelta(), timedelta(days=400)).map(lambda age: NOW - age)
REFS = st.builds(ObjectRef, TEXT, TEXT, TEXT, TEXT)
FINDINGS = st.builds(
    Finding, TEXT, TEXT, TEXT, st.sampled_from(list(Severity)), TEXT, REFS, REFS, MOMENTS, MOMENTS,
    evidence=st.lists(st.builds(Evidence, TEXT, TEXT), max_size=6).map(tuple),
    log_lines=st.lists(TEXT, max_size=6).map(tuple),
    members=st.lists(TEXT, max_size=12).map(tuple), node=TEXT, count=COUNTS,
)  # fmt: skip
MARKS = st.builds(
    Marks,
    st.none() | st.builds(Mute, TEXT, TEXT, MOMENTS, st.none() | MOMENTS,
                          st.just(Severity.HIGH), COUNTS),
    st.none() | st.builds(KnownIssue, TEXT, TEXT, MOMENTS, TEXT | st.just(URL)),
    st.none() | st.builds(Acknowledgement, TEXT, TEXT, MOMENTS),
)  # fmt: skip
ITEMS = st.builds(
    DigestItem, FINDINGS, st.sampled_from(list(ItemState)), MOMENTS,
    count_change=st.integers(-(10**9), 10**9),
    buckets=st.lists(st.integers(0, 10**6), max_size=12).map(tuple),
    team=TEXT, on_call=TEXT, affected=st.lists(TEXT, max_size=12).map(tuple), cause=TEXT,
    confidence=st.sampled_from(list(Confidence)),
    runbook=st.none() | st.builds(Citation, st.just(1), TEXT, TEXT, TEXT, st.just(URL)),
    suggestion=TEXT, next_command=TEXT, marks=MARKS, is_unmuted=st.booleans(),
    was_listed=st.booleans(), told_ts=st.sampled_from(["", "1.0"]),
    precedent=st.none() | st.builds(
        Precedent, TEXT, st.just(URL), st.none() | MOMENTS, TEXT,
        st.none() | st.timedeltas(timedelta(), timedelta(days=90)),
    ),
)  # fmt: skip


@st.composite
def digests(draw: st.DrawFn) -> Digest:
    """Any digest: few different items, many of them, for that is where limits are reached."""
    drawn = draw(st.lists(ITEMS, min_size=1, max_size=3))

    def many(most: int) -> tuple[DigestItem, ...]:
        return tuple(drawn * most)[: draw(st.integers(0, most))]

    return Digest(
        "daily",
        draw(st.sampled_from(["", "daily@2026-03-02T09:00:00Z"])),
        TimeRange(NOW - timedelta(hours=6), NOW),
        many(20),  # as many as a schedule may list
        resolved=many(40),
        totals=tuple((state, draw(COUNTS)) for state in draw(st.sets(st.sampled_from(ItemState)))),
        model=draw(TEXT),
        gaps=tuple(draw(st.lists(st.builds(Gap, TEXT, TEXT, TEXT), max_size=9))),
        notes=tuple(draw(st.lists(TEXT, max_size=4))),
        clusters=tuple(draw(st.lists(TEXT, max_size=12))),
        muted=many(40),
        flapping=many(40),
        full_ts=draw(st.sampled_from(["", "1.0"])),
        rest=many(500),
    )


def assert_taken(message: Message) -> None:
    assert check_message(list(message.blocks)) == []
    assert 0 < len(message.text) <= 4_000
    assert_harmless(message)


@given(digests(), st.booleans())
def test_slack_takes_every_message_of_every_digest(digest: Digest, is_preview: bool) -> None:
    parent = digest_message(digest, "/k8s", urls={"1.0": URL}, is_preview=is_preview)
    assert len(parent.blocks) <= PARENT_BLOCKS
    for message in (parent, *(rest_message(page) for page in rest_pages(digest))):
        assert_taken(message)
    for item in {id(item): item for item in digest.items}.values():
        assert_taken(item_message(item, digest.schedule))
        assert_taken(item_message(replace(item, state=ItemState.NEW), digest.schedule))
    if digest.items:
        assert_taken(urgent_message(digest))
        assert_taken(briefs_message(digest.items))

"""Normal log errors survive a restart, and are forgotten with age."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.baseline import SeenTemplate
from state.baselines import SqlBaselineStore
from state.database import Database
from tests.state.conftest import START

OWNER = ("prod", "shop", "Deployment", "payments")
LINE = SeenTemplate(OWNER, "no connection to <IP>", START, START, is_normal=False)
DAY = timedelta(days=1)


async def test_what_was_learned_is_there_again(database: Database) -> None:
    mark = replace(LINE, template="", is_normal=True)
    await SqlBaselineStore(database).save("prod", [LINE, mark], START)
    assert set(await SqlBaselineStore(database).load("prod")) == {LINE, mark}
    assert list(await SqlBaselineStore(database).load("test")) == []


async def test_a_line_keeps_its_first_time_and_takes_what_is_new(database: Database) -> None:
    store = SqlBaselineStore(database)
    await store.save("prod", [LINE], START)
    later = replace(LINE, first_seen=START + DAY, last_seen=START + DAY, is_normal=True)
    await store.save("prod", [later], START)
    (kept,) = await store.load("prod")
    assert kept == replace(later, first_seen=START)


async def test_what_was_not_seen_for_long_is_forgotten_in_its_cluster_alone(
    database: Database,
) -> None:
    store = SqlBaselineStore(database)
    elsewhere = replace(LINE, owner=("test", *OWNER[1:]))
    await store.save("prod", [LINE], START)
    await store.save("test", [elsewhere], START)
    new = replace(LINE, template="b", last_seen=START + DAY)
    await store.save("prod", [new], START + DAY)
    assert list(await store.load("prod")) == [new]
    assert list(await store.load("test")) == [elsewhere]


async def test_long_words_of_any_script_are_kept(database: Database) -> None:
    store = SqlBaselineStore(database)
    long = replace(LINE, template="ошибка " * 50, owner=(*OWNER[:3], "n" * 253))
    await store.save("prod", [long], START)
    assert list(await store.load("prod")) == [long]

"""How the search tells how far it has come, on a real embedded store."""

from __future__ import annotations

from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from bot.checks import search_check
from core.answers import PartState
from knowledge.ports import Point
from knowledge.store_edge import EdgeStore


async def test_the_search_tells_how_far_the_index_has_come(tmp_path: Path) -> None:
    store = await EdgeStore.open(tmp_path, "words", 3)
    check = search_check(store)
    assert (await check.look()).state is PartState.DEGRADED
    points = [
        Point(str(uuid5(NAMESPACE_URL, str(number))), f"text {number}", {}, None)
        for number in range(1_203)
    ]
    await store.upsert(points)
    look = await check.look()
    assert (look.state, look.detail) == (PartState.OK, "1,203 chunks, meaning 0 % indexed")
    await store.set_dense({point.id: (1.0, 0.0, 0.0) for point in points[:506]})
    assert (await check.look()).detail == "1,203 chunks, meaning 42 % indexed"
    assert "words alone" in (await search_check(store, has_meaning=False).look()).detail
    await store.set_dense({point.id: (1.0, 0.0, 0.0) for point in points[506:]})
    assert (await check.look()).detail == "1,203 chunks"
    await store.close()

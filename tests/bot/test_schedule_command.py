from __future__ import annotations

from datetime import timedelta

from bot.blocks.schedule import schedule_message
from bot.services import ScheduledDigest
from core.digests import SlotRecord
from tests.bot.bench import Bench, seen
from tests.bot.samples import HOSTILE, NOW

NEXT = NOW + timedelta(hours=1)


def _planned(name: str = "daily", **changes: object) -> ScheduledDigest:
    values: dict[str, object] = {
        "name": name,
        "channel": "COPS",
        "next_due": NEXT,
        "last": SlotRecord(NOW, NOW, "1.0", is_held=False),
        "teams": {},
    }
    return ScheduledDigest(**{**values, **changes})  # type: ignore[arg-type]  # keywords of one dataclass


async def test_the_schedules_are_told_with_their_next_run_in_the_readers_time(
    bench: Bench,
) -> None:
    bench.fakes.schedules.known = (
        _planned("weekly", next_due=NEXT + timedelta(days=3), channel="#leads"),
        _planned(teams={"orders": "CORDERS"}),
    )
    await bench.type("schedule")
    await bench.settle()
    text = seen(bench.ephemerals()[-1])
    assert f"*daily* in <#COPS>  ·  next <!date^{int(NEXT.timestamp())}^" in text
    assert "Parts of it go to <#CORDERS> (orders)" in text
    assert "*weekly* in #leads" in text
    assert text.index("daily") < text.index("weekly"), "the next one comes first"


def test_how_the_last_run_went_is_told() -> None:
    cases = {
        "posted": SlotRecord(NOW, NOW, "1.0", is_held=False),
        "nothing was posted": SlotRecord(NOW, NOW, "", is_held=False),
        "Being made": SlotRecord(NOW, None, "", is_held=True),
        "failed; it is tried again": SlotRecord(NOW, None, "", is_held=False),
        "Has not run yet": None,
    }
    for words, last in cases.items():
        assert words in schedule_message([_planned(last=last)]).text


def test_no_schedule_many_schedules_and_strange_names_are_told_as_well() -> None:
    assert "DIGEST_CHANNEL" in schedule_message([]).text
    many = schedule_message([_planned(f"n{number:02}", next_due=None) for number in range(60)])
    assert "and 40 more" in many.text
    assert "no next run" in many.text
    assert len(many.blocks) <= 50
    strange = schedule_message([_planned(channel=HOSTILE, teams={HOSTILE: HOSTILE})]).text
    assert "<!channel>" not in strange


def test_a_look_back_says_on_what_and_that_it_was_posted() -> None:
    last = SlotRecord(NOW, NOW, "", is_held=False)
    text = schedule_message([_planned("weekly", looks_back_on="daily", last=last)]).text
    assert "Looks back on a week of daily" in text
    assert "posted" in text
    assert "nothing was posted" not in text

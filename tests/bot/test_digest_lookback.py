from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.digest import digest_message
from core.lookback import LookBack, Offender, Tally
from sandbox.slack.blocks import check_message
from tests.bot.checks import assert_harmless, shown
from tests.bot.samples import HOSTILE, NOW, digest, finding, gap, look_back

QUIET = LookBack("daily", Tally(0, 0, 0, None), Tally(0, 0, 0, None))


def told(back: LookBack, **changes: object) -> str:
    return shown(digest_message(digest(look_back=back, **changes), "/k8s"))


def test_a_week_is_told_in_numbers_with_what_came_again_and_how_much_noise_it_was() -> None:
    counts = look_back().days
    built = digest_message(digest(look_back=look_back(), error_counts=counts), "/k8s")
    text = shown(built)
    assert built.blocks[0]["text"]["text"] == "The week: 9 new problems, 7 over, 2 still there"
    assert "⏱️ Half of them were over within *2 h* (the week before: 5 h)" in text
    assert "9 began, the week before 6, most from <!date^" in text
    assert "🔇 12,480 Warning Events (kept for 3 d) and 310 error lines became *5 problems*" in text
    (table,) = [block for block in built.blocks if block["type"] == "table"]
    assert [cell["text"] for cell in table["rows"][1]] == [
        "4×", "payments: OOMKilled, 14 restarts", "shop/payments", "9 h", "orders",
    ]  # fmt: skip
    assert "what the digest daily told, no model  ·  a picture of the days in the thread" in text
    assert "4× payments: OOMKilled" in built.text


def test_what_nobody_knows_is_left_out() -> None:
    text = told(
        look_back(
            now=Tally(1, 0, 1, None), offenders=(), warnings=0, warnings_window=None, log_lines=0
        )
    )
    assert "⏱️ None was over." in text
    assert "Nothing came again." in text
    assert "🔇" not in text
    assert "picture" not in text
    assert "the week before: " not in told(look_back(before=Tally(0, 0, 0, None)))


def test_a_quiet_week_is_one_line_unless_nobody_could_look() -> None:
    built = digest_message(digest(look_back=QUIET), "/k8s", is_preview=True)
    assert len(built.blocks) == 1
    assert built.text.startswith("✅ Preview: a quiet week")
    unseen = told(QUIET, gaps=(gap("past digests"),))
    assert "Could not look at past digests: no connection" in unseen
    assert "quiet" not in unseen


@given(st.text(max_size=200) | st.just(HOSTILE * 40), st.integers(0, 10**9))
def test_slack_takes_every_look_back(text: str, number: int) -> None:
    owner = replace(finding().owner, namespace=text, name=text)
    one = Offender(finding(title=text, owner=owner), number, timedelta(seconds=number), text)
    back = look_back(
        of=text, now=Tally(number, number, number, timedelta(seconds=number)), offenders=(one,) * 5,
        warnings=number, log_lines=number, days=((NOW, number),) * 7,
    )  # fmt: skip
    for built in (
        digest_message(digest(look_back=back, gaps=(gap(text),) * 3), "/k8s"),
        digest_message(digest(look_back=QUIET, gaps=(gap(text),) * 3), "/k8s"),
    ):
        assert check_message(list(built.blocks)) == []
        assert len(built.blocks) <= 15
        assert 0 < len(built.text) <= 4_000
        assert_harmless(built)

"""Answers wait for deliveries that are not confirmed yet, and not for ever."""

from __future__ import annotations

import asyncio

from bot.intake import Intake


async def test_answers_begin_when_the_last_delivery_is_confirmed() -> None:
    intake = Intake(patience_seconds=60)
    await intake.pause()
    with intake.confirming():
        with intake.confirming():
            begins = asyncio.create_task(intake.pause())
        await asyncio.sleep(0)
        assert not begins.done()
    await begins


async def test_a_crowd_without_an_end_holds_nothing_up_for_ever() -> None:
    intake = Intake(patience_seconds=0.01)
    with intake.confirming():
        await intake.pause()

"""Takes the pictures in the docs from the running demo: `make screenshots`. Needs Chromium."""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path

from playwright.async_api import Page, expect

from tests.chromium import open_chromium
from tests.e2e.program import running_demo

IMAGES = Path(__file__).parent / "images"


async def main() -> None:
    """An answer with its sources, a mention in a thread, two digests: one PNG each."""
    with tempfile.TemporaryDirectory() as folder:
        async with running_demo(Path(folder) / "data") as demo, open_chromium() as browser:
            page = await browser.new_page(
                viewport={"width": 1180, "height": 940}, device_scale_factor=1.5
            )
            await page.goto(demo.url)
            await _answer(page)
            await demo.mention("why is risk-engine crashing?")
            await _thread(page)
            second = re.compile(r"(new|regressed).*, \d+ ongoing")
            await demo.until(
                lambda: demo.read("messages", channel="ops"),
                lambda message: (
                    bool(message.get("metadata")) and bool(second.search(message["text"]))
                ),
                seconds=300,
            )
            await _digest(page)


async def _answer(page: Page) -> None:
    await page.set_viewport_size({"width": 1180, "height": 1900})
    await page.get_by_text("/k8s ask why does payments keep restarting?").click()
    await page.keyboard.press("Enter")
    await expect(page.locator("#messages")).to_contain_text("Sources", timeout=30_000)
    await page.wait_for_timeout(1000)
    answer = page.locator("#messages .message").last
    await answer.screenshot(path=IMAGES / "answer.png")
    await page.set_viewport_size({"width": 1180, "height": 940})


async def _thread(page: Page) -> None:
    await page.locator("#channels").get_by_text("incidents").click()
    await page.get_by_text(re.compile("1 reply")).click()
    await page.wait_for_timeout(1000)
    await page.screenshot(path=IMAGES / "thread.png")


async def _digest(page: Page) -> None:
    await page.locator("#thread-close").click()
    await page.locator("#channels").get_by_text("ops", exact=True).click()
    await page.wait_for_timeout(1500)
    await page.screenshot(path=IMAGES / "digest.png")


asyncio.run(main())

"""A person at the page: types, reads, clicks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.chromium import open_chromium
from tests.e2e.program import running_demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


async def test_a_newcomer_asks_shares_mentions_and_reads_the_digest(tmp_path: Path) -> None:
    async with running_demo(tmp_path / "data") as demo, open_chromium() as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(30_000)
        await page.goto(demo.url)
        await expect(page.locator("#connection")).to_contain_text("opsbot connected")

        await page.get_by_text("/k8s ask why does payments keep restarting?").click()
        await page.keyboard.press("Enter")
        messages = page.locator("#messages")
        await expect(messages).to_contain_text("OOMKilled", timeout=30_000)
        await expect(messages).to_contain_text("Only visible to you")
        await expect(messages).to_contain_text("Sources")
        await page.get_by_role("button", name="Share to channel").click()
        await expect(messages).to_contain_text("Asked by")

        await page.locator("#channels").get_by_text("incidents").click()
        await page.locator("#composer").get_by_role("textbox").fill("@opsbot who owns ledger?")
        await page.keyboard.press("Enter")
        await page.get_by_text(re.compile("1 reply")).click()
        await expect(page.locator("#thread-messages")).to_contain_text("trading", timeout=30_000)

        await page.locator("#channels").get_by_text("ops", exact=True).click()
        await expect(messages).to_contain_text("Digest:", timeout=30_000)
        await expect(messages.get_by_role("table").first).to_contain_text("shop/payments")

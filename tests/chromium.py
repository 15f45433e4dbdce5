"""A real Chromium for tests and for the pictures in the docs."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)


@asynccontextmanager
async def open_chromium() -> AsyncIterator[Browser]:
    """The machine's own Chromium, headless; without one the test is skipped by name."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()

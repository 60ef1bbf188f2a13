"""One real Chromium for the browser tier; every page keeps a picture of how it ended."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from bench.product import ROOT

SHOTS = ROOT / "test-artefacts/screenshots"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture
async def browse(request: pytest.FixtureRequest) -> AsyncIterator[Callable[..., Any]]:
    """`await browse(width=…, height=…, dark=…)`: a page of its own. A script's error in it fails the test."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name).strip("-")
    errors: list[str] = []
    pages: list[Page] = []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=ARGUMENTS
        )

        async def made(width: int = 1440, height: int = 900, *, dark: bool = False, **more: Any) -> Page:
            context = await chromium.new_context(
                viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", **more
            )
            page = await context.new_page()
            page.set_default_timeout(15_000)
            page.on("pageerror", lambda error: errors.append(f"page error: {error}"))
            page.on("request", lambda sent: foreign(sent.url, errors))
            pages.append(page)
            return page

        yield made
        for number, page in enumerate(pages):
            await page.screenshot(path=SHOTS / f"{name}-{number}.png")
        await chromium.close()
    assert not errors, errors


def foreign(url: str, errors: list[str]) -> None:
    if not re.match(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|data:|blob:|about:", url):
        errors.append(f"a request left this machine: {url}")


@pytest.fixture
def shots() -> Path:
    return SHOTS

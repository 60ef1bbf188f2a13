"""V1: frames that lesson 01's page drops while both shops are asked, against the same page while nobody asks."""

from __future__ import annotations

import asyncio
import itertools
import os
from typing import Any

from playwright.async_api import Page, async_playwright

from .product import Product
from .statistics_of import ratio
from .visitor import Visitor

LESSON = "01-one-or-many"
LOADS = ("crowd-mono", "crowd-micro")
FRAME_MS = 1000 / 60
SETTLES = 2.0  # seconds until what was begun or stopped is seen

# In the page: the times of all frames within so many milliseconds.
FRAMES = """
(ms) => new Promise((resolve) => {
  const at = [];
  const look = (now) => {
    at.push(now);
    if (now - at[0] < ms) requestAnimationFrame(look);
    else resolve(at);
  };
  requestAnimationFrame(look);
})
"""


def shown_and_dropped(at: list[float]) -> tuple[int, int]:
    """Of a screen's 60 frames a second: those that came, and those that a longer gap left out."""
    gaps = [after - before for before, after in itertools.pairwise(at)]
    return len(gaps), sum(max(0, round(gap / FRAME_MS) - 1) for gap in gaps)


async def duel_frames(product: Product, guest: Visitor, runs: int = 5, seconds: float = 7) -> dict[str, Any]:
    """Shares of frames that came, alternating; the probes' answers arrive on the idle page, too.

    `guest` has no sandbox yet; it is ended at the end.
    """
    guest.lesson = LESSON
    await guest.start()
    await guest.until(lambda _: guest.phase == "open", 90, "an open sandbox")
    asked: list[tuple[int, int]] = []
    idle: list[tuple[int, int]] = []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        context = await chromium.new_context(viewport={"width": 1440, "height": 900})
        await context.add_cookies(
            [{"name": c.key, "value": c.value, "url": product.base} for c in guest.session.cookie_jar]
        )
        page = await context.new_page()
        await page.goto(f"{product.base}/learn/{guest.course}/{LESSON}/")
        for _ in range(runs):
            idle.append(await frames(page, "Send", seconds))
            await asyncio.gather(*(guest.act("load", id=load) for load in LOADS))
            asked.append(await frames(page, "Stop", seconds))
            await asyncio.gather(*(guest.act("load", id=load, stop=True) for load in LOADS))
        await chromium.close()
    await guest.act("end")
    return {
        **ratio([share(one) for one in asked], [share(one) for one in idle]),
        "unit": "share of frames", "seconds": seconds, "dropped": [dropped for _, dropped in asked],
        "dropped_idle": [dropped for _, dropped in idle], "load": os.getloadavg()[0],
    }  # fmt: skip


def share(run: tuple[int, int]) -> float:
    shown, dropped = run
    return shown / (shown + dropped)


async def frames(page: Page, button: str, seconds: float) -> tuple[int, int]:
    """Once both shops show this button (Send or Send again: nobody asks; Stop: both are asked)."""
    await page.locator("#picture .load button").filter(has_text=button).nth(1).wait_for(timeout=30_000)
    await asyncio.sleep(SETTLES)
    return shown_and_dropped(await page.evaluate(FRAMES, seconds * 1000))

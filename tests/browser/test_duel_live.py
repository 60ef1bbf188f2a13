"""Lesson 01 on the real cluster: the stock stands still, and both ships go dark."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from bench.product import Product
from bench.visitor import LESSON
from tests.browser.story import open_sandbox, signed_in

pytestmark = pytest.mark.browser


async def test_a_part_that_hangs_darkens_both_shops_and_comes_back(
    product: Product, browse: Callable[..., Any], shots: Path
) -> None:
    page = await browse()
    await signed_in(page, product, "Captain")
    await page.goto(f"{product.base}/learn/{LESSON[0]}/01-one-or-many/")
    await page.get_by_role("button", name="Start", exact=True).click()
    await open_sandbox(page)
    picture = page.locator("#picture")
    for left in (1, 0):  # whoever sends has a button Stop instead
        await picture.get_by_role("button", name="Send", exact=True).first.click()
        await expect(picture.get_by_role("button", name="Send", exact=True)).to_have_count(left)
    await expect(picture.get_by_text("0 failed").first).to_be_visible(timeout=15_000)
    await page.screenshot(path=shots / "duel-live.png")

    for _ in range(2):
        await page.get_by_role("button", name="Next step").click()
        anyway = page.get_by_role("button", name=re.compile("anyway"))
        if await anyway.count():
            await anyway.first.click()
    await page.locator("[data-island=fault] button").first.click()
    await expect(picture.get_by_text("all 4 parts stop").first).to_be_visible(timeout=15_000)
    await expect(picture.get_by_text(re.compile(r"[23] of 4 parts? stop")).first).to_be_visible(
        timeout=15_000
    )
    await page.wait_for_timeout(6_000)
    await page.screenshot(path=shots / "duel-live-broken.png")

    # After its twenty seconds both are back, by nobody's hand.
    for shop in ("1 of 1 ready", "4 of 4 ready"):
        await expect(picture.get_by_text(shop).first).to_be_visible(timeout=40_000)
    await page.screenshot(path=shots / "duel-live-after.png")

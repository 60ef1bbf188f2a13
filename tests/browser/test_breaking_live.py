"""The menu "Break something" and a question, by hand on the real cluster."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from bench.product import Product
from bench.visitor import LESSON
from tests.browser.story import PATH, open_sandbox, signed_in, tab_to, verdict

pytestmark = pytest.mark.browser


async def test_a_fault_of_the_menu_is_real_and_ends_by_itself(
    product: Product, browse: Callable[..., Any], shots: Path
) -> None:
    page = await browse()
    await signed_in(page, product, "Breaker")
    await page.goto(f"{product.base}{PATH}")
    await page.get_by_role("button", name="Start", exact=True).click()
    await open_sandbox(page)

    button = page.locator(".break button")
    await expect(button).to_have_text("Break something")
    await button.click()
    menu = page.get_by_role("dialog", name="Break something")
    await expect(menu.get_by_role("button", name="Drain")).to_have_attribute("aria-disabled", "true")
    await expect(menu).to_contain_text("No controller owns it: nothing makes another.")
    await menu.get_by_role("button", name="Make it hang").click()
    await page.screenshot(path=shots / "menu-live.png")
    await menu.locator("footer").get_by_role("button", name="Make it hang").click()
    await expect(menu).to_be_hidden(timeout=15_000)

    # It is started, customers feel it, and after its time it is over without anybody's hand.
    await expect(button).to_have_text(re.compile(r"Broken, \d+ s left"), timeout=15_000)
    await expect(page.get_by_role("button", name=re.compile(r"Visitors: .* [1-9]\d* failed"))).to_be_visible()
    await page.screenshot(path=shots / "menu-live-broken.png")
    await expect(button).to_have_text("Break something", timeout=60_000)


async def test_a_question_is_ordered_by_keys_and_marked_at_once(
    product: Product, browse: Callable[..., Any], shots: Path
) -> None:
    page = await browse()
    await signed_in(page, product, "Historian")
    await page.goto(f"{product.base}/learn/{LESSON[0]}/12-first-app/")
    await page.get_by_role("button", name="Start", exact=True).click()
    await open_sandbox(page)
    asked = page.locator(".gh-answer", has_text="the oldest first")
    for system in ("Kubernetes", "Omega", "Borg"):  # each to the top, the oldest at last
        up = asked.get_by_role("button", name=f"Move up: {system}")
        await tab_to(page, up)
        for _ in range(2):
            await page.keyboard.press("Enter")
    await asked.get_by_role("button", name="Answer").click()
    await expect(asked).to_contain_text("The same order.", timeout=15_000)
    await page.screenshot(path=shots / "question-live.png")
    await expect(verdict(page, "You know where it came from", "passed")).to_be_visible(timeout=15_000)

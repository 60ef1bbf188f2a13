"""The lesson on a phone with a live sandbox: by touch, 390 px wide, nothing cut off and nothing too small to hit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from bench.product import Product
from tests.browser.story import (
    faults_found_by_axe,
    no_sideways,
    open_sandbox,
    right_file,
    signed_in,
    the_lesson,
    verdict,
)

pytestmark = pytest.mark.browser
PHONE = {"has_touch": True, "is_mobile": True, "device_scale_factor": 2}
TOO_SMALL = """() => {
  const aims = 'button, a[href], summary, [role=tab], [data-key^="pod/"]';
  // In running text and on the timeline a target may be as small as its letters and marks.
  const free = 'p, .track, .lesson-scroll li, .visually-hidden, .skip';
  return [...document.querySelectorAll(aims)]
    .filter((one) => one.checkVisibility({contentVisibilityAuto: true}) && !one.closest(free))
    .map((one) => ({ one, box: one.getBoundingClientRect() }))
    .filter(({ box }) => box.width > 1 && box.top >= 0 && box.bottom <= innerHeight)
    .filter(({ box }) => box.height < 28 || box.width < 24)
    .map(({ one, box }) => `${one.ariaLabel ?? one.textContent} ${box.width} x ${box.height}`);
}"""


async def tab(page: Page, name: str) -> None:
    await page.get_by_role("navigation", name="Panes").get_by_role("button", name=name).tap()


async def test_the_story_by_touch(product: Product, browse: Callable[..., Any], shots: Path) -> None:
    page = await browse(390, 844, **PHONE)
    await signed_in(page, product, "On a phone")
    await no_sideways(page)
    await the_lesson(page).tap()
    await page.get_by_role("button", name="Start", exact=True).tap()
    await open_sandbox(page)
    await no_sideways(page)
    await page.screenshot(path=shots / "phone-1-open.png")
    assert await page.evaluate(TOO_SMALL) == []

    # A tapped Pod shows its card whole, with its question, and goes.
    await page.locator('[data-key^="pod/"]').first.tap()
    card = page.get_by_role("dialog")
    await card.get_by_role("button", name="Delete").tap()
    sure = card.get_by_role("button", name="Delete", exact=True)
    await expect(sure).to_be_in_viewport(ratio=1)
    await page.screenshot(path=shots / "phone-2-card.png")
    await sure.tap()
    await expect(page.locator('[data-key^="pod/"]')).to_have_count(0, timeout=20_000)

    await page.get_by_role("button", name="Next step").tap()
    await page.get_by_role("button", name="Open shop.yaml").tap()
    await expect(page.locator(".cm-content")).to_be_in_viewport()
    await page.locator(".cm-content").tap()
    await page.keyboard.press("Control+a")
    await page.keyboard.insert_text(await right_file(page))
    await page.screenshot(path=shots / "phone-3-editor.png")
    await page.get_by_role("button", name="Apply", exact=True).tap()
    await expect(page.get_by_text("Applied:")).to_be_visible(timeout=20_000)
    await tab(page, "Checks")
    await expect(verdict(page, "The wanted number is ready", "passed")).to_be_visible(timeout=90_000)
    await page.screenshot(path=shots / "phone-4-checks.png")

    await tab(page, "Lesson")
    await page.get_by_role("button", name="Next step").tap()
    await page.get_by_label("A new Pod in its place").tap()
    await page.get_by_role("button", name="Lock it").tap()
    await page.get_by_role("button", name="Delete one Pod").tap()
    await expect(page.get_by_text("Deleted.").first).to_be_visible(timeout=15_000)
    await no_sideways(page)
    await page.screenshot(path=shots / "phone-5-killed.png")
    await tab(page, "Checks")
    await expect(verdict(page, "Full strength again", "passed")).to_be_visible(timeout=60_000)
    await verdict(page, "Full strength again", "passed").tap()
    back = page.get_by_role("button", name="Back to live")
    await expect(back).to_be_visible()
    await page.screenshot(path=shots / "phone-6-moment.png")
    await back.tap()
    await expect(page.get_by_text("LIVE", exact=True).first).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_axe_and_terminal_on_the_phone(
    product: Product, browse: Callable[..., Any], shots: Path, dark: bool
) -> None:
    page = await browse(390, 844, dark=dark, reduced_motion="reduce", **PHONE)
    await signed_in(page, product, f"Phone axe {'dark' if dark else 'light'}")
    await the_lesson(page).tap()
    await page.get_by_role("button", name="Start", exact=True).tap()
    await open_sandbox(page)
    await page.wait_for_timeout(1500)
    assert await faults_found_by_axe(page) == []
    await tab(page, "Terminal")
    await page.locator(".xterm").tap()
    await page.keyboard.type("kubectl get pods\n")
    await expect(page.locator(".xterm-rows")).to_contain_text("storefront", timeout=15_000)
    await page.screenshot(path=shots / f"phone-terminal-{'dark' if dark else 'light'}.png")
    assert await faults_found_by_axe(page) == []
    await no_sideways(page)

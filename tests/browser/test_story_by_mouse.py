"""The whole first lesson with the mouse, on the real cluster; and terminal, offline, dark and narrow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from bench.product import Product
from bench.visitor import LESSON
from tests.browser.story import PATH, right_file, signed_in, the_lesson, verdict

pytestmark = pytest.mark.browser


async def started(page: Page) -> None:
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.get_by_role("button", name="Hand in").first).to_be_visible(timeout=60_000)


async def next_step(page: Page) -> None:
    await page.get_by_role("button", name="Next step").click()
    anyway = page.get_by_role("button", name="Go on anyway")
    if await anyway.is_visible():
        await anyway.click()


async def mend_the_shop(page: Page) -> None:
    """Open the file, ask for three or four, add the probe, apply."""
    await page.get_by_role("tab", name="shop.yaml").click()
    editor = page.locator(".cm-content")
    await expect(editor).to_contain_text("replicas")
    await editor.click()
    await page.keyboard.press("Control+a")
    await page.keyboard.insert_text(await right_file(page))
    await page.keyboard.press("Control+Enter")


async def test_the_whole_story_with_the_mouse(
    product: Product, browse: Callable[..., Any], shots: Path
) -> None:
    page = await browse()
    await signed_in(page, product, "Mouse")
    await the_lesson(page).click()
    await expect(page.get_by_text("RECORDED").first).to_be_visible()
    await page.screenshot(path=shots / "1-recorded.png")
    await started(page)
    await expect(page.get_by_text("LIVE", exact=True).first).to_be_visible()

    # Delete the bare Pod with a click; the picture asks once and names the command.
    await page.locator('[data-key^="pod/"]').first.click()
    card = page.get_by_role("dialog")
    await card.get_by_role("button", name="Delete").click()
    await expect(card).to_contain_text("kubectl delete pod storefront")
    await page.screenshot(path=shots / "2-card.png")
    await card.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.locator('[data-key^="pod/"]')).to_have_count(0, timeout=20_000)

    await next_step(page)
    await mend_the_shop(page)
    await expect(verdict(page, "The wanted number is ready", "passed")).to_be_visible(timeout=60_000)
    await page.screenshot(path=shots / "3-ready.png")

    await page.get_by_role("button", name="Next step").click()
    await page.get_by_label("A new Pod in its place").check()
    await page.get_by_role("button", name="Lock it").click()
    await page.get_by_role("button", name="Delete one Pod").click()
    await page.wait_for_timeout(1500)
    await page.screenshot(path=shots / "4-killed.png")
    await expect(verdict(page, "Full strength again", "passed")).to_be_visible(timeout=60_000)
    await page.screenshot(path=shots / "5-back.png")
    # A verdict leads to the moment that decided it; one key leads back.
    await verdict(page, "Full strength again", "passed").click()
    await expect(page.get_by_text("RECORDED").first).to_be_visible()
    await page.screenshot(path=shots / "6-moment.png")
    await page.keyboard.press("End")
    await expect(page.get_by_text("LIVE", exact=True).first).to_be_visible()
    await expect(page.get_by_text("14 of 14 points").filter(visible=True).first).to_be_visible(
        timeout=150_000
    )
    await page.screenshot(path=shots / "7-marked.png")


async def test_the_terminal_speaks_to_the_students_namespace_alone(
    product: Product, browse: Callable[..., Any]
) -> None:
    page = await browse()
    await signed_in(page, product, "Typist")
    await page.goto(product.base + PATH)
    await started(page)
    await page.get_by_role("tab", name="Terminal").click()
    await page.locator(".xterm").click()
    await page.keyboard.type("kubectl get pods\n")
    rows = page.locator(".xterm-rows")
    await expect(rows).to_contain_text("storefront", timeout=15_000)
    await expect(rows).to_contain_text("Running")
    await page.keyboard.type("kubectl get pods -n kube-system; echo over-$((40+2))\n")
    await expect(rows).to_contain_text("over-42", timeout=15_000)
    await expect(rows).to_contain_text("orbidden")
    # The page comes back after a reload with what was on the screen.
    await page.reload()
    await page.get_by_role("tab", name="Terminal").click()
    await expect(page.locator(".xterm-rows")).to_contain_text("over-42", timeout=15_000)


async def test_offline_for_half_a_minute_then_it_goes_on(
    product: Product, browse: Callable[..., Any]
) -> None:
    page = await browse()
    await signed_in(page, product, "Commuter")
    await page.goto(product.base + PATH)
    await started(page)
    await page.context.set_offline(True)
    await page.evaluate("dispatchEvent(new Event('offline'))")
    await expect(page.get_by_text("Last news").first).to_be_visible(timeout=20_000)
    await page.wait_for_timeout(15_000)
    await page.context.set_offline(False)
    await expect(page.get_by_text("LIVE", exact=True).first).to_be_visible(timeout=15_000)


@pytest.mark.parametrize(
    ("width", "height", "dark"), [(1440, 900, True), (390, 844, False), (390, 844, True)]
)
async def test_it_looks_right_dark_and_narrow(
    product: Product, browse: Callable[..., Any], shots: Path, width: int, height: int, dark: bool
) -> None:
    page = await browse(width, height, dark=dark)
    await signed_in(page, product, "Night owl")
    await page.goto(product.base + PATH)
    await page.wait_for_timeout(1500)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "the page scrolls sideways"
    )
    await page.screenshot(path=shots / f"lesson-{width}-{'dark' if dark else 'light'}.png")
    await page.goto(product.base + f"/learn/{LESSON[0]}/")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "the page scrolls sideways"
    )
    await page.screenshot(path=shots / f"home-{width}-{'dark' if dark else 'light'}.png")

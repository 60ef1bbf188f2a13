"""The whole first lesson without a mouse, on the real cluster: every step by keys that the page's own help names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from bench.product import Product
from tests.browser.story import (
    COMMENT,
    PROBE,
    faults_found_by_axe,
    open_sandbox,
    pane,
    signed_in,
    tab_to,
    the_lesson,
    verdict,
    wanted_replicas,
)

pytestmark = pytest.mark.browser


async def find_pod(page: Page, name: str) -> None:
    """`/`, some letters, Enter: the Pod is chosen and has the focus."""
    await page.keyboard.press("/")
    await expect(page.get_by_role("combobox")).to_be_focused()
    await page.keyboard.type(f"pod {name}")
    await page.keyboard.press("Enter")
    await expect(page.locator('[data-key^="pod/"]:focus')).to_have_count(1)


async def delete_chosen_pod(page: Page) -> None:
    """K asks once and names the command; Enter says yes."""
    await page.keyboard.press("k")
    card = page.get_by_role("dialog")
    await expect(card).to_contain_text("kubectl delete pod storefront")
    await expect(card.get_by_role("button", name="Delete", exact=True)).to_be_focused()
    await page.keyboard.press("Enter")


async def next_step(page: Page, title: str) -> None:
    """`]`, twice where the page asks whether to go on unfinished."""
    heading = page.locator(".step.now h2").first
    await page.keyboard.press("]")
    if await heading.inner_text() != title:
        await page.keyboard.press("]")
    await expect(heading).to_have_text(title)


async def mend_the_file(page: Page) -> None:
    """As a person types it: the number on its line, the probe in place of the last line."""
    await tab_to(page, page.get_by_role("button", name="Open shop.yaml"))
    await page.keyboard.press("Enter")
    await expect(page.locator(".cm-content")).to_be_focused()
    await page.keyboard.press("End")
    await page.keyboard.press("Backspace")
    await page.keyboard.type(str(await wanted_replicas(page)))
    await page.keyboard.press("Control+End")
    if not (await page.locator(".cm-line").last.inner_text()).strip():
        await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Home")
    await page.keyboard.press("Home")
    await page.keyboard.press("Shift+End")
    await page.keyboard.insert_text(PROBE)
    await expect(page.locator(".cm-content")).to_contain_text("readinessProbe: {httpGet")
    await expect(page.locator(".cm-content")).not_to_contain_text(COMMENT.strip())
    await page.keyboard.press("Control+Enter")


async def test_the_whole_story_without_a_mouse(
    product: Product, browse: Callable[..., Any], shots: Path
) -> None:
    page = await browse()
    await signed_in(page, product, "Keys alone")
    await tab_to(page, the_lesson(page))
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("RECORDED").first).to_be_visible()
    await tab_to(page, page.get_by_role("button", name="Start", exact=True))
    await page.keyboard.press("Enter")
    await open_sandbox(page)

    # The Pod nobody watches: found, asked about once, deleted.
    await find_pod(page, "storefront")
    await delete_chosen_pod(page)
    await expect(page.locator('[data-key^="pod/"]')).to_have_count(0, timeout=20_000)

    await pane(page, "lesson")
    await next_step(page, "Say what you want, not what to do")
    await mend_the_file(page)
    await expect(verdict(page, "The wanted number is ready", "passed")).to_be_visible(timeout=90_000)
    await page.screenshot(path=shots / "keyboard-1-ready.png")

    # Tab belongs to the editor; F6 leaves it.
    await pane(page, "checks")
    await pane(page, "lesson")
    await next_step(page, "Predict, then break it")
    choices, right = page.locator("#lesson input[type=radio]"), page.get_by_label("A new Pod in its place")
    await tab_to(page, choices.first)
    for _ in range(await choices.count()):  # each student has them in another order
        await page.keyboard.press("ArrowDown")
        if await right.is_checked():
            break
    await expect(right).to_be_checked()
    await tab_to(page, page.get_by_role("button", name="Lock it"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Your prediction, locked")).to_be_visible()

    # Any Pod by arrows, not by name: from the bridge to a hold and up to the Pod in it.
    await pane(page, "picture")
    await tab_to(page, page.locator(".gh-sheet [data-key][tabindex='0']"), most=12)
    for _ in range(6):
        if await page.locator('[data-key^="pod/"]:focus').count():
            break
        await page.keyboard.press("ArrowRight")
    before = await page.locator('[data-key^="pod/"]').count()
    await delete_chosen_pod(page)
    await expect(verdict(page, "Full strength again", "passed")).to_be_visible(timeout=60_000)
    await expect(page.locator('[data-key^="pod/"].is-ready')).to_have_count(before, timeout=30_000)

    # The verdict leads to its moment, one key back to now.
    row = verdict(page, "Full strength again", "passed")
    await pane(page, "checks")
    await tab_to(page, row, most=20)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("RECORDED").first).to_be_visible()
    await page.keyboard.press("End")
    await expect(page.get_by_text("LIVE", exact=True).first).to_be_visible()
    # With every check passed the platform tests once itself and the mark comes without a key.
    await expect(page.get_by_text("14 of 14 points").filter(visible=True).first).to_be_visible(
        timeout=150_000
    )
    await page.screenshot(path=shots / "keyboard-2-marked.png")


async def test_every_pane_and_the_way_out_of_the_terminal(
    product: Product, browse: Callable[..., Any]
) -> None:
    page = await browse()
    await signed_in(page, product, "Keys and panes")
    await tab_to(page, the_lesson(page))
    await page.keyboard.press("Enter")
    await tab_to(page, page.get_by_role("button", name="Start", exact=True))
    await page.keyboard.press("Enter")
    await open_sandbox(page)
    for name in ("picture", "strip", "bench", "checks", "lesson"):
        await pane(page, name)
    await pane(page, "bench")
    await expect(page.locator(".xterm-helper-textarea")).to_be_focused()
    await page.keyboard.type("kubectl get po\t")
    await expect(page.locator(".xterm-helper-textarea")).to_be_focused()
    await page.keyboard.press("F6")
    await expect(page.locator(".xterm-helper-textarea")).not_to_be_focused()
    # Help opens and closes, and `/` ends where it began.
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_contain_text("find an object")
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("combobox")).to_have_count(0)
    # The same picture as text, and back.
    await page.keyboard.press("t")
    await expect(page.get_by_text("Pod storefront on")).to_be_visible()
    await page.keyboard.press("t")
    await expect(page.locator('[data-key^="pod/"]')).to_have_count(1)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_axe_finds_nothing_on_the_live_page(
    product: Product, browse: Callable[..., Any], dark: bool
) -> None:
    page = await browse(dark=dark, reduced_motion="reduce")
    await signed_in(page, product, f"Axe {'dark' if dark else 'light'}")
    await the_lesson(page).click()
    await page.get_by_role("button", name="Start", exact=True).click()
    await open_sandbox(page)
    await page.wait_for_timeout(1500)
    assert await faults_found_by_axe(page) == []
    await page.get_by_role("tab", name="shop.yaml").click()
    await page.locator('[data-key^="pod/"]').first.click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.wait_for_timeout(500)
    assert await faults_found_by_axe(page) == []

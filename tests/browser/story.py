"""Words of the first lesson's story that the browser tests share: sign in, start, the right file, a verdict, axe."""

from __future__ import annotations

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, Page, expect

from bench.product import ROOT, Product
from bench.visitor import LESSON

PATH = f"/learn/{LESSON[0]}/{LESSON[1]}/"
GIVEN = ROOT / "lessons" / LESSON[0] / LESSON[1] / "files/shop.yaml"
PROBE = "          readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}"
COMMENT = '          # the readinessProbe goes here, in line with "ports"'


async def signed_in(page: Page, product: Product, name: str, role: str = "student") -> None:
    await page.goto(product.signin(role, name=name))


def the_lesson(page: Page) -> Locator:
    """The way to this lesson from the course's page, which may open with another."""
    return page.locator(f'a[href="{PATH}"]').filter(visible=True).first


async def wanted_replicas(page: Page) -> int:
    """How many copies this student's variant of the lesson asks for."""
    return await page.evaluate(
        "JSON.parse(document.getElementById('lesson-data').textContent).params.replicas"
    )


async def right_file(page: Page) -> str:
    """The lesson's file with the wanted number and the probe, as a student would leave it."""
    given = GIVEN.read_text()
    assert COMMENT in given
    assert "replicas: 1" in given
    return given.replace("replicas: 1", f"replicas: {await wanted_replicas(page)}").replace(COMMENT, PROBE)


def verdict(page: Page, say: str, word: str) -> Locator:
    """The line of a check in the pane of checks, once its word is `word`."""
    return page.locator("#checks .row").filter(has_text=say).filter(has_text=word)


async def faults_found_by_axe(page: Page) -> list[str]:
    """Serious and critical findings of axe on the page as it is now, one line each."""
    results = await Axe().run(page, options={"resultTypes": ["violations"]})
    return [
        f"{found['id']}: {node['target']} {node.get('failureSummary', '')}"
        for found in results.response["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


async def has_focus(target: Locator) -> bool:
    return await target.count() > 0 and await target.first.evaluate("one => one === document.activeElement")


async def tab_to(page: Page, target: Locator, *, most: int = 80, key: str = "Tab") -> None:
    """Press Tab until `target` has the focus: proves that it is in reach without a mouse."""
    for _ in range(most):
        if await has_focus(target):
            return
        await page.keyboard.press(key)
    raise AssertionError(f"{most} times {key} never reached {target}")


async def pane(page: Page, name: str) -> None:
    """F6 until the focus is in that pane."""
    inside = "id => document.getElementById(id).contains(document.activeElement)"
    for _ in range(8):
        if await page.evaluate(inside, name):
            return
        await page.keyboard.press("F6")
    raise AssertionError(f"F6 never reached the pane {name}")


async def no_sideways(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "the page scrolls sideways"
    )


async def open_sandbox(page: Page) -> None:
    """From Start pressed to an open try."""
    await expect(page.get_by_role("button", name="Hand in").first).to_be_visible(timeout=60_000)

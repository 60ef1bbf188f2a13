"""An instructor and students in browsers of their own: joining, the live table, a student's page, marks."""

from __future__ import annotations

import csv
import io
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from bench.product import Product
from bench.visitor import LESSON, Refused, visitor

pytestmark = pytest.mark.browser
CLASS = f"/class/{LESSON[0]}/"
PAGE = f"/learn/{LESSON[0]}/{LESSON[1]}/"
FORMULA = '=HYPERLINK("http://203.0.113.1")'


def unique(name: str) -> str:
    """The product may have lived through this test before."""
    return f"{name} {secrets.token_hex(3)}"


def row_of(page: Page, name: str) -> Locator:
    return page.locator("#class-table tbody tr").filter(has=page.get_by_role("rowheader", name=name))


async def class_page(page: Page, product: Product) -> None:
    await page.goto(product.signin("instructor", name=unique("Ines")))
    await page.goto(product.base + CLASS)
    await expect(page.locator("#class-live")).to_have_text("LIVE", timeout=20_000)


async def joined(page: Page, product: Product, name: str) -> str:
    """Through the form, as a student does; the personal link."""
    await page.goto(product.base)
    await page.get_by_label("Class code").fill(product.manage("classcode").strip().splitlines()[-1].lower())
    await page.get_by_label("Your name").fill(name)
    await page.get_by_role("button", name="Join the class").click()
    return await page.get_by_label("Your personal link").input_value()


async def started(page: Page, product: Product) -> None:
    await page.goto(product.base + PAGE)
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.get_by_role("button", name="Hand in")).to_be_visible(timeout=60_000)


async def test_a_student_joins_comes_back_and_is_seen_at_work(
    product: Product, browse: Callable[..., Any], shots: Path
) -> None:
    teacher, student, elsewhere = await browse(), await browse(), await browse(width=390, height=844)
    await class_page(teacher, product)
    name = unique("Amina")
    link = await joined(student, product, name)
    row = row_of(teacher, name)
    await expect(row).to_contain_text("not started yet", timeout=20_000)  # without a reload

    await elsewhere.goto(link)  # another browser, the same person
    await elsewhere.locator("summary.avatar").click()
    await expect(elsewhere.locator("details.me b")).to_have_text(name)

    await started(student, product)
    await expect(row).to_contain_text("step 1 of", timeout=10_000)
    await expect(row).to_contain_text("working")
    await expect(row).to_contain_text("here now")
    await student.get_by_role("button", name="Next step").click()
    anyway = student.get_by_role("button", name="Go on anyway")
    if await anyway.is_visible():
        await anyway.click()
    await expect(row).to_contain_text("step 2 of", timeout=10_000)
    await teacher.screenshot(path=shots / "instructor-class.png")
    await student.goto("about:blank")
    await elsewhere.goto("about:blank")
    await expect(row).to_contain_text("a moment ago", timeout=10_000)


async def test_an_instructor_looks_at_a_students_page_and_changes_nothing(
    product: Product, browse: Callable[..., Any], shots: Path
) -> None:
    teacher, student = await browse(), await browse()
    await class_page(teacher, product)
    name = unique("Ben")
    await joined(student, product, name)
    await started(student, product)
    await row_of(teacher, name).get_by_role("link", name=f"Open {name}'s page, read-only").click()
    await expect(teacher.locator(".banner")).to_contain_text(f"You are looking at {name}'s page")
    pods = teacher.locator('#picture [data-key^="pod/"]')
    await expect(pods).to_have_count(1, timeout=15_000)
    await teacher.screenshot(path=shots / "instructor-looking-on.png")
    for label in ("Hand in", "Apply", "Start", "Reset", "Delete one Pod", "Lock it"):
        buttons = teacher.get_by_role("button", name=label, exact=True)
        for number in range(await buttons.count()):
            await expect(buttons.nth(number)).to_be_disabled()

    # The student's act shows on the instructor's page by itself.
    await student.locator('#picture [data-key^="pod/"]').first.click()
    card = student.get_by_role("dialog")
    await card.get_by_role("button", name="Delete").click()
    await card.get_by_role("button", name="Delete", exact=True).click()
    await expect(pods).to_have_count(0, timeout=20_000)

    # Behind the buttons every action is refused too.
    sandbox = re.search(r"as=([0-9a-f-]{36})", teacher.url)
    assert sandbox
    refused = await teacher.evaluate(
        """async ([id, actions]) => {
          const page = JSON.parse(document.getElementById("lesson-data").textContent);
          const answers = {};
          for (const action of actions) {
            const answer = await fetch(`/api/sandboxes/${id}/${action}`, {
              method: "POST", body: "{}",
              headers: {"X-CSRFToken": page.csrf, "Content-Type": "application/json"},
            });
            answers[action] = answer.status;
          }
          return answers;
        }""",
        [sandbox[1], ACTIONS],
    )
    assert refused == dict.fromkeys(ACTIONS, 403)


ACTIONS = [
    "predict", "fault", "delete-pod", "submit", "restart", "reset", "extend", "hint", "apply", "save", "end",
]  # fmt: skip


async def test_another_student_sees_nothing_of_the_first(
    product: Product, browse: Callable[..., Any]
) -> None:
    name = unique("Cleo")
    async with visitor(product.signin(name=name)) as first, visitor(product.signin(name="Eve")) as second:
        sandbox = await first.start()
        await first.until(lambda items: "attempt/now" in items, 60, "the start")
        await second.page_data()
        for path in (CLASS, CLASS + "marks.csv", f"{PAGE}?as={sandbox}", f"/api/sandboxes/{sandbox}/history"):
            with pytest.raises(Refused) as refusal:
                await second.get(path)
            assert refusal.value.status == 403, path
            assert name not in str(refusal.value)
        for action in ACTIONS:
            with pytest.raises(Refused) as refusal:
                await second.post(f"/api/sandboxes/{sandbox}/{action}")
            assert refusal.value.status == 403, action
        for socket in (f"sandbox/{sandbox}", f"terminal/{sandbox}", f"class/{LESSON[0]}"):
            address = product.base.replace("http", "ws", 1) + f"/ws/{socket}/"
            async with second.session.ws_connect(address, headers={"Origin": product.base}) as opened:
                frames = [message.json() async for message in opened]
            assert [frame["f"] for frame in frames] == ["bye"], socket
            assert opened.close_code == 4003, socket


async def test_marks_open_in_a_spreadsheet_and_run_nothing(product: Product) -> None:
    name = f"{FORMULA}{secrets.token_hex(3)}"
    async with visitor(product.signin(name=name)) as student:
        await student.start()
        await student.until(
            lambda items: items.get("attempt/now", {}).get("state") == "running", 60, "the start"
        )
        await student.act("submit")
        await student.until(
            lambda items: items.get("attempt/now", {}).get("state") == "marked", 180, "the mark"
        )
        shown = student.items["attempt/now"]
    async with visitor(product.signin("instructor", name="Ines")) as teacher:
        text = await teacher.get(CLASS + "marks.csv")
    assert text.startswith("﻿")
    (line,) = [row for row in csv.DictReader(io.StringIO(text[1:])) if row["student"] == f"'{name}"]
    assert (float(line["points"]), float(line["of"])) == (shown["points"], shown["of"])
    checks = [line[column] for column in line if column.startswith(f"{LESSON[1]}/")]
    assert sum(float(points) for points in checks if points) == shown["points"]


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (1440, True), (390, False)])
async def test_the_class_page_fits_and_reads(
    product: Product, browse: Callable[..., Any], shots: Path, width: int, dark: bool
) -> None:
    from axe_playwright_python.async_playwright import Axe

    async with visitor(product.signin(name=unique("A student with a rather long name, second of it"))) as one:
        await one.start()
        page = await browse(width=width, dark=dark)
        await class_page(page, product)
        await page.screenshot(path=shots / f"instructor-{width}{'-dark' if dark else ''}.png", full_page=True)
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0
        found = await Axe().run(page)
        assert found.violations_count == 0, found.generate_report()

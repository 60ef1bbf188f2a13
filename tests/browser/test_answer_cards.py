"""Predictions, questions, the menu and loads in a browser: the dev page of `frontend/dev/`, built once per run.

Its server is made up (`dev.ts`): it keeps what the page sends in `window.posted` and answers with an outcome.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

FRONTEND = Path(__file__).parents[2] / "frontend"
SHOTS = Path(__file__).parents[2] / "test-artefacts/screenshots"
CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium: apt-get install chromium"),
    pytest.mark.skipif(not (FRONTEND / "node_modules").is_dir(), reason="needs npm ci in frontend/"),
]

Open = Callable[..., Page]
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
ALL_ASKED = 9  # cards of the step "Everything that can be asked"


class _Quiet(SimpleHTTPRequestHandler):
    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Says nothing: the test run's output is for the tests."""


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the built dev page."""
    out = tmp_path_factory.mktemp("dev")
    config = ["--config", "dev/vite.config.ts", "--outDir", str(out), "--logLevel", "error"]
    subprocess.run(["npx", "vite", "build", *config], cwd=FRONTEND, check=True, timeout=110)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(out)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/index.html"
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def show(dev: str, browser: Browser) -> Iterator[Open]:
    """Opens the step with all cards in a state; fails the test when the page threw."""
    wrong: list[str] = []
    pages: list[Page] = []

    def open_page(state: str, *, theme: str = "light", step: str = "asked", **context: Any) -> Page:
        page = browser.new_page(**{"viewport": WIDE, **context})
        pages.append(page)
        page.set_default_timeout(8_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{dev}?state={state}&theme={theme}#step-{step}")
        page.wait_for_selector(".break button")
        return page

    yield open_page
    for page in pages:
        page.close()
    assert wrong == []


def card(page: Page, ask: str) -> Locator:
    return page.locator(".gh-answer", has_text=ask)


def posted(page: Page) -> list[Any]:
    sent: list[Any] = page.evaluate("window.posted")
    return sent


def lock(page: Page, asked: Locator) -> Any:
    """Locks the card, waits until it says so, and gives the value that was sent."""
    asked.get_by_role("button", name="Lock it").or_(asked.get_by_role("button", name="Answer")).click()
    expect(asked).to_contain_text("you said")
    action, body = posted(page)[-1]
    assert action in ("predict", "answer")
    return body["value"]


def test_a_number_and_a_time_are_typed_as_people_write_them(show: Open) -> None:
    page = show("asked")
    time = card(page, "How long until")
    field = time.get_by_role("textbox")
    field.fill("soon")
    expect(time).to_contain_text("For example 12 s")
    expect(time.get_by_role("button", name="Lock it")).to_be_disabled()
    field.fill("1 min 30 s")
    expect(time).to_contain_text("1 min 30 s")
    assert lock(page, time) == 90
    expect(time.get_by_role("img")).to_have_accessible_name("You said 1 min 30 s. observed: 13.6 s.")
    lost = card(page, "How many requests")
    lost.get_by_role("textbox").fill("0")
    assert lock(page, lost) == 0
    expect(lost).to_contain_text("You said 0 requests. Observed: 2 requests.")


def test_a_set_is_ticked_and_none_of_these_is_an_answer(show: Open) -> None:
    page = show("asked")
    asked = card(page, "Which Pods are replaced")
    asked.get_by_label("storefront").check()
    asked.get_by_label("None of these").check()
    expect(asked.get_by_label("storefront")).not_to_be_checked()
    asked.get_by_label("monolith").check()
    expect(asked.get_by_label("None of these")).not_to_be_checked()
    asked.get_by_label("stock").check()
    assert sorted(lock(page, asked)) == ["monolith", "stock"]
    expect(asked.locator(".option", has_text="monolith")).to_contain_text("observed")
    expect(asked.locator(".option", has_text="stock")).not_to_contain_text("observed")


def test_a_match_wants_every_pair_and_counts_them(show: Open) -> None:
    page = show("asked")
    asked = card(page, "The stock part hangs")
    asked.get_by_role("group", name="Monolith").get_by_label("Everything").check()
    expect(asked.get_by_role("button", name="Lock it")).to_be_disabled()
    asked.get_by_role("group", name="Microservices").get_by_label("Nothing").check()
    assert lock(page, asked) == {"mono": "everything", "micro": "nothing"}
    expect(asked).to_contain_text("1 of 2 agree.")
    expect(asked).to_contain_text("The storefront waits for stock without a limit")


def test_an_order_is_made_by_keys_and_keeps_the_focus(show: Open) -> None:
    page = show("asked")
    asked = card(page, "What happens first")
    first = asked.get_by_role("button", name="Move up: Your request")
    first.focus()
    page.keyboard.press("Enter")
    expect(first).to_be_focused()
    expect(asked.locator("[aria-live]").first).to_have_text(
        "Your request reaches the API server: place 1 of 5."
    )
    page.keyboard.press("Enter")  # already the first: nothing happens
    assert lock(page, asked)[:2] == ["request", "kubelet"]
    expect(asked.locator(".sides")).to_contain_text("observed")


def test_an_order_is_made_by_dragging(show: Open) -> None:
    page = show("asked")
    asked = card(page, "What happens first")
    asked.scroll_into_view_if_needed()
    rows = asked.locator("li")
    start, end = rows.nth(0).bounding_box(), rows.nth(4).bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 60, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(end["x"] + 60, end["y"] + end["height"] - 4, steps=12)
    page.mouse.up()
    expect(rows.nth(4)).to_contain_text("The kubelet on that node")
    assert lock(page, asked) == ["request", "scheduler", "object", "controller", "kubelet"]


def test_a_curve_is_drawn_or_typed(show: Open) -> None:
    page = show("asked")
    asked = card(page, "How do the requests spread")
    drawing = asked.locator("svg.curve")
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.5)
    drawn = asked.get_by_role("textbox", name="x2k9p").input_value()
    assert 40 <= float(drawn) <= 65
    expect(asked.get_by_role("button", name="Lock it")).to_be_disabled()
    for name, value in (("4tq7m", "0"), ("m8zq5", "50"), ("h6wvd", "2,5")):
        asked.get_by_role("textbox", name=name).fill(value)
        page.keyboard.press("Tab")
    assert lock(page, asked) == [float(drawn), 0, 50, 2.5]
    expect(asked.get_by_role("row", name="m8zq5")).to_contain_text("52 %")


def test_a_node_is_chosen_by_clicking_it_in_the_picture(show: Open) -> None:
    page = show("asked")
    asked = card(page, "Which node gets")
    asked.get_by_role("button", name="Click it in the picture").click()
    page.locator('[data-key="service/s"]').click()
    expect(page.get_by_role("status").filter(has_text="That is no node")).to_be_visible()
    page.locator('[data-key="pod/3"]').click()
    expect(asked.get_by_label("worker-3")).to_be_checked()
    expect(page.get_by_role("dialog")).to_have_count(0)  # the click was the card's, nothing was opened
    assert lock(page, asked) == "worker-3"
    page.locator('[data-key="pod/3"]').click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_an_object_is_chosen_by_clicking_it_in_the_picture(show: Open) -> None:
    page = show("asked")
    asked = card(page, "Which object made")
    asked.get_by_role("button", name="Click it in the picture").click()
    page.locator('[data-key="service/s"]').click()
    expect(asked.get_by_role("combobox")).to_have_value(re.compile("^Service/"))
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert lock(page, asked).startswith("Service/")


def test_escape_gives_the_clicks_back_to_the_picture(show: Open) -> None:
    page = show("asked")
    asked = card(page, "Which object made")
    asked.get_by_role("button", name="Click it in the picture").click()
    page.keyboard.press("Escape")
    expect(asked.get_by_role("button", name="Click it in the picture")).to_have_attribute(
        "aria-pressed", "false"
    )
    page.locator('[data-key="pod/3"]').click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    asked.get_by_role("combobox").select_option("ReplicaSet/storefront-7c9d8f6b5d")
    assert lock(page, asked) == "ReplicaSet/storefront-7c9d8f6b5d"
    expect(asked).to_contain_text("The answer: ReplicaSet/storefront-7c9d8f6b5d")


def test_the_menu_says_why_not_moves_by_keys_and_asks_before_it_acts(show: Open) -> None:
    page = show("broken")
    button = page.locator(".break button")
    button.click()
    menu = page.get_by_role("dialog", name="Break something")
    expect(menu.get_by_role("button", name="Kill the Pod")).to_be_focused()
    expect(menu).to_contain_text("Delete this Pod? The Deployment will make another.")
    expect(menu.get_by_role("button", name="Drain")).to_contain_text(
        "The nodes are shared with other students."
    )
    page.keyboard.press("ArrowRight")
    expect(menu.get_by_role("button", name="Cordon")).to_be_focused()
    page.keyboard.press("Enter")  # a refused one can be read, not chosen
    expect(menu).to_contain_text("Delete this Pod?")
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    go = menu.locator("footer").get_by_role("button", name="Fail readiness")
    expect(go).to_be_focused()
    assert not [one for one in posted(page) if one[0] == "break"]
    page.keyboard.press("Enter")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()
    assert [one for one in posted(page) if one[0] == "break"] == [
        ["break", {"kind": "fail-readiness", "pod": "1"}]
    ]


def test_escape_closes_the_menu_and_the_pod_can_be_chosen(show: Open) -> None:
    page = show("broken")
    button = page.locator(".break button")
    button.click()
    menu = page.get_by_role("dialog", name="Break something")
    menu.get_by_label("Pod", exact=True).select_option(label="Pod storefront-7c9d8f6b5d-m8zq5 on worker-3")
    expect(menu).to_contain_text("Delete m8zq5")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()
    assert not [one for one in posted(page) if one[0] == "break"]


def test_a_load_is_sent_at_a_chosen_rate_and_stopped(show: Open) -> None:
    page = show("asked", step="alone")
    load = page.locator(".load")
    load.locator("label", has_text="24").click()
    load.get_by_role("button", name="Send").click()
    assert posted(page)[-1] == ["load", {"id": "rush", "rate": 24}]
    running = show("broken", step="alone")
    expect(running.locator(".load")).to_contain_text("228 sent, 2 failed.")
    running.locator(".load").get_by_role("button", name="Stop").click()
    assert posted(running)[-1] == ["load", {"id": "rush", "stop": True}]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("state", ["asked", "broken"], ids=["open", "locked"])
def test_cards_and_menu_pass_the_accessibility_check_and_fit(
    show: Open, state: str, viewport: dict[str, int], theme: str
) -> None:
    page = show(state, theme=theme, viewport=viewport)
    expect(page.locator(".gh-answer")).to_have_count(ALL_ASKED + 1)
    expect(page.locator(".gh-answer svg.curve")).to_have_count(1)
    name = f"cards-{state}-{theme}-{viewport['width']}"
    SHOTS.mkdir(parents=True, exist_ok=True)
    faults_of(page)
    for number, asked in enumerate(page.locator(".gh-answer:visible").all()):
        box = asked.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= viewport["width"]
        assert asked.evaluate("one => one.scrollWidth <= one.clientWidth + 1"), asked.inner_text()
        asked.screenshot(path=SHOTS / f"{name}-{number}.png")
    page.screenshot(path=SHOTS / f"{name}.png")
    page.locator(".break button").click()
    expect(page.get_by_role("dialog", name="Break something")).to_be_visible()
    page.screenshot(path=SHOTS / f"{name}-menu.png")
    faults_of(page)


def faults_of(page: Page) -> None:
    """WCAG A and AA of the whole page, as the lesson page is held to."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ] == []

"""The lesson page in a real browser, on the real server with its real CSP; only the cluster behind it is played.

Sockets and the answers that need a cluster are replaced inside the browser, so these tests need no cluster.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
LESSON = "/learn/how-clusters-work/14-self-healing/"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"

STAND_IN = (Path(__file__).parent / "stand_in_sockets.js").read_text()
READY = {
    "state": "ready",
    "text": "",
    "done": 0,
    "total": 0,
    "seconds_left": None,
    "reason": None,
    "remedy": None,
}


@dataclass
class Site:
    url: str
    home: Path
    environment: dict[str, str] = field(repr=False)

    def manage(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if not (ROOT / "platform/classroom/static/dist/manifest.json").exists():
        pytest.fail("The front end is not built: run `npm ci && npm run build` in frontend/ first.")
    home = tmp_path_factory.mktemp("home")
    (home / "web").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "GLASSHULL_HOME": str(home), "PORT": str(port)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    made = Site(f"http://127.0.0.1:{port}", home, environment)
    made.manage("migrate", "--verbosity", "0")
    with (home / "web.log").open("w") as log:
        web = subprocess.Popen(
            [sys.executable, "manage.py", "web"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(f"{made.url}/healthz", home / "web.log")
            yield made
        finally:
            web.terminate()
            web.wait(20)


def wait_for(url: str, log: Path) -> None:
    for _ in range(150):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"The web process does not answer: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@dataclass
class Visit:
    """A signed-in student at a page, with everything the browser complained about."""

    page: Page
    site: Site
    trouble: list[str] = field(default_factory=list)

    def open(self, path: str = LESSON, wait: str = ".lesson.awake") -> None:
        # Network namespaces that come and go make Chromium break off what it is loading.
        for left in (3, 2, 1, 0):
            try:
                self.page.goto(self.site.url + path)
                self.page.wait_for_selector(wait, timeout=8000)
            except Error:
                if left == 0:
                    raise
            else:
                return

    def play(self, **script: Any) -> None:
        self.page.add_init_script(f"window.script = {json.dumps(script)}")

    def sent(self, part: str) -> list[Any]:
        pairs: list[list[Any]] = self.page.evaluate("window.sent")
        return [what for url, what in pairs if part in url]

    def push(self, part: str, frame: dict[str, Any]) -> None:
        self.page.evaluate("([part, frame]) => window.push(part, frame)", [part, frame])


@pytest.fixture(scope="module")
def signed_in(site: Site, browser: Browser) -> Any:
    """Cookies of the owner; the link works once, so all tests share them."""
    link = re.search(r"http\S+", site.manage("signin"))
    assert link
    context = browser.new_context()
    Visit(context.new_page(), site).open(link[0].removeprefix(site.url), wait="body")
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def visit(site: Site, browser: Browser, signed_in: Any, request: pytest.FixtureRequest) -> Iterator[Visit]:
    size = getattr(request, "param", {"width": 1440, "height": 900})
    context = browser.new_context(viewport=size, storage_state=signed_in)
    page = context.new_page()
    made = Visit(page, site)
    page.on("console", lambda said: made.trouble.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: made.trouble.append(str(error)))
    page.add_init_script(STAND_IN)
    made.play(cluster=READY, items=items_at(time.time()))
    answer_for_the_cluster(page)
    yield made
    context.close()


def answer_for_the_cluster(page: Page) -> None:
    sandbox = {"id": "s1", "phase": "requested", "readOnly": False, "namespace": "gh-7f3a9c"}
    page.route("**/api/sandboxes/", lambda route: route.fulfill(json={"ok": True, "sandbox": sandbox}))
    page.route("**/api/sandboxes/s1/**", lambda route: route.fulfill(json={"ok": True}))
    page.route("**/api/sandboxes/s1/history", lambda route: route.fulfill(json=history_at(time.time())))


def items_at(now: float) -> dict[str, Any]:
    pod = {
        "t": "pod",
        "name": "storefront-7c9d8-x2k9p",
        "suffix": "x2k9p",
        "node": "worker-1",
        "status": "Running",
        "ready": "1/1",
        "ok": True,
        "restarts": 0,
        "created": now - 60,
        "deleting": None,
        "owner": None,
        "app": "storefront",
        "containers": [],
        "message": "",
        "ip": "10.44.1.7",
        "rv": "9",
    }
    check = {"t": "check", "points": 1, "of": 1, "at": now - 20}
    return {
        "node/worker-1": {
            "t": "node",
            "name": "worker-1",
            "ready": "True",
            "cordoned": False,
            "mem": 2**30,
            "req": 0,
        },
        "pod/1": pod,
        "sandbox/self": {
            "t": "sandbox",
            "phase": "open",
            "phases": [],
            "expires": now + 2460,
            "place": 0,
            "text": "",
        },
        "attempt/now": {
            "t": "attempt",
            "n": 1,
            "state": "running",
            "started": now - 60,
            "until": now + 1500,
            "points": 1,
            "of": 14,
            "text": "",
        },
        "check/managed": {
            **check,
            "say": "A controller owns every Pod",
            "state": "pass",
            "line": "1 Pod, owned",
            "seq": 40,
        },
        "check/enough": {
            **check,
            "say": "The wanted number is ready",
            "state": "waiting",
            "line": "1 of 3 ready",
            "seq": None,
        },
        "marker/40": {
            "t": "marker",
            "kind": "verdict",
            "at": now - 20,
            "seq": 40,
            "text": "passed",
            "of": "check/managed",
        },
    }


def history_at(now: float) -> dict[str, Any]:
    start = {"f": "snapshot", "epoch": 1, "seq": 39, "at": now - 30, "items": {}}
    pod = items_at(now)["pod/1"]
    frame = {"f": "delta", "epoch": 1, "seq": 40, "at": now - 20, "set": {"pod/1": pod}, "del": []}
    return {"epoch": 1, "start": start, "frames": [frame], "seconds": 30, "label": ""}


def start_sandbox(visit: Visit) -> Page:
    visit.open()
    visit.page.get_by_role("button", name="Start", exact=True).click()
    visit.page.wait_for_selector(".xterm-rows")
    return visit.page


def test_the_whole_page_obeys_its_content_security_policy(visit: Visit) -> None:
    page = start_sandbox(visit)
    page.get_by_role("tab", name="shop.yaml").click()
    page.wait_for_selector(".cm-content")
    page.keyboard.press("F6")
    assert [said for said in visit.trouble if "favicon" not in said] == []


def test_the_terminal_is_light_on_dark_under_the_policy(visit: Visit) -> None:
    """Without the nonce on its style element every letter would be black on black."""
    page = start_sandbox(visit)
    expect(page.locator(".xterm-rows")).to_contain_text("kubectl get pods")
    colour = page.locator(".xterm-rows").evaluate("(rows) => getComputedStyle(rows).color")
    assert colour == "rgb(230, 233, 228)"
    dollar = page.locator(".xterm-rows span").first.evaluate("(it) => getComputedStyle(it).color")
    assert dollar == "rgb(99, 209, 156)"


def test_start_names_its_phases_and_then_counts_the_time(visit: Visit) -> None:
    waking = {
        "t": "sandbox",
        "phase": "preparing",
        "phases": [{"name": "Namespace", "ms": 220}, {"name": "Toolbox", "ms": None}],
        "expires": None,
        "place": 0,
        "text": "",
    }
    visit.play(cluster=READY, items={"sandbox/self": waking})
    visit.open()
    page = visit.page
    page.get_by_role("button", name="Start", exact=True).click()
    card = page.get_by_role("region", name="Exercise")
    expect(card.locator("li").first).to_have_text("Namespace0.2 s")
    expect(card.locator("li").last).to_have_text("Toolboxnow")
    visit.push(
        "/ws/sandbox/", {"f": "delta", "epoch": 1, "seq": 51, "at": time.time(), "set": items_at(time.time())}
    )
    expect(card).to_contain_text("25 min left")
    expect(page.locator("#status")).to_contain_text("41 min left")


def test_a_queue_place_is_said(visit: Visit) -> None:
    waiting = {
        "t": "sandbox",
        "phase": "requested",
        "phases": [],
        "expires": None,
        "place": 4,
        "text": "",
    }
    visit.play(cluster=READY, items={"sandbox/self": waiting})
    visit.open()
    visit.page.get_by_role("button", name="Start", exact=True).click()
    expect(visit.page.get_by_role("region", name="Exercise")).to_contain_text("Place 4 in the queue.")


def test_the_page_turns_ready_without_a_reload_when_the_cluster_is(visit: Visit) -> None:
    building = {**READY, "state": "building", "done": 412, "total": 1190, "seconds_left": 371}
    visit.play(cluster=building)
    visit.open()
    page = visit.page
    start = page.get_by_role("button", name="Start", exact=True)
    expect(start).to_be_disabled()
    expect(page.locator("#bench")).to_contain_text("412 of 1,190 packages, about 6 min left")
    visit.push("/ws/cluster/", {"f": "cluster", **READY})
    expect(start).to_be_enabled()


def test_run_types_into_the_terminal_and_a_command_waits_for_enter(visit: Visit) -> None:
    page = start_sandbox(visit)
    page.get_by_role("button", name="Run", exact=True).first.click()
    page.wait_for_function("window.sent.some(([url, what]) => typeof what === 'string')")
    assert visit.sent("/ws/terminal/")[-1] == "kubectl delete pod storefront\n"
    page.evaluate("document.querySelector('.cmd').click()")
    page.wait_for_function("window.sent.filter(([url, what]) => typeof what === 'string').length > 1")
    assert visit.sent("/ws/terminal/")[-1] == "kubectl apply -f shop.yaml"


def test_a_verdict_shows_its_moment_and_end_goes_back_to_live(visit: Visit) -> None:
    page = start_sandbox(visit)
    expect(page.locator("#picture")).to_contain_text("LIVE")
    page.locator("#checks").get_by_role("button", name=re.compile("A controller owns every Pod")).click()
    expect(page.locator("#picture")).to_contain_text("RECORDED")
    expect(page.locator("#bench")).to_contain_text("The terminal is live. Only the picture is in the past.")
    page.locator("#strip [role=slider]").focus()
    page.keyboard.press("End")
    expect(page.locator("#picture")).to_contain_text("LIVE")


def test_checks_change_by_themselves(visit: Visit) -> None:
    page = start_sandbox(visit)
    checks = page.locator("#checks")
    expect(checks.get_by_role("heading")).to_contain_text("1 passed, 1 still open")
    change = {"check/enough": {"state": "pass", "line": "3 of 3 ready", "seq": 51}}
    visit.push("/ws/sandbox/", {"f": "delta", "epoch": 1, "seq": 51, "at": time.time(), "set": change})
    expect(checks.get_by_role("heading")).to_contain_text("2 passed")
    expect(checks).to_contain_text("3 of 3 ready")


def test_a_soft_gate_asks_and_a_hard_gate_stays_shut_until_it_is_met(visit: Visit) -> None:
    page = start_sandbox(visit)
    bar = page.locator("#steps-bar")
    bar.get_by_role("button", name="Next step").click()
    bar.get_by_role("button", name="Next step").click()
    expect(bar).to_contain_text("You have not finished")
    bar.get_by_role("button", name="Go on anyway").click()
    expect(page.get_by_role("heading", name="Predict, then break it")).to_be_visible()
    # It says that it is disabled, and still answers with the reason.
    bar.get_by_role("button", name="Next step").click(force=True)
    expect(bar).to_contain_text("First:")
    expect(page.get_by_role("heading", name="Predict, then break it")).to_be_visible()
    locked = {
        "prediction/who-returns": {
            "t": "prediction",
            "value": "new",
            "at": time.time(),
            "observed": None,
            "right": None,
        }
    }
    visit.push("/ws/sandbox/", {"f": "delta", "epoch": 1, "seq": 51, "at": time.time(), "set": locked})
    bar.get_by_role("button", name="Next step").click()
    expect(page.get_by_role("heading", name="What happened?")).to_be_visible()


def test_a_refused_file_names_the_line_in_words_and_in_the_margin(visit: Visit) -> None:
    refusal = {
        "error": {
            "code": "invalid",
            "text": "`replicas` wants a number, found `three`.",
            "line": 5,
            "column": 13,
        }
    }
    visit.page.route("**/api/sandboxes/s1/apply", lambda route: route.fulfill(status=422, json=refusal))
    page = start_sandbox(visit)
    page.get_by_role("tab", name="shop.yaml").click()
    page.wait_for_selector(".cm-content")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#bench")).to_contain_text("Line 5: replicas wants a number, found three.")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)


def test_ctrl_enter_applies_and_says_what_was_applied(visit: Visit) -> None:
    posted: list[Any] = []

    def apply(route: Any) -> None:
        posted.append(route.request.post_data_json)
        route.fulfill(
            json={
                "ok": True,
                "applied": [
                    {
                        "kind": "Deployment",
                        "name": "storefront",
                        "result": "created",
                    }
                ],
            }
        )

    visit.page.route("**/api/sandboxes/s1/apply", apply)
    page = start_sandbox(visit)
    page.get_by_role("tab", name="shop.yaml").click()
    page.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#bench")).to_contain_text("Applied: Deployment/storefront created.")
    assert posted[0]["file"] == "shop.yaml"
    assert posted[0]["dry_run"] is False


def test_a_hint_stands_in_every_step_until_it_is_put_away(visit: Visit) -> None:
    visit.page.route("**/api/sandboxes/s1/hint", lambda route: route.fulfill(json={"ok": True, "say": "x"}))
    page = start_sandbox(visit)
    bar = page.locator("#steps-bar")
    bar.get_by_role("button", name="Next step").click()
    bar.get_by_role("button", name="Hint").click()
    hint = {
        "t": "hint",
        "offered": True,
        "id": "too-few",
        "say": "You asked for `3` copies.",
        "n": 1,
        "most": 2,
    }
    visit.push(
        "/ws/sandbox/", {"f": "delta", "epoch": 1, "seq": 51, "at": time.time(), "set": {"hint/now": hint}}
    )
    expect(page.get_by_role("region", name="Hint")).to_contain_text("You asked for 3 copies.")
    page.get_by_role("button", name="Put the hint away").click()
    expect(page.get_by_role("region", name="Hint")).to_have_count(0)


def test_no_hint_is_said_in_words(visit: Visit) -> None:
    visit.page.route("**/api/sandboxes/s1/hint", lambda route: route.fulfill(json={"ok": True, "say": None}))
    page = start_sandbox(visit)
    page.locator("#steps-bar").get_by_role("button", name="Hint").click()
    expect(page.locator("#steps-bar")).to_contain_text("No hint fits this moment")


def test_the_mark_stands_under_the_list_of_all_checks(visit: Visit) -> None:
    page = start_sandbox(visit)
    page.evaluate("document.querySelectorAll('.step').forEach((one) => one.classList.add('now'))")
    last = page.locator("#step-why")
    expect(last.get_by_role("button", name="Hand in")).to_be_visible()
    marked = {"attempt/now": {"state": "marked", "points": 12, "of": 14}, "check/enough": {"points": 0}}
    visit.push("/ws/sandbox/", {"f": "delta", "epoch": 1, "seq": 51, "at": time.time(), "set": marked})
    expect(last).to_contain_text("12 of 14 points")
    expect(last.get_by_role("button", name="Start again")).to_be_visible()


def test_reset_asks_once(visit: Visit) -> None:
    asked: list[str] = []
    visit.page.on(
        "request", lambda request: asked.append(request.url) if request.url.endswith("/reset") else None
    )
    page = start_sandbox(visit)
    card = page.get_by_role("region", name="Exercise")
    card.get_by_role("button", name="Reset").click()
    assert asked == []
    card.get_by_role("button", name="Reset: everything goes").click()
    expect(card.get_by_role("button", name="Reset", exact=True)).to_be_visible()
    assert len(asked) == 1


def test_f6_walks_the_panes_and_leaves_the_terminal(visit: Visit) -> None:
    page = start_sandbox(visit)
    page.locator(".xterm-helper-textarea").focus()
    page.keyboard.press("F6")
    assert page.evaluate("document.activeElement.closest('#checks') !== null")
    page.keyboard.press("F6")
    assert page.evaluate("document.activeElement.closest('#lesson') !== null")


def test_question_mark_lists_every_key(visit: Visit) -> None:
    visit.open()
    visit.page.keyboard.press("?")
    dialog = visit.page.get_by_role("dialog")
    for key in ("F6", "Space", "Home", "End", "Ctrl Enter", "T"):
        expect(dialog.locator("kbd", has_text=re.compile(f"^{re.escape(key)}$")).first).to_be_visible()
    visit.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_term_explains_itself_on_focus(visit: Visit) -> None:
    visit.open()
    term = visit.page.locator(".step.now .term").first
    term.focus()
    expect(visit.page.locator("#term-tip")).to_be_visible()
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#term-tip")).to_be_hidden()


@pytest.mark.parametrize("visit", [{"width": 390, "height": 844}], indirect=True)
def test_at_390_px_the_bottom_bar_shows_each_pane_and_nothing_sticks_out(visit: Visit) -> None:
    visit.open()
    page = visit.page
    bar = page.get_by_role("navigation", name="Panes")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    bar.get_by_role("button", name="Terminal").click()
    expect(page.locator("#bench")).to_be_visible()
    bar.get_by_role("button", name=re.compile("Checks 0.8")).click()
    expect(page.locator("#checks")).to_be_visible()
    bar.get_by_role("button", name="Lesson").click()
    expect(page.locator("#checks")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.fixture
def passer_by(site: Site, browser: Browser) -> Iterator[Visit]:
    """Somebody without account, sandbox or cluster: the lesson plays its recording."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    made = Visit(context.new_page(), site)
    made.page.on("pageerror", lambda error: made.trouble.append(str(error)))
    made.page.on("request", lambda sent: made.trouble.append(sent.url) if sent.method == "POST" else None)
    yield made
    context.close()
    assert made.trouble == []


def to_the_end_of_the_film(page: Page) -> None:
    page.locator(".rail").focus()
    page.keyboard.press("End")


def test_a_recording_waits_for_a_prediction_and_judges_the_viewers_own(passer_by: Visit) -> None:
    passer_by.open()
    page = passer_by.page
    expect(page.locator("#picture")).to_contain_text("RECORDED")
    to_the_end_of_the_film(page)
    waits = page.locator(".film-waits")
    expect(waits).to_contain_text("The recording waits here.")
    strip = page.locator("#strip")
    expect(strip.locator(".marker.you").first).to_be_attached()
    expect(strip.locator(".marker.fault, .marker.prediction")).to_have_count(0)
    checks = page.locator("#checks")
    expect(checks.get_by_role("button", name="The wanted number is ready")).to_contain_text("passed")
    foresaw = checks.locator(".row", has_text="You foresaw it")
    expect(foresaw).to_contain_text("your turn")

    waits.get_by_role("button", name="To the question").press("Enter")
    card = page.locator(".step.now .gh-answer")
    expect(card.get_by_role("radio").first).to_be_focused()
    card.get_by_text("The same Pod again").click()
    expect(card).to_contain_text("Practice on a recording")
    card.get_by_role("button", name="Lock it").press("Enter")
    expect(card).to_contain_text("shown here when the recording comes to it")
    expect(card).not_to_contain_text("A new Pod in its place observed")
    expect(waits).to_be_empty()
    expect(page.get_by_role("button", name="Pause the picture")).to_be_visible()
    expect(foresaw).to_contain_text("Locked; it is compared with what happens")

    to_the_end_of_the_film(page)
    expect(card.locator(".result")).to_contain_text(
        "You said The same Pod again. Observed: A new Pod in its place."
    )
    expect(card.locator(".result")).to_contain_text("no points")
    expect(foresaw).to_contain_text("failed")
    end = page.locator(".rail").get_attribute("aria-valuenow")
    checks.get_by_role("button", name="Full strength again").click()
    expect(page.locator(".rail")).not_to_have_attribute("aria-valuenow", str(end))
    expect(checks.get_by_role("button", name="Full strength again")).to_contain_text("passed")

    passer_by.open()
    to_the_end_of_the_film(page)
    expect(foresaw).to_contain_text("failed")
    card.get_by_role("button", name="Answer again").click()
    expect(waits).to_contain_text("The recording waits here.")
    expect(card.get_by_role("button", name="Lock it")).to_be_visible()


def test_a_recording_goes_on_without_an_answer_and_hides_the_steps_until_then(passer_by: Visit) -> None:
    passer_by.open("/learn/how-clusters-work/12-first-app/#step-apply")
    page = passer_by.page
    waits = page.locator(".film-waits")
    expect(waits).to_contain_text("The recording waits here.", timeout=10_000)
    steps = page.get_by_role("list", name="The steps, in order")
    expect(page.get_by_role("button", name="Show the steps")).to_be_visible()
    expect(steps.get_by_role("listitem")).to_have_count(0)
    waits.get_by_role("button", name="Watch on without it").press("Enter")
    expect(steps.get_by_role("listitem").first).to_be_visible()
    to_the_end_of_the_film(page)
    expect(page.locator("#checks .row", has_text="You put the hops in order")).to_contain_text(
        "Watched without an answer"
    )
    card = page.locator(".step.now .gh-answer")
    card.get_by_role("button", name="Go back and say it first").click()
    expect(waits).to_contain_text("The recording waits here.")
    expect(steps.get_by_role("listitem")).to_have_count(0)
    card.get_by_role("button", name="Lock it").click()
    to_the_end_of_the_film(page)
    expect(card.locator(".result")).to_contain_text("Practice on a recording")
    expect(card.locator(".seen, .saw").first).to_be_visible()
    faults = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert [one["id"] for one in faults.response["violations"]] == []


def test_the_lesson_reads_whole_without_javascript(site: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    visit = Visit(page, site)
    visit.open(wait="#lesson")
    for title in (
        "One Pod, nobody watching",
        "Say what you want, not what to do",
        "Predict, then break it",
        "What happened?",
    ):
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator("#bench")).to_be_hidden()
    context.close()


def test_night_chart_is_remembered(visit: Visit) -> None:
    visit.open()
    visit.page.get_by_role("button", name="Night chart").click()
    visit.open()
    assert visit.page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_has_no_accessibility_faults_that_a_machine_finds(visit: Visit, theme: str) -> None:
    visit.page.add_init_script(f"localStorage.setItem('glasshull.theme', '{theme}')")
    page = start_sandbox(visit)
    page.get_by_role("tab", name="shop.yaml").click()
    page.wait_for_selector(".cm-content")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    faults = [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]
    assert faults == []


def test_the_class_table_changes_with_the_socket(visit: Visit) -> None:
    visit.open("/class/how-clusters-work/", wait="#class-table")
    row = {
        "id": "s9",
        "person": 9,
        "name": "Ben <b>",
        "step": "step 2 of 4",
        "here": True,
        "seen": 1764000000,
        "hints": "",
        "lesson": "14-self-healing",
        "lesson_title": "A shop that repairs itself",
        "phase": "open",
        "attempt": 2,
        "state": "running",
        "passed": 1,
        "of": 2,
        "stuck": "Full strength again: 2 of 3 ready (for 2 min)",
        "misconceptions": [{"of": "who-returns", "id": "pods-are-repaired"}],
        "mark": "",
        "href": f"{LESSON}?as=s9",
        "checks": [
            {
                "id": "a",
                "say": "A controller owns every Pod",
                "state": "pass",
                "at": 1764000000,
            },
            {"id": "b", "say": "Full strength again", "state": "waiting", "at": None},
        ],
    }
    page = visit.page
    page.wait_for_function("window.sockets.some((one) => one.url.includes('/ws/class/'))")
    visit.push("/ws/class/", {"f": "class", "rows": [row]})
    table = page.locator("#class-table tbody")
    expect(table.get_by_role("rowheader")).to_have_text("Ben <b>")
    expect(table).to_contain_text("working, try 2")
    expect(table).to_contain_text("2 of 3 ready (for 2 min)")
    expect(table.get_by_role("img", name=re.compile("A controller owns every Pod: passed"))).to_be_visible()
    expect(page.locator("#class-figures")).to_contain_text("1stuck")
    expect(page.locator("#class-thoughts")).to_contain_text("pods are repaired 1")
    assert visit.trouble == []

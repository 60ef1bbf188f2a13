"""The picture in a browser, fed with made-up frames: the demo page of `frontend/demo/`, built once per run."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

FRONTEND = Path(__file__).parents[2] / "frontend"
CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium: apt-get install chromium"),
    pytest.mark.skipif(not (FRONTEND / "node_modules").is_dir(), reason="needs npm ci in frontend/"),
]

Open = Callable[..., Page]


class _Quiet(SimpleHTTPRequestHandler):
    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Says nothing: the test run's output is for the tests."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the built demo page."""
    out = tmp_path_factory.mktemp("demo")
    build = [
        "npx",
        "vite",
        "build",
        "--config",
        "demo/vite.config.ts",
        "--outDir",
        str(out),
        "--logLevel",
        "error",
    ]
    subprocess.run(build, cwd=FRONTEND, check=True, timeout=110)
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
def show(demo: str, browser: Browser) -> Iterator[Open]:
    """Opens a scene; fails the test when the page threw or asked another host."""
    wrong: list[str] = []
    pages: list[Page] = []

    def open_scene(scene: str, width: int = 1056, height: int = 500, **context: str) -> Page:
        page = browser.new_page(viewport={"width": width, "height": height}, **context)
        pages.append(page)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda one: wrong.extend([one.url] if is_foreign(one.url) else []))
        page.goto(f"{demo}?plain&scene={scene}&h={height}")
        page.wait_for_selector(".gh-picture .ship")
        page.wait_for_function("document.querySelector('.gh-picture').clientWidth > 0")
        return page

    yield open_scene
    for page in pages:
        page.close()
    assert wrong == []


def is_foreign(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "data:"))


def texts(page: Page, selector: str) -> list[str]:
    return [text.strip() for text in page.locator(selector).all_text_contents()]


def moving(page: Page) -> list[str]:
    """What moves in the picture now. Under 1 ms is no motion: it is how the page's styles switch motion off."""
    found: list[str] = page.evaluate(
        """() => document.querySelector('.gh-picture').getAnimations({subtree: true})
          .filter(one => one.effect.getTiming().duration >= 1)
          .map(one => `${one.transitionProperty ?? one.animationName} of ${one.effect.target.outerHTML}`)"""
    )
    return found


def send(page: Page, change: str) -> None:
    """Merges one delta into the store: `change` is the frame's `set`, as JavaScript."""
    page.evaluate(
        """change => {
          const store = window.demo;
          store.seq = (store.seq ?? 1) + 1;
          const change_ = eval('(' + change + ')');
          store.receive({f: 'delta', epoch: 1, seq: store.seq, at: Date.now() / 1000, ...change_});
        }""",
        change,
    )


def test_the_mock_shows_every_pod_with_kubectls_words(show: Open) -> None:
    page = show("mock")
    assert texts(page, ".pod .suffix") == ["x2k9p", "4tq7m", "m8zq5", "h6wvd"]
    assert texts(page, ".pod .gh-status") == ["Running", "Terminating", "Running", "ContainerCreating"]
    assert texts(page, ".pod .ready") == ["1/1", "0/1", "1/1", "0/1"]
    assert page.locator(".pipes use[href='#gh-valve-open']").count() == 2
    assert page.locator(".pipes use[href='#gh-valve-closed']").count() == 2
    assert texts(page, ".lost text") == ["2 requests lost"]
    assert page.locator(".ghost").count() == 1
    assert "LIVE" in page.locator(".badge").inner_text()


def test_every_state_has_an_outline_class_an_icon_and_a_word(show: Open) -> None:
    page = show("states", width=1400)
    looks = page.eval_on_selector_all(
        ".thing.pod",
        "all => all.map(one => [...one.classList].filter(c => !['thing','pod','seat'].includes(c))[0])",
    )
    assert set(looks) == {
        "pending", "creating", "init", "not-ready", "is-ready", "terminating", "completed", "error",
        "crash", "oom", "no-image", "evicted", "unknown", "unlisted",
    }  # fmt: skip
    icons = page.eval_on_selector_all(
        ".thing.pod .disc use", "all => all.map(one => one.getAttribute('href'))"
    )
    assert {
        "#gh-i-hourglass",
        "#gh-i-ban",
        "#gh-i-rotate-ccw",
        "#gh-i-image-off",
        "#gh-i-memory-stick",
    } <= set(icons)
    sentences = page.eval_on_selector_all(
        ".thing.pod", "all => all.map(one => one.getAttribute('aria-label'))"
    )
    for word in ("CrashLoopBackOff", "ImagePullBackOff", "OOMKilled", "Evicted", "StartError", "Init:1/2"):
        assert any(word in sentence for sentence in sentences), word


def test_the_sequence_of_a_kill_is_drawn_step_by_step(show: Open) -> None:
    page = show("kill&hand")
    page.wait_for_timeout(600)
    page.evaluate("window.next()")
    page.wait_for_selector("[data-key='pod/4'].terminating")
    page.evaluate("window.next()")
    page.wait_for_selector(".seat[data-key='pod/h']")
    assert page.locator(".gantry .trolley").count() == 1
    page.evaluate("window.next()")
    page.wait_for_selector(".pod.creating[data-key='pod/h']")
    assert page.locator(".gantry .trolley .cables").count() == 1
    page.evaluate("window.next()")
    page.wait_for_selector("[data-key='pod/4']", state="detached")
    assert page.locator(".gantry .trolley[aria-hidden]").count() <= 1  # the one that fades
    page.evaluate("window.next()")
    page.wait_for_selector(".pod.is-ready[data-key='pod/h']")
    assert page.locator(".pipes use[href='#gh-valve-open']").count() == 3
    page.wait_for_function("document.querySelectorAll('.spoken')[1].textContent !== ''")
    assert texts(page, ".spoken")[1] == "Fault started: Pod 4tq7m is being deleted."
    page.wait_for_selector(".gantry .trolley", state="detached")


def test_a_pod_is_deleted_by_two_keys_and_the_act_names_it(show: Open) -> None:
    page = show("mock")
    page.focus("[data-key='pod/m']")
    page.keyboard.press("k")
    page.wait_for_selector(".card .ask")
    assert page.inner_text(".card .ask") == "Delete this Pod?"
    assert "kubectl delete pod web-7c9d8-m8zq5" in page.inner_text(".card")
    page.keyboard.press("Enter")
    page.wait_for_selector(".card", state="detached")
    assert page.evaluate("window.demo.acts") == ['delete-pod {"pod":"m"}']


def test_a_refused_act_says_why_and_keeps_the_card(show: Open) -> None:
    page = show("mock")
    page.evaluate("() => { window.demo.act = async () => { throw new Error('Kubernetes refused: no.') } }")
    page.click("[data-key='pod/m']")
    page.click(".card .gh-danger")
    page.click(".card .gh-danger.sure")
    page.wait_for_selector(".card .refused")
    assert page.inner_text(".card .refused") == "Kubernetes refused: no."


@pytest.mark.parametrize("mode", ["past", "recorded", "stale"])
def test_nothing_can_be_deleted_where_the_picture_is_not_live(show: Open, mode: str) -> None:
    page = show("mock")
    page.evaluate(f"window.demo.forced = '{mode}'")
    page.click("[data-key='pod/m']")
    page.wait_for_selector(".card")
    assert page.locator(".card .gh-danger").count() == 0


def test_arrows_move_along_the_grammar_with_a_visible_ring(show: Open) -> None:
    page = show("mock")
    page.focus("[data-key='pod/x']")
    trail = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "o", "ArrowUp"):
        page.keyboard.press(key)
        page.wait_for_timeout(30)
        trail.append(page.evaluate("document.activeElement.dataset.key"))
    assert trail == ["pod/4", "pod/m", "pod/h", "node/worker-3", "pod/4", "workload/rs", "workload/dep"]
    stroke = page.eval_on_selector("[data-key='workload/dep'] > .ring", "one => getComputedStyle(one).stroke")
    assert stroke == page.evaluate("getComputedStyle(document.body).color")
    assert page.locator("[data-key][tabindex='0']").count() == 1


def test_layer_keys_hide_and_show_their_wires(show: Open) -> None:
    page = show("mock")
    for key, selector in (("1", ".ship .pipes"), ("2", ".layer-own"), ("3", ".layer-watch")):
        assert page.locator(selector).count() == 1
        page.keyboard.press(key)
        assert page.locator(selector).count() == 0
        page.keyboard.press(key)
        assert page.locator(selector).count() == 1
    assert page.locator(".layers [aria-pressed='true']").count() == 3


def test_the_text_twin_says_the_same_state(show: Open) -> None:
    page = show("mock")
    keys = set(page.eval_on_selector_all(".ship [data-key]", "all => all.map(one => one.dataset.key)"))
    page.keyboard.press("t")
    page.wait_for_selector(".twin [role=tree]")
    twin = set(page.eval_on_selector_all(".twin [data-key]", "all => all.map(one => one.dataset.key)"))
    assert keys <= twin
    assert any(
        line.startswith("Pod web-7c9d8-h6wvd on worker-3: ContainerCreating, READY 0/1, 0 restarts,")
        for line in texts(page, ".twin [data-kind=pod] > span")
    )
    assert texts(page, ".twin [data-kind=service] > span") == [
        (
            "Service web, port 80, sends to 2 of 4 Pods: x2k9p, m8zq5. "
            "Not to 4tq7m: terminating. Not to h6wvd: not ready."
        )
    ]
    page.focus(".twin [tabindex='0']")
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.dataset.kind") == "probe"


@pytest.mark.parametrize(
    ("scene", "sentence"),
    [
        ("empty", "Nothing is deployed yet. Run the first command in the lesson and it appears here."),
        ("loading", "Waking your namespace. Usually 6 s."),
        ("error", "The picture lost its feed. The terminal still works."),
    ],
)
def test_states_have_their_exact_words(show: Open, scene: str, sentence: str) -> None:
    page = show(scene)
    assert page.inner_text(".words p") == sentence
    assert page.locator(".words button").count() == (1 if scene == "error" else 0)


def test_stale_is_pale_and_says_so(show: Open) -> None:
    page = show("stale")
    assert page.inner_text(".gh-strip").startswith("Last news 14 s ago.") or page.inner_text(
        ".gh-strip"
    ).startswith("Last news 15 s ago.")
    assert page.eval_on_selector(".drawing", "one => getComputedStyle(one).filter") == "saturate(0.6)"
    assert page.locator(".badge.late").count() == 1


def test_a_direction_dims_but_never_removes(show: Open) -> None:
    page = show("scene")
    assert page.locator(".thing.pod.dim").count() == 0
    assert page.locator(".thing.hold.dim").count() == 0 or page.locator(".thing.hold").count() == 3
    assert page.locator(".thing.plate.dim").count() == 2
    assert page.locator(".thing.service.marked").count() == 1
    assert texts(page, ".notes li") == ["web one ready address behind this name", "app=nobody not there yet"]


def test_a_cut_does_not_move_anything(show: Open) -> None:
    page = show("mock")
    page.evaluate("window.demo.animate = false")
    send(page, "{set: {'pod/h': {status: 'Running', ok: true, ready: '1/1'}}}")
    page.wait_for_selector("[data-key='pod/h'].is-ready")
    page.evaluate("window.demo.animate = false")
    page.wait_for_selector(".gh-picture.still")
    assert moving(page) == []


def test_reduced_motion_draws_without_moving(show: Open) -> None:
    page = show("kill&hand", reduced_motion="reduce")
    for _ in range(3):
        page.evaluate("window.next()")
    page.wait_for_selector(".pod.creating[data-key='pod/h']")
    assert moving(page) == []
    assert page.locator(".layers button").count() == 3  # nothing moves, so there is nothing to hold still


def test_only_what_changed_is_touched(show: Open) -> None:
    page = show("mock")
    page.wait_for_timeout(600)
    page.evaluate(
        """() => {
          window.touched = new Set();
          const note = one => {
            const at = one.target.nodeType === 3 ? one.target.parentElement : one.target;
            const thing = at.closest('[data-key]');
            if (thing) window.touched.add(thing.dataset.key);
          };
          const what = {subtree: true, childList: true, attributes: true, characterData: true};
          new MutationObserver(all => all.forEach(note)).observe(document.querySelector('.ship'), what);
        }"""
    )
    send(page, "{set: {'pod/x': {status: 'Running', ok: false, ready: '0/1'}}}")
    page.wait_for_selector("[data-key='pod/x'].not-ready")
    touched = set(page.evaluate("[...window.touched]"))
    aged = {"pod/4", "pod/m", "pod/h"}  # a second may have passed: ages
    assert "pod/x" in touched
    assert touched <= {"pod/x"} | aged


def test_a_pod_keeps_its_place_when_its_neighbour_goes(show: Open) -> None:
    page = show("mock")
    where = "one => one.getAttribute('transform')"
    before = page.eval_on_selector("[data-key='pod/h']", where)
    send(page, "{del: ['pod/m']}")
    page.wait_for_selector("[data-key='pod/m']", state="detached")
    assert page.eval_on_selector("[data-key='pod/h']", where) == before


def test_the_phone_has_decks_and_large_targets(show: Open) -> None:
    page = show("mock", width=390, height=404)
    page.wait_for_selector(".deck-pod")
    assert page.locator(".deck-pod").count() == 4
    boxes = page.eval_on_selector_all(
        ".ship .thing.pod, .ship .thing.hold .hit, .ship .thing.service .hit",
        "all => all.map(one => one.getBoundingClientRect()).map(box => [box.width, box.height])",
    )
    assert all(width >= 44 and height >= 44 for width, height in boxes)
    assert page.evaluate("document.querySelector('.gh-sheet').scrollWidth") <= 390
    page.click("[data-key='pod/m']")
    page.wait_for_selector(".card")
    heights = page.eval_on_selector_all(
        ".card button", "all => all.map(one => one.getBoundingClientRect().height)"
    )
    assert min(heights) >= 44


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_labels_in_the_hull_do_not_overlap(show: Open, theme: str) -> None:
    page = show("mock")
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    clashes = page.evaluate(
        """() => {
          const all = [...document.querySelectorAll('.ship text')]
            .map(one => ({text: one.textContent.trim(), box: one.getBoundingClientRect()}))
            .filter(one => one.text);
          const cross = (a, b) => Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left) > 1
            && Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > 4;
          return all.flatMap((a, i) => all.slice(i + 1).filter(b => cross(a, b)).map(b => [a.text, b.text]));
        }"""
    )
    assert clashes == []


def banners(page: Page) -> list[str]:
    return [" ".join(text.split()) for text in page.locator(".gh-duel .blast").all_text_contents()]


def test_the_duel_draws_both_forms_and_counts_what_a_fault_stops(show: Open) -> None:
    page = show("duel-fault")
    page.wait_for_selector(".gh-duel .blast")
    page.wait_for_function("document.querySelectorAll('.gh-duel .chart canvas').length === 6")
    page.wait_for_function("document.querySelector('.gh-duel .blast').innerText.includes('all 4')")
    page.wait_for_selector(".side:first-child .release-name")
    assert banners(page) == [
        "stock stopped: all 4 parts stop answering",
        "stock stopped: 1 of 4 parts stops, browsing answers",
    ]
    assert texts(page, ".side:first-child .part-name") == ["storefront", "catalogue", "orders", "stock"]
    assert page.locator(".side:first-child .flood").count() == 1
    assert page.locator(".side:last-child .flood").count() == 1
    assert texts(page, ".side:last-child .part-name.hit") == ["stock"]
    assert texts(page, ".side:first-child .release-name") == ["monolith 1.1"]
    assert texts(page, ".side:first-child .gap") == ["no replies to time"]
    assert texts(page, ".sums .big") == ["12 s", "0 s"]


def test_the_duels_charts_share_their_scales(show: Open) -> None:
    page = show("duel")
    page.wait_for_function("document.querySelectorAll('.gh-duel .chart canvas').length === 6")
    page.locator(".side:first-child .plots").hover(position={"x": 200, "y": 60})
    flags = page.eval_on_selector_all(".gh-duel .head", "all => all.map(one => one.getAttribute('d'))")
    assert len(flags) == 2
    assert flags[0] == flags[1]


def test_the_duel_without_shops_says_so_and_draws_no_zero(show: Open) -> None:
    page = show("duel-empty")
    page.wait_for_selector(".gh-duel .sums")
    assert page.locator(".nobody").count() == 5
    assert texts(page, ".sums .big") == ["\u2013", "\u2013"]
    assert page.locator(".gh-duel .blast").count() == 0


def test_the_duel_as_text_and_on_a_phone(show: Open) -> None:
    page = show("duel-fault", width=390, height=800)
    page.wait_for_selector(".gh-duel.stacked .blast")
    assert page.evaluate("document.querySelector('.gh-duel').scrollWidth") <= 390
    page.keyboard.press("t")
    page.wait_for_selector(".gh-duel .twin")
    said = page.locator(".gh-duel .twin").inner_text()
    assert "Monolith: one program, one Pod." in said
    assert "stock stopped: 1 of 4 parts stops, browsing answers." in said


def test_a_recorded_duel_tells_no_more_than_was_played(show: Open) -> None:
    page = show("duel-film")
    page.wait_for_selector(".gh-duel .badge.recorded")
    page.wait_for_selector(".gh-duel .sums")
    assert page.locator(".gh-duel .blast").count() == 0
    page.evaluate("demo.goToMoment(1764000000 + 50)")
    page.wait_for_selector(".gh-duel .blast")
    assert "all 4 parts" in banners(page)[0]


def test_hops_of_a_wish_are_stepped_by_keys(show: Open) -> None:
    page = show("hops", reduced_motion="reduce")
    page.wait_for_selector(".gh-control .numeral")
    assert page.locator(".numeral").count() == 11
    assert page.locator(".numeral.inferred").count() == 1
    assert page.locator(".numeral.now").text_content() == "11"
    page.keyboard.press(",")
    assert page.locator(".numeral.now").text_content().strip() == "10"
    assert "The readiness probe was answered." in page.locator("[aria-current=step]").inner_text()
    page.keyboard.press("t")
    page.wait_for_selector(".gh-control .twin")
    assert (
        "5. The ReplicaSet controller counted one Pod too few. Inferred:"
        in page.locator(".twin").inner_text()
    )


def test_the_opened_bridge_without_a_wish_says_what_to_do(show: Open) -> None:
    page = show("hops-empty")
    page.wait_for_selector(".gh-control .none")
    assert "Nothing to follow yet." in page.locator(".none").inner_text()
    assert page.locator(".numeral").count() == 0

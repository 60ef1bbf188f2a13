"""What every app of the shop does alike, whatever language it is written in."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

UID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
IMAGES = ("storefront:1.1", "catalogue:1.0", "orders:1.0", "stock:1.0", "monolith:1.1")
PAGES = {
    "storefront": "/items",
    "catalogue": "/items",
    "orders": "/ledger",
    "stock": "/stock",
    "monolith": "/items",
}


@pytest.fixture(params=IMAGES)
def image(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def page(image: str) -> str:
    """A page that every customer of this app may ask for."""
    return PAGES[image.partition(":")[0]]


@pytest.fixture
def app(open_app, image):
    return open_app(image, POD_UID=UID, POD_NAME="copy-1", NODE_NAME="worker-2", ZONE="quay")


def of_every_app(check: Callable) -> Callable:
    """`check(app, page)` of all apps at the same time, because most of it is waiting; which ones failed is said."""

    def test(open_app) -> None:
        apps = {image: open_app(image, listening=False) for image in IMAGES}

        def run(image: str) -> Exception | None:
            try:
                apps[image].await_listening()
                check(apps[image], PAGES[image.partition(":")[0]])
            except Exception as failed:
                failed.add_note(f"This is {image}.")
                return failed
            return None

        with ThreadPoolExecutor(len(IMAGES)) as pool:
            failures = [failed for failed in pool.map(run, IMAGES) if failed]
        if failures:
            raise ExceptionGroup("not every app does it", failures)

    test.__name__, test.__doc__ = check.__name__, check.__doc__
    return test


def test_it_says_who_it_is_and_echoes_the_nonce(app, image):
    status, headers, text = app.get("/whoami", headers={"X-Glasshull-Nonce": "n-1"})
    said = json.loads(text)
    assert status == 200
    assert f"{said['app']}:{said['version']}" == image
    assert (said["pod"], said["podUid"], said["node"], said["zone"]) == ("copy-1", UID, "worker-2", "quay")
    assert (said["ip"], said["served"], said["nonce"]) == ("127.0.0.1", 0, "n-1")
    assert (headers["X-Glasshull-Nonce"], headers["X-Glasshull-Pod-Uid"]) == ("n-1", UID)
    assert json.loads(app.get("/whoami?nonce=n-2")[2])["nonce"] == "n-2"
    assert json.loads(app.get("/whoami?nonce=a%0d%0ab")[2])["nonce"] == ""
    assert app.get("/switch", port=app.admin)[1]["X-Glasshull-Pod-Uid"] == UID


def test_what_it_does_not_have_is_a_sentence(app, page):
    status, headers, text = app.get("/nothing")
    assert (status, headers["X-Glasshull-Pod-Uid"]) == (404, UID)
    assert "/nothing" in json.loads(text)["error"]
    status, _, text = app.get(page, method="DELETE")
    assert (status, bool(json.loads(text)["error"])) == (405, True)
    assert app.get(page, method="HEAD")[::2] == (200, "")
    assert app.get("/switch")[0] == 404


def test_switches_touch_what_they_name(app, page):
    for words, statuses in (
        ("ready=off", [503, 200, 200]),
        ("ready=on live=off", [200, 503, 200]),
        ("reset,error=1", [200, 200, 500]),
        ("error=off", [200, 200, 200]),
    ):
        assert app.switch(words)[0] == 200
        assert [app.get(path)[0] for path in ("/readyz", "/healthz", page)] == statuses, words


def test_every_third_fails(app, page):
    app.switch("error=0.33")
    assert [app.get(page)[0] for _ in range(9)] == [200, 200, 500] * 3


@of_every_app
def test_slow_is_slow_and_health_is_not(app, page):
    app.switch("slow=300ms")
    began = time.monotonic()
    assert app.get(page)[0] == 200
    assert 0.3 <= time.monotonic() - began < 1.5
    began = time.monotonic()
    assert app.get("/readyz")[0] == 200
    assert time.monotonic() - began < 0.2


@of_every_app
def test_hang_answers_nobody_and_then_everybody(app, page):
    app.switch("hang")
    assert app.silent_on(page, "/healthz")
    assert app.get("/metrics", port=app.admin)[0] == 200  # whoever looks after it can still look
    answers: list[int] = []
    customer = threading.Thread(target=lambda: answers.append(app.get(page)[0]))
    customer.start()
    time.sleep(0.2)
    app.switch("hang=off")
    customer.join(5)
    assert answers == [200]


@pytest.mark.parametrize(
    "words", ["", "dance=1", "slow=fast", "error=2", "exit=999", "ready=maybe", "leak=1Ti/s"]
)
def test_wrong_switches_are_refused_and_change_nothing(app, words):
    before = app.ask("/switch", port=app.admin)[1]
    status, said = app.switch(f"live=off {words}" if words else "")
    assert status == 400
    assert said["error"]
    assert app.ask("/switch", port=app.admin)[1] == before
    assert set(before) == {"ready", "live", "slow", "error", "hang", "spin", "leak", "ignore-sigterm", "exit"}


@of_every_app
def test_a_leak_takes_memory_and_gives_it_back(app, page):
    before = app.resident()
    app.switch("leak=64Mi/s")
    time.sleep(1)
    taken = app.resident() - before
    assert 25 * 2**20 < taken < 110 * 2**20
    app.switch("leak=off")
    deadline = time.monotonic() + 10
    while app.resident() - before > taken / 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@of_every_app
def test_spin_burns_cpu_until_switched_off(app, page):
    def ticks() -> int:
        fields = Path(f"/proc/{app.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    app.switch("spin=1")
    before, deadline = ticks(), time.monotonic() + 5
    while ticks() - before <= 20:  # hundredths of a second; all apps share the cores
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert app.get("/healthz")[0] == 200
    app.switch("spin=0")
    time.sleep(0.2)
    before = ticks()
    time.sleep(0.4)
    assert ticks() - before < 12


def test_exit_by_environment_and_by_switch(open_app, image):
    assert open_app(image, listening=False, SWITCH="exit=3").process.wait(5) == 3
    app = open_app(image)
    with pytest.raises(Exception, match="without response"):
        app.switch("exit=4")
    assert app.process.wait(5) == 4


@pytest.mark.parametrize("environment", [{"START_DELAY": "soon"}, {"SWITCH": "dance=1"}, {"WORK_MS": "x"}])
def test_an_environment_without_sense_is_an_exit_with_a_reason(open_app, image, environment):
    app = open_app(image, listening=False, **environment)
    assert app.process.wait(5) == 2
    assert "cannot start" in app.log.read_text()


@of_every_app
def test_sigterm_leaves_as_the_shop_promises(app, page):
    began = time.monotonic()
    app.terminate()
    time.sleep(0.1)
    assert app.get("/readyz")[0] == 503
    while time.monotonic() - began < 0.9:
        assert app.get(page)[0] == 200
        time.sleep(0.05)
    assert app.process.wait(5) == 0
    assert 1.0 <= time.monotonic() - began < 2.0


@of_every_app
def test_sigterm_lets_an_open_request_finish(app, page):
    app.switch("slow=1500ms")
    answers: list[int] = []
    customer = threading.Thread(target=lambda: answers.append(app.get(page)[0]))
    customer.start()
    time.sleep(0.2)
    app.terminate()
    assert app.process.wait(5) == 0
    customer.join(5)
    assert answers == [200]


@of_every_app
def test_sigterm_waits_no_longer_than_the_grace_period_for_a_hanging_request(app, page):
    app.switch("hang")
    with socket.create_connection(("127.0.0.1", app.port)) as customer:
        customer.sendall(f"GET {page} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        time.sleep(0.1)
        began = time.monotonic()
        app.terminate()
        assert app.process.wait(5) == 0
        assert 2.5 <= time.monotonic() - began < 3.0


def test_sigterm_before_the_start_ends_at_once(open_app, image):
    app = open_app(image, listening=False, START_DELAY="30s")
    deadline = time.monotonic() + 5
    while "is starting" not in app.log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    app.terminate()
    assert app.process.wait(2) == 0


@of_every_app
def test_a_deaf_app_ignores_sigterm(app, page):
    app.switch("ignore-sigterm=on")
    app.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert app.get("/readyz")[0] == 200
    app.switch("ignore-sigterm=off")
    app.terminate()
    assert app.process.wait(5) == 0


def test_metrics_count_requests_and_memory(app, page):
    app.get(page)
    app.get("/nothing")
    text = app.get("/metrics")[2]
    assert f'shop_requests_total{{route="{page}",code="200"}} 1' in text
    assert 'shop_requests_total{route="other",code="404"} 1' in text
    assert "shop_inflight 1" in text
    assert 'shop_request_seconds_bucket{le="+Inf"} 2' in text
    assert int(text.split("process_resident_memory_bytes ")[-1]) > 1_000_000


@pytest.mark.parametrize(
    "data",
    [b"nonsense\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000 + b"\r\n\r\n"],
)  # fmt: skip
def test_bad_requests_are_refused_and_survived(app, data):
    with socket.create_connection(("127.0.0.1", app.port), timeout=5) as connection:
        connection.sendall(data)
        assert connection.recv(64).startswith(b"HTTP/1.1 4")
    assert app.get("/healthz")[0] == 200

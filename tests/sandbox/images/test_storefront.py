"""The storefront answers, misbehaves on request and leaves politely; what all apps do alike is in test_manners."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time

import pytest

UID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


def raw(port: int, data: bytes, *, timeout: float = 5) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(data)
        received = b""
        while more := connection.recv(65536):
            received += more
        return received


def test_health_ready_and_pages(shop):
    assert shop.get("/healthz")[0] == 200
    assert shop.get("/readyz")[0] == 200
    status, headers, page = shop.get("/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "Mooring rope" in page
    assert "<h1>Chandlery</h1>" in page
    for path in ("/items", "/api/items"):
        kinds = {item["kind"] for item in json.loads(shop.get(path)[2])["items"]}
        assert kinds == {"rope", "lamp", "chart"}
    assert shop.get("/nothing")[0] == 404
    assert shop.get("/items", method="DELETE")[0] == 405
    assert shop.get("/items", method="HEAD")[2] == ""


def test_whoami_says_who_and_echoes_the_nonce(open_shop):
    shop = open_shop(POD_NAME="storefront-1", POD_UID=UID, NODE_NAME="worker-2")
    status, headers, text = shop.get("/whoami", headers={"X-Glasshull-Nonce": "n-1"})
    said = json.loads(text)
    assert status == 200
    assert set(said) == {
        "app",
        "version",
        "pod",
        "podUid",
        "node",
        "ip",
        "zone",
        "started",
        "served",
        "nonce",
    }
    assert (said["app"], said["version"], said["pod"], said["podUid"]) == (
        "storefront",
        "1.0",
        "storefront-1",
        UID,
    )
    assert (said["node"], said["ip"], said["nonce"], said["served"]) == ("worker-2", "127.0.0.1", "n-1", 0)
    assert (headers["X-Glasshull-Nonce"], headers["X-Glasshull-Pod-Uid"]) == ("n-1", UID)
    assert json.loads(shop.get("/whoami?nonce=n-2")[2])["nonce"] == "n-2"
    assert shop.whoami()["served"] == 2
    assert shop.get("/items?nonce=n-3")[1]["X-Glasshull-Nonce"] == "n-3"


def test_a_nonce_cannot_smuggle_headers_or_html(shop):
    status, headers, text = shop.get("/whoami?nonce=a%0d%0aSet-Cookie:%20x=1%3Cb%3E")
    assert status == 200
    assert "Set-Cookie" not in headers
    assert json.loads(text)["nonce"] == ""


def test_pod_name_falls_back_to_the_hostname(shop):
    assert shop.whoami()["pod"] == socket.gethostname()


def test_start_delay(open_shop):
    began = time.monotonic()
    open_shop(START_DELAY="600ms")
    assert 0.6 <= time.monotonic() - began < 3


@pytest.mark.parametrize("environment", [{"START_DELAY": "soon"}, {"SWITCH": "dance=1"}])
def test_an_environment_without_sense_is_an_exit_with_a_reason(open_shop, environment):
    shop = open_shop(listening=False, **environment)
    assert shop.process.wait(5) == 2
    assert "cannot start" in shop.log.read_text()


def test_exit_by_environment_and_by_switch(open_shop):
    assert open_shop(listening=False, SWITCH="exit=3").process.wait(5) == 3
    shop = open_shop()
    with pytest.raises(Exception, match="without response"):
        shop.switch("exit=3")
    assert shop.process.wait(5) == 3


def test_ready_and_live_switches_touch_only_themselves(shop):
    assert shop.switch("ready=off")[1]["ready"] == "off"
    assert [shop.get(path)[0] for path in ("/readyz", "/healthz", "/items")] == [503, 200, 200]
    shop.switch("ready=on live=off")
    assert [shop.get(path)[0] for path in ("/readyz", "/healthz", "/items")] == [200, 503, 200]
    shop.switch("reset")
    assert [shop.get(path)[0] for path in ("/readyz", "/healthz")] == [200, 200]


def test_switch_by_environment(open_shop):
    shop = open_shop(SWITCH="ready=off,slow=10ms")
    assert shop.get("/readyz")[0] == 503
    assert json.loads(shop.get("/switch", port=shop.admin)[2])["slow"] == "10ms"


def test_error_fails_every_third(shop):
    shop.switch("error=0.33")
    statuses = [shop.get("/items")[0] for _ in range(12)]
    assert statuses == [200, 200, 500] * 4
    assert shop.get("/healthz")[0] == 200
    shop.switch("error=0")
    assert {shop.get("/items")[0] for _ in range(6)} == {200}


def test_clients_that_gave_up_on_a_hanging_app_free_their_places(shop):
    shop.switch("hang")
    for _ in range(80):  # more than the server has places
        connection = socket.create_connection(("127.0.0.1", shop.port), timeout=2)
        connection.sendall(b"GET /items HTTP/1.1\r\n\r\n")
        connection.close()
    shop.switch("hang=off")
    assert shop.get("/items")[0] == 200


@pytest.mark.parametrize(
    "words",
    ["", "dance=1", "slow=fast", "error=2", "exit=999", "ready=maybe", "hang=stock", "leak=2Gi/s", "spin=2"],
)
def test_wrong_switches_are_refused_and_change_nothing(shop, words):
    before = shop.switch("ready=on")[1]
    status, said = shop.switch(f"live=off {words}" if words else "")
    assert status == 400
    assert said["error"]
    assert json.loads(shop.get("/switch", port=shop.admin)[2]) == before


def test_switches_are_out_of_reach_on_the_service_port(shop):
    assert shop.get("/switch")[0] == 404


def test_sigterm_leaves_as_the_shop_promises(shop):
    began = time.monotonic()
    shop.terminate()
    time.sleep(0.1)
    assert shop.get("/readyz")[0] == 503
    while time.monotonic() - began < 0.9:
        assert shop.get("/items")[0] == 200
        time.sleep(0.05)
    assert shop.process.wait(5) == 0
    assert 1.0 <= time.monotonic() - began < 2.0
    with pytest.raises(ConnectionRefusedError):
        shop.get("/items")


def test_interrupt_is_a_polite_leave_too(shop):
    shop.process.send_signal(signal.SIGINT)
    assert shop.process.wait(5) == 0


def test_metrics(shop):
    shop.get("/items")
    shop.get("/nothing")
    text = shop.get("/metrics")[2]
    assert 'shop_requests_total{route="/items",code="200"} 1' in text
    assert 'shop_requests_total{route="other",code="404"} 1' in text
    assert "shop_inflight 1" in text
    assert 'shop_request_seconds_bucket{le="+Inf"} 2' in text
    assert int(text.split("process_resident_memory_bytes ")[-1]) > 1_000_000


def test_resident_memory_stays_within_13_mib_under_load(shop):
    def ask():
        for _ in range(40):
            shop.get("/")

    customers = [threading.Thread(target=ask) for _ in range(8)]
    for customer in customers:
        customer.start()
    for customer in customers:
        customer.join(30)
    resident = int(shop.get("/metrics")[2].split("process_resident_memory_bytes ")[-1])
    assert resident <= 13 * 1024 * 1024


def test_keep_alive_and_pipelined_requests(shop):
    answer = raw(shop.port, b"GET /healthz HTTP/1.1\r\n\r\nGET /readyz HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.count(b"Connection: keep-alive") == 1
    assert raw(shop.port, b"GET /healthz HTTP/1.0\r\n\r\n").count(b"HTTP/1.1 200 OK") == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 9000, 431),
    ],
)
def test_bad_requests_are_refused_and_survived(shop, data, status):
    assert raw(shop.port, data).startswith(f"HTTP/1.1 {status} ".encode())
    assert shop.get("/healthz")[0] == 200


def test_a_greeting_is_escaped(open_shop):
    assert "<h1>&lt;b&gt;Ahoy" in open_shop(GREETING="<b>Ahoy").get("/")[2]

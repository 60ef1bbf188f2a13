"""The whole shop in both its forms: the same pages and data, and different ways to break."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

IDS = {"rope-12", "rope-20", "lamp-anchor", "lamp-side", "chart-harbour", "chart-coast"}


def counts(front) -> dict[str, object]:
    status, listing = front.ask("/items")
    assert status == 200, listing
    return {item["id"]: item["stock"] for item in listing["items"]}


def test_both_forms_show_the_same_goods(form):
    assert counts(form.front) == dict.fromkeys(IDS, 1000)
    page = form.front.get("/")[2]
    assert "<th>In stock</th>" in page
    assert "Tide table" not in page
    assert form.front.get("/tides")[0] == 404


@pytest.mark.parametrize("kind", ["microservices", "monolith"])
def test_release_1_1_shows_a_tide_table(request, kind):
    form = request.getfixturevalue(kind)("1.1")
    assert "Tide table" in form.front.get("/")[2]
    status, found = form.front.ask("/api/tides")
    assert status == 200
    assert {tide["water"] for tide in found["tides"]} == {"high", "low"}
    assert form.front.whoami()["version"] == "1.1"
    assert form.front.ask("/items")[1]["version"] == "1.1"


def test_an_order_is_taken_once_however_often_it_is_sent(form):
    order = {"id": "ship-1", "items": {"rope-12": 3, "lamp-side": 1}}
    status, _, text = form.front.post("/orders", order)
    assert (status, json.loads(text)) == (201, {"id": "ship-1", "state": "dispatched", "duplicate": False})
    with ThreadPoolExecutor(8) as customers:
        again = list(customers.map(lambda _: form.front.post("/api/orders", order), range(16)))
    assert {status for status, _, _ in again} == {200}
    assert {json.loads(text)["duplicate"] for _, _, text in again} == {True}
    left = counts(form.front)
    assert (left["rope-12"], left["lamp-side"], left["rope-20"]) == (997, 999, 1000)
    assert form.front.ask("/orders/ship-1")[1]["items"] == order["items"]
    assert form.front.ask("/ledger")[1] == {"accepted": 1, "dispatched": 1, "duplicates": 0, "lost": 0}
    assert form.front.ask("/orders/other")[0] == 404


def test_orders_at_once_never_sell_what_is_not_there(form):
    def order(n: int) -> int:
        return form.front.post("/orders", {"id": f"o-{n}", "items": {"chart-coast": 300}})[0]

    with ThreadPoolExecutor(6) as customers:
        statuses = sorted(customers.map(order, range(6)))
    assert statuses == [201, 201, 201, 409, 409, 409]
    assert counts(form.front)["chart-coast"] == 100
    assert form.front.ask("/ledger")[1]["accepted"] == 3


@pytest.mark.parametrize(
    "order",
    ["{", {}, {"id": "x"}, {"id": "x y", "items": {"rope-12": 1}}, {"id": "x", "items": {"whale": 1}},
     {"id": "x", "items": {"rope-12": -1}}],
)  # fmt: skip
def test_what_is_no_order_is_refused_with_a_reason(form, order):
    status, _, text = form.front.post("/orders", order)
    assert status == 400
    assert json.loads(text)["error"]
    assert form.front.ask("/ledger")[1]["accepted"] == 0


@pytest.mark.parametrize("store", ["memory", "stock"])
@pytest.mark.parametrize("kind", ["microservices", "monolith"])
def test_a_basket_is_found_again_by_its_cookie(request, kind, store):
    form = request.getfixturevalue(kind)(STORE=store)
    status, headers, text = form.front.post("/basket", {"item": "rope-20", "n": 2})
    assert status == 200
    cookie = {"Cookie": headers["Set-Cookie"].partition(";")[0]}
    form.front.post("/basket", {"item": "lamp-side"}, headers=cookie)
    status, basket = form.front.ask("/basket", headers=cookie)
    assert (status, basket["items"]) == (200, {"rope-20": 2, "lamp-side": 1})
    assert basket["basket"] == json.loads(text)["basket"]
    assert form.front.get("/basket", headers={"Cookie": "basket=lost"})[0] == 404
    assert form.front.get("/basket")[0] == 404


def test_baskets_in_memory_are_lost_with_the_copy_and_counted(monolith):
    front = monolith().front
    assert front.get("/basket", headers={"Cookie": "basket=of-another-copy"})[0] == 404
    assert "shop_baskets_lost_total 1" in front.get("/metrics")[2]


def test_a_stock_that_hangs_stops_the_whole_monolith_once_somebody_asks_it(monolith):
    front = monolith().front
    assert front.switch("hang=stock")[1]["hang"] == "stock"
    assert front.get("/healthz", timeout=1)[0] == 200  # nobody has asked the stock yet
    assert front.silent_on("/items")  # who asks it stops all
    assert front.silent_on("/ledger", "/tides", "/healthz", "/readyz")
    assert front.switch("hang=off")[0] == 200
    assert [front.get(path)[0] for path in ("/items", "/readyz", "/ledger")] == [200, 200, 200]


def test_a_stock_that_hangs_stops_browsing_without_a_fallback_and_is_named(microservices):
    form = microservices()
    form.parts["stock"].switch("hang=stock")
    began = time.monotonic()
    assert form.front.ask("/items") == (504, {"error": "timed out: 127.0.0.1"})
    assert time.monotonic() - began < 1.0  # within a customer's patience
    assert form.parts["catalogue"].ask("/items", timeout=2)[0] == 504
    assert [form.front.get(path)[0] for path in ("/readyz", "/ledger", "/whoami")] == [200, 200, 200]
    form.parts["stock"].switch("hang=off")
    assert form.front.get("/items")[0] == 200


def test_with_a_fallback_browsing_goes_on_without_the_stock(microservices):
    form = microservices(STOCK_FALLBACK="unknown")
    assert counts(form.front)["rope-12"] == 1000
    form.parts["stock"].switch("hang")
    took = []
    for _ in range(8):
        began = time.monotonic()
        assert set(counts(form.front).values()) == {"unknown"}
        took.append(time.monotonic() - began)
    assert took[0] < 0.6
    assert max(took[1:]) < 0.15  # the breaker spares them the wait
    assert "unknown" in form.front.get("/")[2]
    form.parts["stock"].switch("hang=off")
    time.sleep(2.1)
    assert counts(form.front)["rope-12"] == 1000


def test_a_fallback_in_the_catalogue_does_it_too(microservices):
    form = microservices(catalogue={"STOCK_FALLBACK": "unknown"})
    form.parts["stock"].switch("hang")
    assert set(counts(form.front).values()) == {"unknown"}


def test_ordering_degrades_politely_with_a_fallback(microservices):
    form = microservices(orders={"STOCK_FALLBACK": "unknown"})
    form.parts["stock"].switch("hang")
    status, _, text = form.front.post("/orders", {"id": "late", "items": {"rope-12": 1}})
    assert (status, json.loads(text)["state"]) == (201, "waiting")
    assert form.front.ask("/ledger")[1] == {"accepted": 1, "dispatched": 0, "duplicates": 0, "lost": 0}
    form.parts["stock"].switch("hang=off")
    deadline = time.monotonic() + 5
    while form.front.ask("/orders/late")[1]["state"] != "dispatched":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert counts(form.front)["rope-12"] == 999
    assert form.front.ask("/ledger")[1] == {"accepted": 1, "dispatched": 1, "duplicates": 0, "lost": 0}


def test_without_a_fallback_an_order_is_refused_and_may_be_sent_again(microservices):
    form = microservices()
    order = {"id": "again", "items": {"rope-12": 1}}
    form.parts["stock"].switch("hang")
    assert form.front.post("/orders", order)[0] == 504
    form.parts["stock"].switch("hang=off")
    assert form.front.post("/orders", order)[0] == 201


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://no-such-name.invalid", "no such name: no-such-name.invalid"),
        ("http://127.0.0.1:1", "refused: 127.0.0.1"),
    ],
)
def test_a_part_that_is_not_there_is_spelled_out(open_app, url, error):
    shop = open_app("storefront:1.0", CATALOGUE_URL=url)
    assert shop.ask("/items") == (502, {"error": error})


def test_a_part_that_answers_nonsense_is_spelled_out(open_app):
    stock = open_app("storefront:1.0")  # any app: its page is no stock
    listing = open_app("catalogue:1.0", STOCK_URL=stock.url, CATALOGUE_BATCH="off")
    status, said = listing.ask("/items")
    assert status >= 500
    assert said["error"]


def test_the_catalogue_asks_once_or_once_per_item(microservices):
    for batch, asked in (("on", 1), ("off", 6)):
        form = microservices(catalogue={"CATALOGUE_BATCH": batch})
        assert len(counts(form.front)) == 6
        text = form.parts["stock"].get("/metrics")[2]
        told = [line for line in text.splitlines() if line.startswith('shop_requests_total{route="/stock')]
        assert sum(int(line.rpartition(" ")[2]) for line in told) == asked


def test_ready_needs_what_the_manifest_names(open_app):
    stock = open_app("stock:1.0")
    shop = open_app("storefront:1.0", READY_NEEDS="stock", STOCK_URL=stock.url)
    assert shop.get("/readyz")[0] == 200
    stock.switch("ready=off")
    assert shop.ask("/readyz") == (503, {"error": "127.0.0.1 answered 503"})
    stock.switch("hang")
    assert shop.ask("/readyz") == (503, {"error": "timed out: 127.0.0.1"})
    assert shop.get("/healthz")[0] == 200
    stock.switch("reset")
    assert shop.get("/readyz")[0] == 200


@pytest.mark.parametrize("image", ["storefront:1.0", "stock:1.0"])
def test_paced_work_gives_every_machine_the_same_capacity(open_app, image):
    shop = open_app(image, WORK_MS="120", CPU_LIMIT_M="200")  # 60 ms each
    began = time.monotonic()
    with ThreadPoolExecutor(4) as customers:
        list(customers.map(lambda _: shop.get("/whoami"), range(8)))
    assert 0.48 <= time.monotonic() - began < 1.2
    began = time.monotonic()
    assert shop.get("/readyz")[0] == 200
    assert time.monotonic() - began < 0.1  # health is not the shop's work


@pytest.mark.parametrize(
    "environment", [{"WORK_MS": "much"}, {"CPU_LIMIT_M": "0", "WORK_MS": "1"}, {"STOCK_FALLBACK": "maybe"},
                    {"CATALOGUE_URL": "catalogue"}, {"STORE": "cloud"}, {"STORE": "stock"}]
)  # fmt: skip
def test_a_storefront_told_nonsense_says_what(open_app, environment):
    shop = open_app("storefront:1.0", listening=False, **environment)
    assert shop.process.wait(5) == 2
    assert "cannot start: " in shop.log.read_text()


@pytest.fixture
def collector():
    """(address, spans) of a collector as Zipkin has it."""
    spans: list[dict] = []

    class Collect(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/api/v2/spans":
                spans.extend(json.loads(body))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *words) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Collect)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", spans
    server.shutdown()
    thread.join(5)
    server.server_close()


def chain(open_app, collector: str, **listing: str):
    stock = open_app("stock:1.0", TRACE_URL=collector)
    catalogue = open_app("catalogue:1.0", STOCK_URL=stock.url, TRACE_URL=collector, **listing)
    return open_app("storefront:1.0", CATALOGUE_URL=catalogue.url, TRACE_URL=collector)


def spans_of(spans: list[dict], count: int) -> dict[str, dict]:
    deadline = time.monotonic() + 5
    while len(spans) < count:
        assert time.monotonic() < deadline, spans
        time.sleep(0.05)
    return {span["localEndpoint"]["serviceName"]: span for span in spans}


def test_one_click_is_one_trace_through_three_services(open_app, collector):
    address, spans = collector
    shop = chain(open_app, address)
    shop.get("/items", headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
    found = spans_of(spans, 3)
    assert {span["traceId"] for span in found.values()} == {"ab" * 16}
    assert found["storefront"]["parentId"] == "cd" * 8
    assert found["catalogue"]["parentId"] == found["storefront"]["id"]
    assert found["stock"]["parentId"] == found["catalogue"]["id"]
    assert found["stock"]["name"] == "get /stock"
    assert found["storefront"]["duration"] >= found["catalogue"]["duration"] > 0
    assert found["storefront"]["tags"]["http.status_code"] == "200"


def test_trace_off_breaks_the_trace_in_two(open_app, collector):
    address, spans = collector
    shop = chain(open_app, address, TRACE="off")
    shop.get("/items")
    found = spans_of(spans, 3)
    assert found["catalogue"]["traceId"] == found["storefront"]["traceId"]
    assert found["stock"]["traceId"] != found["catalogue"]["traceId"]
    assert "parentId" not in found["stock"]


def test_a_collector_that_is_away_makes_nobody_wait(open_app):
    shop = open_app("storefront:1.0", TRACE_URL="http://127.0.0.1:1")
    began = time.monotonic()
    assert {shop.get("/items")[0] for _ in range(20)} == {200}
    assert time.monotonic() - began < 1
    time.sleep(1.2)
    assert shop.get("/items")[0] == 200


@pytest.mark.parametrize("image", ["storefront:1.0", "storefront:1.1", "catalogue:1.0", "orders:1.0"])
def test_resident_memory_of_a_service(open_app, image):
    shop = open_app(image)
    for _ in range(40):
        shop.get("/items")
    assert shop.resident() <= 14 * 2**20


def test_resident_memory_of_the_stock(open_app):
    stock = open_app("stock:1.0")
    with ThreadPoolExecutor(8) as customers:
        list(customers.map(lambda _: stock.get("/stock"), range(200)))
    assert stock.resident() <= 12 * 2**20


def test_resident_memory_of_the_monolith(monolith):
    front = monolith("1.1").front
    with ThreadPoolExecutor(8) as customers:
        list(customers.map(lambda _: front.get("/items"), range(200)))
    assert front.resident() <= 16 * 2**20

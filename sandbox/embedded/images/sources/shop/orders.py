"""Orders: each is taken once, however often it is sent, and packed here."""

import _thread
import posix
import sys
import time

sys.path.insert(0, __file__.rpartition("/")[0] or ".")  # `-I` leaves the program's own folder out

from chandlery.app import App, problem
from chandlery.goods import wanted
from chandlery.keeping import MOST_KEPT, own_id
from chandlery.server import Request, Response
from chandlery.text import to_json
from chandlery.upstream import FALLBACK_PATIENCE, PATIENCE, Unreached, falls_back, from_environment

RETRY = 1.0  # seconds between two attempts to take goods for waiting orders


class SoldOut(Exception):
    """The stock has fewer pieces than were ordered."""


class Orders:
    """`stock` is a part to ask, or None: then goods are not counted. Raises ValueError.

    An order is accepted, then packed ("dispatched") once its goods are taken from the stock. With
    STOCK_FALLBACK=unknown an order is accepted without the stock and waits for it.
    """

    def __init__(self, app: App, stock) -> None:  # noqa: ANN001 - Remote, Local or None
        self._app = app
        self._stock = stock
        self._falls_back = falls_back() and stock is not None
        self._lock = _thread.allocate_lock()
        self._orders: dict[str, dict[str, object]] = {}
        self._packed = 0  # effects, so an order packed twice counts twice
        self._accepted = 0
        self._again = 0
        if self._falls_back:
            _thread.start_new_thread(self._keep_trying, ())

    def pages(self) -> dict[str, object]:
        return {"POST /orders": self._post, "/orders/*": self._show, "/ledger": self._ledger}

    def _post(self, request: Request) -> Response:
        try:
            order = request.map()
            name, items = own_id(order.get("id"), "id"), wanted(order.get("items"))
        except ValueError as wrong:
            return problem(400, str(wrong))
        with self._lock:
            known = self._orders.get(name)
            if known is None:
                self._forget_oldest()
                self._orders[name] = {"items": items, "state": "new"}
        if known is not None:
            return Response(200, to_json({"id": name, "state": known["state"], "duplicate": True}))
        try:
            state = self._accept(request, name, items)
        except (SoldOut, Unreached) as refused:
            with self._lock:
                del self._orders[name]
            return problem(getattr(refused, "status", 409), str(refused))
        return Response(201, to_json({"id": name, "state": state, "duplicate": False}))

    def _accept(self, request: Request, name: str, items: dict[str, int]) -> str:
        """Its state. Raises SoldOut, Unreached."""
        try:
            self._take(request, name, items, FALLBACK_PATIENCE if self._falls_back else PATIENCE)
        except Unreached:
            if not self._falls_back:
                raise
            self._note(name, "waiting")
            return "waiting"
        self._note(name, "dispatched")
        return "dispatched"

    def _take(self, request: Request | None, name: str, items: dict[str, int], patience: float) -> None:
        if self._stock:
            body = to_json({"order": name, "items": items})
            answer = self._stock.ask(request, "POST", "/take", body, patience)
            if answer.status != 200:
                raise SoldOut(str(answer.json().get("error", "sold out")))

    def _note(self, name: str, state: str) -> None:
        with self._lock:
            order = self._orders[name]
            if order["state"] == "new":
                self._accepted += 1
                self._app.metrics.count('shop_orders_total{state="accepted"}')
            if state == "dispatched":
                self._packed += 1
                self._again += order["state"] == "dispatched"
                self._app.metrics.count('shop_orders_total{state="dispatched"}')
            order["state"] = state

    def _keep_trying(self) -> None:
        while True:
            time.sleep(RETRY)
            with self._lock:
                waiting = [(name, order["items"]) for name, order in self._orders.items() if order["state"] == "waiting"]
            for name, items in waiting:
                try:
                    self._take(None, name, items, PATIENCE)
                except Unreached:
                    break  # the next round asks again
                except SoldOut:
                    continue  # waits for the next delivery
                self._note(name, "dispatched")

    def _forget_oldest(self) -> None:
        if len(self._orders) >= MOST_KEPT:
            done = next((name for name, order in self._orders.items() if order["state"] == "dispatched"), None)
            if done is not None:
                del self._orders[done]

    def _show(self, request: Request) -> Response:
        name = request.last()
        order = self._orders.get(name)
        if order is None:
            return problem(404, "no such order")
        return Response(200, to_json({"id": name, "state": order["state"], "items": order["items"]}))

    def _ledger(self, request: Request) -> Response:
        with self._lock:
            waiting = sum(order["state"] == "waiting" for order in self._orders.values())
            packed = self._packed - self._again
            return Response(200, to_json({
                "accepted": self._accepted, "dispatched": packed, "duplicates": self._again,
                "lost": self._accepted - packed - waiting,
            }))  # fmt: skip


if __name__ == "__main__":
    app = App("orders")
    posix._exit(app.run(lambda: Orders(app, from_environment("stock")).pages()))

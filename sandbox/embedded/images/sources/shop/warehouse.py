"""The stock as a module of the monolith: the same pages as the service `stock` (written in Go) has."""

import _thread

from chandlery.app import problem
from chandlery.goods import IDS, wanted
from chandlery.keeping import fill, own_id, remember
from chandlery.server import Request, Response
from chandlery.text import to_json

AT_START = 1000  # pieces of each item


class Warehouse:
    """Counts goods and keeps baskets; a lock makes it one writer."""

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._counts = dict.fromkeys(sorted(IDS), AT_START)
        self._taken: dict[str, bool] = {}
        self._baskets: dict[str, dict[str, int]] = {}

    def pages(self) -> dict[str, object]:
        return {"/stock": self._all, "/stock/*": self._one, "POST /take": self._take,
                "/baskets/*": self._basket, "POST /baskets/*": self._fill}  # fmt: skip

    def _all(self, request: Request) -> Response:
        with self._lock:
            return Response(200, to_json({"stock": self._counts}))

    def _one(self, request: Request) -> Response:
        name = request.last()
        with self._lock:
            count = self._counts.get(name)
        if count is None:
            return problem(404, "the shop has no such item")
        return Response(200, to_json({"id": name, "count": count}))

    def _take(self, request: Request) -> Response:
        try:
            body = request.map()
            order, items = own_id(body.get("order"), "order"), wanted(body.get("items"))
        except ValueError as wrong:
            return problem(400, str(wrong))
        with self._lock:
            if order not in self._taken:
                short = next((name for name, pieces in items.items() if self._counts[name] < pieces), None)
                if short is not None:
                    return problem(409, f"sold out: {short}")
                for name, pieces in items.items():
                    self._counts[name] -= pieces
                remember(self._taken, order, True)
            return Response(200, to_json({"order": order, "taken": True}))

    def _basket(self, request: Request) -> Response:
        with self._lock:
            items = self._baskets.get(request.last())
            if items is None:
                return problem(404, "no such basket")
            return Response(200, to_json({"basket": request.last(), "items": items}))

    def _fill(self, request: Request) -> Response:
        try:
            name, items = own_id(request.last(), "basket"), wanted(request.map().get("items"))
        except ValueError as wrong:
            return problem(400, str(wrong))
        with self._lock:
            return Response(200, to_json({"basket": name, "items": fill(self._baskets, name, items)}))

"""The catalogue: what there is to buy, and how much of it is left."""

import posix
import sys

sys.path.insert(0, __file__.rpartition("/")[0] or ".")  # `-I` leaves the program's own folder out

from chandlery.app import App, problem
from chandlery.goods import IDS, ITEMS
from chandlery.identity import pod_name, variable
from chandlery.server import Request, Response
from chandlery.text import to_json
from chandlery.upstream import FALLBACK_PATIENCE, PATIENCE, Breaker, Unreached, falls_back, from_environment

UNKNOWN = "unknown"


class Catalogue:
    """`stock` is a part to ask, or None: then nothing is said about what is left. Raises ValueError."""

    def __init__(self, app: App, stock) -> None:  # noqa: ANN001 - Remote, Local or None
        self._app = app
        self._stock = stock
        self._falls_back = falls_back()
        self._breaker = Breaker()
        self._batch = variable("CATALOGUE_BATCH", "on")
        if self._batch not in ("on", "off"):
            raise ValueError(f"CATALOGUE_BATCH is {self._batch!r}; say on or off")

    def pages(self) -> dict[str, object]:
        return {"/items": self._items, "/items/*": self._item}

    def _items(self, request: Request) -> Response:
        counts = {} if request.query.get("stock") == "no" else self._counts(request, [item["id"] for item in ITEMS])
        items = [self._shown(item, counts) for item in ITEMS]
        return Response(200, to_json({"items": items, "pod": pod_name(), "version": self._app.version}))

    def _item(self, request: Request) -> Response:
        name = request.last()
        if name not in IDS:
            return problem(404, "the shop has no such item")
        counts = self._counts(request, [name])
        return Response(200, to_json(next(self._shown(item, counts) for item in ITEMS if item["id"] == name)))

    def _shown(self, item: dict[str, object], counts: dict[str, object]) -> dict[str, object]:
        return {**item, "stock": counts.get(item["id"], UNKNOWN)} if self._stock else item

    def _counts(self, request: Request, names: list[str]) -> dict[str, object]:
        """item id -> pieces left; empty where that is not known. Raises Unreached."""
        if not self._stock:
            return {}
        if not self._falls_back:
            return self._ask(request, names, PATIENCE)
        if not self._breaker.lets_through():
            return {}
        try:
            counts = self._ask(request, names, FALLBACK_PATIENCE)
        except Unreached:
            self._breaker.note(reached=False)
            return {}
        self._breaker.note(reached=True)
        return counts

    def _ask(self, request: Request, names: list[str], patience: float) -> dict[str, object]:
        if self._batch == "on":
            return self._stock.ask(request, "GET", "/stock", patience=patience).json()["stock"]
        return {
            name: self._stock.ask(request, "GET", f"/stock/{name}", patience=patience).json()["count"] for name in names
        }


if __name__ == "__main__":
    app = App("catalogue")
    posix._exit(app.run(lambda: Catalogue(app, from_environment("stock")).pages()))

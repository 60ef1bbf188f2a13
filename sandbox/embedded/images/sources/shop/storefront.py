"""The storefront of the shop Chandlery: what customers see."""

import posix
import sys
import time

sys.path.insert(0, __file__.rpartition("/")[0] or ".")  # `-I` leaves the program's own folder out

import release
from chandlery.app import App, problem
from chandlery.goods import ITEMS, wanted
from chandlery.identity import pod_name, variable
from chandlery.keeping import fill, own_id
from chandlery.server import Request, Response
from chandlery.text import safe_token, to_json
from chandlery.tracing import new_id
from chandlery.upstream import FALLBACK_PATIENCE, PATIENCE, Breaker, Unreached, falls_back, from_environment

# The catalogue spends PATIENCE on the stock and must still be able to say so.
CATALOGUE_PATIENCE = PATIENCE + 0.2

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Chandlery</title><style>
body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#1d2b36}}
table{{width:100%;border-collapse:collapse}}td,th{{padding:.4rem;border-bottom:1px solid #c9d4dc;text-align:left}}
td:last-child,th:last-child{{text-align:right}}footer{{margin-top:2rem;color:#56687a;font-size:.875rem}}
</style></head><body><h1>{greeting}</h1><p>Rope, lamps and charts for every ship.</p>
<table><thead><tr><th>Item</th><th>Unit</th>{stock}<th>Price</th></tr></thead><tbody>
{rows}
</tbody></table>{extra}<footer>Served by {pod}, version {version}.</footer></body></html>
"""


class Storefront:
    """The pages. Each part is something to ask, or None: the shop then does without it. Raises ValueError."""

    def __init__(self, app: App, *, catalogue, orders, stock) -> None:  # noqa: ANN001 - Remote, Local or None
        self._app = app
        self._catalogue = catalogue
        self._orders = orders
        self._falls_back = falls_back()
        self._breaker = Breaker()
        store = variable("STORE", "memory")
        if store not in ("memory", "stock") or (store == "stock" and stock is None):
            raise ValueError(f"STORE is {store!r}; say memory, or stock and where it is (STOCK_URL)")
        self._store = stock if store == "stock" else None
        self._baskets: dict[str, dict[str, int]] = {}

    def pages(self) -> dict[str, object]:
        found = {"/items": self._items, "/basket": self._basket, "POST /basket": self._fill,
                 "POST /orders": self._order, "/orders/*": self._orders_page, "/ledger": self._orders_page,
                 **release.pages()}  # fmt: skip
        below = {key.replace("/", "/api/", 1): handler for key, handler in found.items()}
        return {"/": self._home, **found, **below}

    def _home(self, request: Request) -> Response:
        items = self._listing(request)
        counted = any("stock" in item for item in items)
        page = PAGE.format(
            greeting=escape(variable("GREETING", "Chandlery")),
            stock="<th>In stock</th>" if counted else "",
            rows="\n".join(row(item, counted=counted) for item in items),
            extra=release.extra(time.time()),
            pod=escape(pod_name()),
            version=escape(self._app.version),
        )
        return Response(200, page, "text/html")

    def _items(self, request: Request) -> Response:
        listing = {"items": self._listing(request), "pod": pod_name(), "version": self._app.version}
        return Response(200, to_json(listing))

    def _listing(self, request: Request) -> list[dict[str, object]]:
        """The goods, with what the catalogue knows of the stock. Raises Unreached."""
        if self._catalogue is None:
            return list(ITEMS)
        if not self._falls_back:
            return self._ask_catalogue(request, "/items", CATALOGUE_PATIENCE)
        if self._breaker.lets_through():
            try:
                items = self._ask_catalogue(request, "/items", FALLBACK_PATIENCE)
            except Unreached:
                self._breaker.note(reached=False)
            else:
                self._breaker.note(reached=True)
                return items
        return self._ask_catalogue(request, "/items?stock=no", CATALOGUE_PATIENCE)

    def _ask_catalogue(self, request: Request, target: str, patience: float) -> list[dict[str, object]]:
        return self._catalogue.ask(request, "GET", target, patience=patience).json()["items"]

    def _basket(self, request: Request) -> Response:
        name = basket_of(request)
        if self._store and name:
            return passed_on(self._store.ask(request, "GET", f"/baskets/{name}"))
        if name not in self._baskets:
            if name:
                self._app.metrics.count("shop_baskets_lost_total")
            return problem(404, "no such basket")
        return Response(200, to_json({"basket": name, "items": self._baskets[name]}))

    def _fill(self, request: Request) -> Response:
        """`{"item": "rope-12", "n": 1}` into the basket that the cookie names, else into a new one."""
        try:
            body = request.map()
            items = wanted({str(body.get("item")): body.get("n", 1)})
        except ValueError as wrong:
            return problem(400, str(wrong))
        name = basket_of(request) or new_id(8)
        if self._store:
            response = passed_on(self._store.ask(request, "POST", f"/baskets/{name}", to_json({"items": items})))
        else:
            response = Response(200, to_json({"basket": name, "items": fill(self._baskets, name, items)}))
        response.headers["Set-Cookie"] = f"basket={name}; Path=/; HttpOnly; SameSite=Lax"
        return response

    def _order(self, request: Request) -> Response:
        try:
            body = request.map()
            order = {"id": own_id(body.get("id"), "id"), "items": wanted(body.get("items"))}
        except ValueError as wrong:
            return problem(400, str(wrong))
        if self._orders is None:
            return problem(404, "this shop takes no orders: ORDERS_URL is not set")
        return passed_on(self._orders.ask(request, "POST", "/orders", to_json(order), CATALOGUE_PATIENCE))

    def _orders_page(self, request: Request) -> Response:
        if self._orders is None:
            return problem(404, "this shop takes no orders: ORDERS_URL is not set")
        target = "/ledger" if request.path.endswith("/ledger") else f"/orders/{safe_token(request.last())}"
        return passed_on(self._orders.ask(request, "GET", target))


def basket_of(request: Request) -> str:
    """The basket's id in the cookie; nothing where there is none that we gave."""
    for part in request.headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "basket":
            return safe_token(value)
    return ""


def passed_on(answer) -> Response:  # noqa: ANN001
    return Response(answer.status, answer.body)


def row(item: dict[str, object], *, counted: bool) -> str:
    stock = f"<td>{escape(str(item.get('stock', '')))}</td>" if counted else ""
    return f"<tr><td>{escape(item['name'])}</td><td>{item['unit']}</td>{stock}<td>{item['price']:.2f}</td></tr>"


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def from_parts_named(app: App) -> dict[str, object]:
    """Pages of a storefront whose parts are behind names."""
    parts = {name: from_environment(name) for name in ("catalogue", "orders", "stock")}
    return Storefront(app, **parts).pages()


if __name__ == "__main__":
    app = App("storefront")
    posix._exit(app.run(lambda: from_parts_named(app)))  # threads of requests that never end must not hold the exit

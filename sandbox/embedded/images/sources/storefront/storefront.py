"""The storefront of the shop Chandlery: what customers see."""

import posix
import sys

sys.path.insert(0, __file__.rpartition("/")[0] or ".")  # `-I` leaves the program's own folder out

from chandlery.app import App
from chandlery.identity import pod_name, variable
from chandlery.server import Request, Response
from chandlery.text import to_json

ITEMS = (
    {"id": "rope-12", "name": "Mooring rope, 12 mm", "kind": "rope", "unit": "m", "price": 3.4},
    {"id": "rope-20", "name": "Towing rope, 20 mm", "kind": "rope", "unit": "m", "price": 7.9},
    {"id": "lamp-anchor", "name": "Anchor lamp, white", "kind": "lamp", "unit": "piece", "price": 48.0},
    {"id": "lamp-side", "name": "Side lamps, red and green", "kind": "lamp", "unit": "pair", "price": 86.0},
    {"id": "chart-harbour", "name": "Harbour chart", "kind": "chart", "unit": "sheet", "price": 19.5},
    {"id": "chart-coast", "name": "Coast chart", "kind": "chart", "unit": "sheet", "price": 24.0},
)

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Chandlery</title><style>
body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#1d2b36}}
table{{width:100%;border-collapse:collapse}}td,th{{padding:.4rem;border-bottom:1px solid #c9d4dc;text-align:left}}
td:last-child,th:last-child{{text-align:right}}footer{{margin-top:2rem;color:#56687a;font-size:.875rem}}
</style></head><body><h1>{greeting}</h1><p>Rope, lamps and charts for every ship.</p>
<table><thead><tr><th>Item</th><th>Unit</th><th>Price</th></tr></thead><tbody>
{rows}
</tbody></table><footer>Served by {pod}, version {version}.</footer></body></html>
"""


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def home(request: Request) -> Response:
    rows = "\n".join(
        f"<tr><td>{escape(item['name'])}</td><td>{item['unit']}</td><td>{item['price']:.2f}</td></tr>" for item in ITEMS
    )
    page = PAGE.format(
        greeting=escape(variable("GREETING", "Chandlery")),
        rows=rows,
        pod=escape(pod_name()),
        version=escape(app.version),
    )
    return Response(200, page, "text/html")


def items(request: Request) -> Response:
    return Response(200, to_json({"items": list(ITEMS), "pod": pod_name(), "version": app.version}))


app = App("storefront", {"/": home, "/items": items, "/api/items": items})

if __name__ == "__main__":
    posix._exit(app.run())  # threads of requests that never end must not hold the exit

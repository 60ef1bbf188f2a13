"""The whole shop in one process: the same modules that the microservices are made of, calling each other."""

import posix
import sys

sys.path.insert(0, __file__.rpartition("/")[0] or ".")  # `-I` leaves the program's own folder out

from catalogue import Catalogue
from chandlery.app import App
from chandlery.upstream import Local, from_environment
from orders import Orders
from storefront import Storefront
from warehouse import Warehouse

PARTS = ("catalogue", "orders", "stock")  # each may hang; the storefront is who asks them


def pages(app: App) -> dict[str, object]:
    """The storefront's, as every part lives in here; but a stock named by STOCK_URL is asked outside. Raises ValueError."""

    def inside(name: str, module) -> Local:  # noqa: ANN001
        return Local(name, module.pages(), app.switches.enter)

    stock = from_environment("stock") or inside("stock", Warehouse())
    catalogue = inside("catalogue", Catalogue(app, stock))
    orders = inside("orders", Orders(app, stock))
    return Storefront(app, catalogue=catalogue, orders=orders, stock=stock).pages()


if __name__ == "__main__":
    app = App("monolith", PARTS)
    posix._exit(app.run(lambda: pages(app)))

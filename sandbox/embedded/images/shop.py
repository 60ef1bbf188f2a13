"""The apps of the shop Chandlery, which lessons name `app/…`.

Python apps share the base layer and the package `chandlery`; a new version adds one layer of a few kB.
The stock is a static Go program on nothing at all: another language, one writer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sandbox.embedded.images.layers import File, Layer, write_layer
from sandbox.embedded.images.oci import RunConfig
from sandbox.embedded.images.workshop import NOBODY, SOURCES, Recipe, Workshop

REGISTRY = "docker.io/app"  # what the short name app/… means to a node
MIB = 2**20


@dataclass(frozen=True)
class App:
    """One version of an app. `memory` is what a lesson may give a copy, in bytes (course.md, section 1.1)."""

    name: str
    version: str
    memory: int
    files: tuple[str, ...] = ()  # under sources/shop, the program first; none for a Go program

    @property
    def image(self) -> str:
        return f"{REGISTRY}/{self.name}:{self.version}"


def storefront(version: str) -> App:
    return App("storefront", version, 24 * MIB, ("storefront.py", f"releases/{version}/release.py"))


def monolith(version: str) -> App:
    modules = ("monolith.py", "storefront.py", "catalogue.py", "orders.py", "warehouse.py")
    return App("monolith", version, 32 * MIB, (*modules, f"releases/{version}/release.py"))


APPS = (
    storefront("1.0"),
    storefront("1.1"),
    App("catalogue", "1.0", 24 * MIB, ("catalogue.py",)),
    App("orders", "1.0", 28 * MIB, ("orders.py",)),
    App("stock", "1.0", 12 * MIB),
    monolith("1.0"),
    monolith("1.1"),
)


def recipe_for(app: App) -> Recipe:
    owner = f"{NOBODY}:{NOBODY}"
    if not app.files:
        config = RunConfig((f"/{app.name}",), owner, {"APP_VERSION": app.version}, ports=(8080,))
        return Recipe(app.image, (f"golang/{app.name}", "golang/go.mod"), partial(make_go, app), config)
    config = RunConfig(
        ("/usr/bin/python3", "-I", "-S", f"/app/{app.files[0]}"),
        owner,
        # One malloc arena: with one per thread glibc keeps a megabyte more for nothing.
        {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1", "APP_VERSION": app.version},
        folder="/app",
        ports=(8080,),
    )
    sources = ("shop/chandlery", *(f"shop/{file}" for file in app.files))
    return Recipe(app.image, sources, partial(make_python, app), config, on_base=True)


def make_python(app: App, workshop: Workshop) -> Sequence[Layer]:
    """The base, what all apps of the shop share, and the app itself."""
    source = SOURCES / "shop"
    shared = [
        File(f"app/chandlery/{path.name}", path) for path in sorted((source / "chandlery").glob("*.py"))
    ]
    own = [File(f"app/{file.rpartition('/')[2]}", source / file) for file in app.files]
    return [
        workshop.base(),
        write_layer(shared, workshop.bench / "chandlery.tar"),
        write_layer(own, workshop.bench / f"{app.name}-{app.version}.own.tar"),
    ]


def make_go(app: App, workshop: Workshop) -> Sequence[Layer]:
    program = workshop.compiled_go(app.name)
    return [
        write_layer([File(app.name, program, 0o755)], workshop.bench / f"{app.name}-{app.version}.own.tar")
    ]


SHOP_RECIPES = tuple(recipe_for(app) for app in APPS)

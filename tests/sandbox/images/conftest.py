"""The shop's apps as their containers run them, on free ports."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sandbox.embedded.images import tools
from sandbox.embedded.images.shop import APPS, App
from sandbox.embedded.images.workshop import SOURCES


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Shop:
    process: subprocess.Popen[bytes]
    port: int
    admin: int
    log: Path

    def get(
        self,
        path: str,
        *,
        timeout: float = 5,
        headers: dict[str, str] | None = None,
        port: int = 0,
        method="GET",
        body: object = None,
    ):
        """(status, headers, text) of one request on its own connection."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)
        try:
            sent = body if body is None or isinstance(body, str) else json.dumps(body)
            connection.request(method, path, body=sent, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            connection.close()

    def post(self, path: str, body: object, **options: Any):
        return self.get(path, method="POST", body=body, **options)

    def ask(self, path: str, **options: Any) -> tuple[int, Any]:
        """(status, JSON)."""
        status, _, text = self.get(path, **options)
        return status, json.loads(text)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def silent_on(self, *paths: str, seconds: float = 0.4) -> bool:
        """Whether none of the pages, all asked at the same time, answers so soon."""

        def silent(path: str) -> bool:
            try:
                self.get(path, timeout=seconds)
            except TimeoutError:
                return True
            return False

        with ThreadPoolExecutor(len(paths)) as customers:
            return all(customers.map(silent, paths))

    def resident(self) -> int:
        """Bytes, as the app itself says on its admin port."""
        text = self.get("/metrics", port=self.admin)[2]
        return int(text.split("process_resident_memory_bytes ")[-1])

    def whoami(self) -> dict[str, Any]:
        return json.loads(self.get("/whoami")[2])

    def switch(self, words: str) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=5)
        try:
            connection.request("POST", "/switch", body=words)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def await_listening(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"not listening: {self.log.read_text()}")


Open = Callable[..., Shop]


@pytest.fixture(scope="session")
def stock_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stock, compiled as for its image."""
    if shutil.which("go") is None:
        pytest.skip("go is not installed")
    program = tmp_path_factory.mktemp("stock") / "stock"
    tools.compile_go(SOURCES / "golang", "stock", program)
    return program


def laid_out(app: App, folder: Path) -> Path:
    """The app's files where its image has them, under `folder`; its program."""
    if not folder.exists():
        folder.mkdir()
        (folder / "chandlery").symlink_to(SOURCES / "shop" / "chandlery")
        for file in app.files:
            (folder / Path(file).name).symlink_to(SOURCES / "shop" / file)
    return folder / app.files[0]


@pytest.fixture
def open_app(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Start apps, by name and version as in `storefront:1.0`, with the given environment.

    `listening=False` does not wait for the port.
    """
    started: list[Shop] = []

    def start(image: str, *, listening: bool = True, **environment: str) -> Shop:
        app = next(each for each in APPS if each.image.endswith(f"/{image}"))
        if app.files:
            program = laid_out(app, tmp_path / image.replace(":", "-"))
            command = [sys.executable, "-I", "-S", "-B", str(program)]
        else:
            command = [str(request.getfixturevalue("stock_program"))]
        port, admin, log = free_port(), free_port(), tmp_path / f"log-{len(started)}"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                env={
                    "PATH": os.defpath,
                    "MALLOC_ARENA_MAX": "1",
                    "APP_VERSION": app.version,
                    "PORT": str(port),
                    "ADMIN_PORT": str(admin),
                    "START_DELAY": "0",
                    **environment,
                },
                stdout=output,
                stderr=output,
            )
        shop = Shop(process, port, admin, log)
        started.append(shop)
        if listening:
            shop.await_listening()
        return shop

    yield start
    for shop in started:
        shop.process.kill()
        shop.process.wait(5)


@pytest.fixture
def open_shop(open_app: Open) -> Open:
    """A storefront on its own, as lesson 14 runs it."""
    return partial(open_app, "storefront:1.0")


@dataclass
class Form:
    """A whole shop. `front` is what customers reach; the monolith is all of its parts at once."""

    front: Shop
    parts: dict[str, Shop]


@pytest.fixture
def microservices(open_app: Open) -> Callable[..., Form]:
    def build(
        version: str = "1.0", *, catalogue: dict | None = None, orders: dict | None = None, **front: str
    ):
        start = partial(open_app, listening=False)  # all at the same time: their ports are known
        stock = start("stock:1.0")
        listing = start("catalogue:1.0", STOCK_URL=stock.url, **(catalogue or {}))
        taking = start("orders:1.0", STOCK_URL=stock.url, **(orders or {}))
        addresses = {"CATALOGUE_URL": listing.url, "ORDERS_URL": taking.url, "STOCK_URL": stock.url}
        shop = start(f"storefront:{version}", **{**addresses, **front})
        parts = {"storefront": shop, "catalogue": listing, "orders": taking, "stock": stock}
        for part in parts.values():
            part.await_listening()
        return Form(shop, parts)

    return build


@pytest.fixture
def monolith(open_app: Open) -> Callable[..., Form]:
    def build(version: str = "1.0", **environment: str) -> Form:
        shop = open_app(f"monolith:{version}", **environment)
        return Form(shop, dict.fromkeys(("storefront", "catalogue", "orders", "stock"), shop))

    return build


@pytest.fixture(params=["microservices", "monolith"])
def form(request: pytest.FixtureRequest) -> Form:
    """Either form, as lesson 01 starts it."""
    return request.getfixturevalue(request.param)()


@pytest.fixture
def shop(open_shop: Open) -> Shop:
    return open_shop()

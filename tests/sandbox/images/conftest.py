"""A storefront as its container runs it, on free ports."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.embedded.images.workshop import SOURCES

PROGRAM = SOURCES / "storefront" / "storefront.py"


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
    ):
        """(status, headers, text) of one request on its own connection."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            connection.close()

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


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[Open]:
    """Start storefronts with the given environment; `listening=False` does not wait for the port."""
    shops: list[Shop] = []

    def start(*, listening: bool = True, **environment: str) -> Shop:
        port, admin, log = free_port(), free_port(), tmp_path / f"log-{len(shops)}"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", str(PROGRAM)],
                env={
                    "PATH": os.defpath,
                    "PORT": str(port),
                    "ADMIN_PORT": str(admin),
                    "START_DELAY": "0",
                    **environment,
                },
                stdout=output,
                stderr=output,
            )
        shop = Shop(process, port, admin, log)
        shops.append(shop)
        if listening:
            shop.await_listening()
        return shop

    yield start
    for shop in shops:
        shop.process.kill()
        shop.process.wait(5)


@pytest.fixture
def shop(open_shop: Open) -> Shop:
    return open_shop()

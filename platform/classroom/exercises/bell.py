"""A bell between worker and web: one datagram on a Unix socket. Losing it costs five seconds."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path


def ring(path: Path) -> None:
    """Never waits and never fails: nobody may be listening."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.setblocking(False)
        bell.sendto(b"mark", str(path))


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, rung: Callable[[], None]) -> None:
        self._rung = rung

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._rung()


async def listen(path: Path, rung: Callable[[], None]) -> asyncio.DatagramTransport:
    """Call `rung` for every ring until the transport is closed. A stale socket file of a dead process is replaced."""
    path.unlink(missing_ok=True)  # noqa: ASYNC240 - one system call, at start
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Listener(rung), local_addr=str(path), family=socket.AF_UNIX
    )
    path.chmod(0o600)  # noqa: ASYNC240
    return transport

"""Back-pressure that Daphne does not pass on: is this socket's browser taking what we send?

Daphne writes every message into Twisted's buffer without limit (daphne#170). A producer registered on the
transport is told when that buffer is over 64 KiB and when it has drained; writers wait for the gate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Gate:
    """Open unless the server says that its buffer is full. Servers without such news leave it open."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    @property
    def is_open(self) -> bool:
        return self._open.is_set()

    async def wait(self) -> None:
        await self._open.wait()

    # Twisted's IPushProducer

    def pauseProducing(self) -> None:  # noqa: N802
        self._open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._open.set()

    def stopProducing(self) -> None:  # noqa: N802
        self._open.set()


def gate_for(send: Send) -> Gate:
    """The gate of the connection that `send` writes to. Call after accepting: the transport is ours then."""
    gate = Gate()
    protocol = send.args[0] if isinstance(send, partial) and send.args else None
    transport = getattr(protocol, "transport", None)
    if transport is None or not hasattr(transport, "registerProducer"):
        return gate
    if getattr(transport, "producer", None) is not None:
        transport.unregisterProducer()  # the HTTP channel's own, left over from before the upgrade
    transport.registerProducer(gate, True)
    return gate

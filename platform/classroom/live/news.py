"""A state that many sockets follow: the newest counts, older ones may be skipped."""

from __future__ import annotations

import asyncio


class News:
    """`publish` from the event loop; `after(n)` waits for a state newer than number n."""

    def __init__(self) -> None:
        self._number = -1
        self._encoded = b""
        self._changed = asyncio.Event()

    def publish(self, encoded: bytes) -> None:
        """The same state twice is no news."""
        if encoded == self._encoded:
            return
        self._number += 1
        self._encoded = encoded
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def after(self, number: int) -> tuple[int, bytes]:
        while self._number <= number:
            await self._changed.wait()
        return self._number, self._encoded

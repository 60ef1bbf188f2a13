"""One socket's bounded queue of frames (rule L8)."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from classroom.live.frames import delta_frame, encode
from sandbox.record.delta import Delta, merge

MOST_WAITING = 64  # deltas; more are merged into one, so the queue holds at most what the picture holds
PATIENCE_SECONDS = 10.0


class Viewer:
    """Fed by the hub, emptied by the socket's writer; both in the event loop.

    Replies (snapshots) and deltas keep their order: a snapshot empties the queue, since it holds all of it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._picture: bytes | None = None  # only the newest snapshot is worth sending
        self._beats: deque[bytes] = deque(maxlen=2)
        self._deltas: deque[tuple[Delta, bytes | None]] = deque()
        self._wake = asyncio.Event()
        self._full_since: float | None = None
        self.merged = 0
        self.started = False  # nothing is sent before the browser asked for its first picture

    def offer(self, delta: Delta, encoded: bytes) -> None:
        """A delta that everybody gets; `encoded` is shared by all sockets."""
        self._deltas.append((delta, encoded))
        if len(self._deltas) > MOST_WAITING:
            whole = merge(each for each, _ in self._deltas)
            self._deltas.clear()
            self._deltas.append((whole, None))
            self.merged += 1
            if self._full_since is None:
                self._full_since = self._clock()
        self._wake.set()

    def snapshot(self, encoded: bytes) -> None:
        """A whole picture: what waits is in it already."""
        self._deltas.clear()
        self._picture = encoded
        self._wake.set()

    def forget_deltas(self) -> None:
        self._deltas.clear()

    def say(self, encoded: bytes) -> None:
        """A frame outside the record (beat). A slow socket gets only the newest ones."""
        self._beats.append(encoded)
        self._wake.set()

    @property
    def too_slow(self) -> bool:
        """The queue overflowed and was not empty since, for longer than the patience (close with 4008)."""
        return self._full_since is not None and self._clock() - self._full_since > PATIENCE_SECONDS

    async def wait(self) -> None:
        await self._wake.wait()

    def take(self) -> list[bytes]:
        """Everything that waits, in order, the queue left empty."""
        self._wake.clear()
        self._full_since = None
        taken = [self._picture] if self._picture is not None else []
        taken += self._beats
        taken += [
            encoded if encoded is not None else encode(delta_frame(delta)) for delta, encoded in self._deltas
        ]
        self._picture = None
        self._beats.clear()
        self._deltas.clear()
        return taken


def text_message(encoded: bytes) -> dict[str, Any]:
    return {"type": "websocket.send", "text": encoded.decode()}

"""What two switches make a process do beside its work: `spin` takes CPU, `leak` takes memory."""

import _thread
import time

from chandlery.switches import Switches

TICK = 0.1  # seconds between two mouthfuls of memory
MOST_HELD = 1 << 30  # bytes; a container's limit is far below, a process without one is spared


class Burdens:
    """Follows the switches: call `follow` after each change."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._lock = _thread.allocate_lock()
        self._running: set[str] = set()

    def follow(self) -> None:
        if self._switches.spin:
            self._start("spin", self._spin)
        if self._switches.leak:
            self._start("leak", self._leak)

    def _start(self, name: str, burden) -> None:  # noqa: ANN001
        with self._lock:
            if name not in self._running:
                self._running.add(name)
                _thread.start_new_thread(burden, ())

    def _end(self, name: str) -> None:
        with self._lock:
            self._running.discard(name)
        self.follow()  # switched on again while this one was ending

    def _spin(self) -> None:
        while self._switches.spin:
            for _ in range(10_000):
                pass
        self._end("spin")

    def _leak(self) -> None:
        held: list[bytes] = []
        taken = 0
        while self._switches.leak:
            mouthful = int(self._switches.leak * TICK)
            if taken + mouthful <= MOST_HELD:
                # Ones, not zeros: memory never written to is not counted as used.
                held.append(b"\x01" * mouthful)
                taken += mouthful
            time.sleep(TICK)
        held.clear()
        self._end("leak")

"""What the Pods of a run used of the CPU, as the kernel counts it in their cgroups.

The API would tell it only to those who may also start processes in every Pod (`nodes/proxy`), so it is read where the
nodes' cgroups can be seen: beside the embedded cluster. Anywhere else it is not measured, and P05 says so.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from sandbox.embedded.cgroups import hierarchies
from sandbox.embedded.mounts import read_mounts

EVERY = 1.0  # seconds between two readings
OVER = 10.0  # seconds that a peak is the mean of: a program's start is a burst, not a need
PLACES = (
    "*/kubepods/pod{uid}",
    "*/kubepods/*/pod{uid}",
)  # below a hierarchy: a node's own, then the QoS class


def roots() -> list[Path]:
    """Where CPU time is counted: version 1's own hierarchy, else version 2's."""
    first, second = hierarchies(read_mounts())
    return [path for path in first if (path / "cpuacct.usage").exists()] or second


def cpu_seconds(group: Path) -> float | None:
    """Used by a cgroup since it exists; None when it has ended, or nobody counts there."""
    try:
        if (group / "cpuacct.usage").exists():
            return int((group / "cpuacct.usage").read_text()) / 1e9
        lines = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
        return int(lines["usage_usec"]) / 1e6
    except (OSError, KeyError, ValueError):
        return None


def peak_cores(readings: Sequence[tuple[float, float]], over: float = OVER) -> float | None:
    """Most cores in any `over` seconds, from (time, CPU seconds used by then). Pure.

    A shorter run is taken whole; None without two readings.
    """
    if len(readings) < 2:
        return None
    most = 0.0
    window: deque[tuple[float, float]] = deque()
    for at, used in readings:
        while len(window) > 1 and at - window[1][0] >= over:
            window.popleft()
        if window and (at - window[0][0] >= over or readings[-1][0] - readings[0][0] < over):
            most = max(most, (used - window[0][1]) / (at - window[0][0]))
        window.append((at, used))
    return most


class CpuMeter:
    """Reads the cgroups of a sandbox's Pods. `pods` gives their uids, those of ended ones included."""

    def __init__(self, pods: Callable[[], Iterable[str]]) -> None:
        self._pods = pods
        self._roots = roots()
        self._groups: dict[str, Path] = {}
        self._used: dict[str, float] = {}  # uid -> CPU seconds at the last reading
        self.readings: list[tuple[float, float]] = []

    def read(self, at: float) -> None:
        for uid in self._pods():
            if (group := self._group_of(uid)) and (used := cpu_seconds(group)) is not None:
                self._used[uid] = used
        if self._used:
            self.readings.append((at, sum(self._used.values())))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.read(time.monotonic())
            await asyncio.sleep(EVERY)

    def _group_of(self, uid: str) -> Path | None:
        if uid not in self._groups and (found := next(self._places_of(uid), None)) is not None:
            self._groups[uid] = found
        return self._groups.get(uid)

    def _places_of(self, uid: str) -> Iterator[Path]:
        for root in self._roots:
            for place in PLACES:
                yield from root.glob(place.format(uid=uid))

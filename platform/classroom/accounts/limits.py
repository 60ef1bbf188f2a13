"""Token buckets: how often somebody may try. In memory, because one web process serves everybody."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from classroom.refusals import Refused

MAX_KEYS = 10_000  # more addresses than any class has; the oldest go first, so memory stays bounded


@dataclass
class Buckets:
    """`burst` tries at once, then one every `seconds`, per key."""

    burst: int
    seconds: float
    clock: Callable[[], float] = time.monotonic
    _levels: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, key: str) -> float:
        """0.0 when allowed, else the seconds until the next try is."""
        now = self.clock()
        level, since = self._levels.pop(key, (float(self.burst), now))
        level = min(float(self.burst), level + (now - since) / self.seconds)
        wait = 0.0 if level >= 1 else (1 - level) * self.seconds
        self._levels[key] = (level - 1 if not wait else level, now)
        while len(self._levels) > MAX_KEYS:
            self._levels.popitem(last=False)
        return wait

    def clear(self) -> None:
        self._levels.clear()


# Joining: a class of 40 may come from one address (a school's router), within a minute or two.
JOINING = Buckets(burst=60, seconds=2)
# Wrong codes and dead links are rarer, and guessing them is what an attacker does.
WRONG_TRIES = Buckets(burst=20, seconds=6)
PASSWORDS = Buckets(burst=10, seconds=10)
# Sandbox starts and resets by one person; each costs the cluster about 20 ms of its control plane.
STARTS = Buckets(burst=12, seconds=5)
# Everything else a person does; a fast typist saving and applying stays far below.
ACTIONS = Buckets(burst=60, seconds=0.25)
# Whole histories, folded anew for each who asks: up to a second of a core.
HISTORIES = Buckets(burst=20, seconds=2)


def refuse_if_too_fast(buckets: Buckets, key: str) -> None:
    """Raises Refused 429 with `retry_after`."""
    wait = buckets.take(key)
    if wait:
        seconds = max(1, math.ceil(wait))
        raise Refused(429, "too-fast", f"That was too often. Try again in {seconds} s.", retry_after=seconds)

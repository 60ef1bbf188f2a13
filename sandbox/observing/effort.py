"""How much time the checks of one sandbox take: told to the operator, never part of a verdict.

What an evaluation may cost is bounded in steps (`record/cel_bounds.py`), because a bound in time would judge the same
record differently on a busy machine (docs/decisions/0019-bounded-in-steps.md).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

MOST_OF_A_SECOND = 0.25  # design: lesson format 4.3
SILENT_S = 60.0  # between two alarms of one sandbox


class Effort:
    """Of one sandbox; `clock` is the one by which work is measured, seconds."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._begun = 0.0
        self._second, self._spent, self._told = 0, 0.0, -math.inf

    def begin(self) -> None:
        self._begun = self._clock()

    def end(self, at: float) -> float | None:
        """Work of the moment `at` (Unix seconds) is done. What its second has taken by now, when that is too much."""
        if math.floor(at) != self._second:
            self._second, self._spent = math.floor(at), 0.0
        self._spent += self._clock() - self._begun
        if self._spent <= MOST_OF_A_SECOND or at - self._told < SILENT_S:
            return None
        self._told = at
        return self._spent

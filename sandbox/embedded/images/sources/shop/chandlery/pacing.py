"""Paced work: a request takes a known time, so that a copy's capacity is the same on every machine.

One worker handles one request at a time for WORK_MS x 100 / CPU_LIMIT_M milliseconds of waiting. That is what
the work would take with that share of a CPU; waiting instead of computing keeps a class's shops from fighting
over real CPUs. `PACE=cpu` computes.
"""

import _thread
import time

from chandlery.identity import variable


class Pace:
    """Raises ValueError when the environment's numbers make no sense."""

    def __init__(self) -> None:
        work, limit = _number("WORK_MS", "0"), _number("CPU_LIMIT_M", "100")
        if work < 0 or limit <= 0:
            raise ValueError("WORK_MS must not be negative, CPU_LIMIT_M must be above 0")
        self._burns = variable("PACE") == "cpu"
        self.seconds = work / 1000 * (1 if self._burns else 100 / limit)
        self._worker = _thread.allocate_lock()

    def work(self) -> None:
        """Wait for the worker, then for its work."""
        if not self.seconds:
            return
        with self._worker:
            if self._burns:
                until = time.thread_time() + self.seconds
                while time.thread_time() < until:
                    pass
            else:
                time.sleep(self.seconds)


def _number(name: str, otherwise: str) -> float:
    text = variable(name) or otherwise
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}, not a number") from None

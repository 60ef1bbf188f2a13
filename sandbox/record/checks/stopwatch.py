"""How long something took: from a moment with a name until a predicate first holds."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.record.cel import View
from sandbox.record.checks.anchors import Anchor, Occurrence
from sandbox.record.checks.compiling import Expression
from sandbox.record.checks.trackers import Tracker
from sandbox.record.checks.verdict import Moment


@dataclass(eq=False, slots=True)
class _Lap:
    start: Moment
    origin: Occurrence | None
    reached: Moment | None = None


class Stopwatch:
    """When its moment comes again it starts anew, and the newest lap counts."""

    def __init__(self, until: Expression, after: Anchor) -> None:
        self._after = after
        self._tracker = Tracker(until)
        self._laps: list[_Lap] = []
        self.reads = until.predicate.kinds

    def touch(self, changed: frozenset[str]) -> None:
        self._tracker.touch(changed)

    def on_moment(
        self, source: str, point: str, moment: Moment, origin: Occurrence | None, view: View
    ) -> None:
        """A moment with a name has come; the state of that moment counts."""
        if (source, point) == (self._after.source, self._after.point):
            self._laps.append(_Lap(moment, origin))
            self.on_state(view, moment)

    def on_state(self, view: View, moment: Moment) -> None:
        """The state from this moment on."""
        running = [lap for lap in self._laps if lap.reached is None]
        if running and self._tracker.read(view)[0] is True:
            for lap in running:
                lap.reached = moment

    def on_dropped(self, origin: Occurrence) -> None:
        """It was no such moment after all."""
        self._laps = [lap for lap in self._laps if lap.origin is not origin]

    @property
    def started(self) -> float | None:
        """When the newest lap began, Unix seconds."""
        return self._laps[-1].start.at if self._laps else None

    def seconds(self) -> tuple[float, float] | None:
        """The shortest and the longest it can have taken (they differ for late news); None: it has not come."""
        if not self._laps or self._laps[-1].reached is None:
            return None
        start, reached = self._laps[-1].start, self._laps[-1].reached
        return max(0.0, reached.earliest - start.at), reached.at - start.earliest

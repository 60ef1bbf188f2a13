"""Customers come and go: loads that the student starts, and those of the timeline."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.observing.refusal import ActRefused
from sandbox.observing.track import Track
from sandbox.prober import ProberAway
from sandbox.record.entry import RecordUnavailable
from sandbox.record.exercise import Load
from sandbox.record.traffic import MOST_OF_A_SANDBOX, MOST_OF_ALL

if TYPE_CHECKING:
    from sandbox.observing.asking import Asking
    from sandbox.record.entry import Entry, Kind

log = logging.getLogger(__name__)


class LoadActs:
    """The part of the observer that sends traffic. Everything it needs is set by `Observer`."""

    tracks: dict[str, Track]
    asking: Asking
    append: Callable[[str, Kind, str, dict[str, Any], str], Entry]
    commit: Callable[[], None]
    _running: Callable[[str], Track]

    async def start_load(self, sandbox: str, load_id: str, *, rate: float | None = None) -> float:
        """The student sends customers, at one of the load's rates. Until when (Unix seconds). Raises ActRefused."""
        track = self._running(sandbox)
        load = self._load(track, load_id)
        if load.by != "student":
            raise ActRefused("not-yours", "These customers come by themselves.")
        pace = load.choices[0] if rate is None else rate
        if pace not in load.choices:
            offered = " or ".join(f"{each:g}" for each in load.choices)
            raise ActRefused("unknown", f"This pace is not offered here: choose {offered} requests a second.")
        for prediction in track.exercise.predictions if track.exercise else ():
            if prediction.before == load.id and not track.predicted(prediction.id):
                raise ActRefused(
                    "predict-first", "Say what you expect first: answer the question, then send them."
                )
        return self._begin_load(track, load, pace, by="student")

    async def stop_load(self, sandbox: str, load_id: str) -> None:
        """Send nobody more; it ends once those under way were answered, and opens no window. Raises ActRefused."""
        track = self._running(sandbox)
        load = self._load(track, load_id)
        if load.id not in {each.id for each in self.asking.prober.loads_of(sandbox)}:
            raise ActRefused("not-running", "These customers are gone already.")
        self.asking.end_load(track, load.id)

    def _load(self, track: Track, load_id: str) -> Load:
        try:
            assert track.exercise is not None  # noqa: S101  (_running)
            return track.exercise.load(load_id)
        except KeyError:
            raise ActRefused("unknown", f"This exercise has no customers called {load_id}.") from None

    def _begin_load(self, track: Track, load: Load, rate: float, *, by: str) -> float:
        """`started` is in the record before the first request goes out. Raises ActRefused."""
        prober = self.asking.prober
        why_not = why_not_now(load, rate, [each.id for each in prober.loads_of(track.sandbox)], prober.rate)
        if why_not is not None:
            raise why_not
        if not prober.connected:
            raise ActRefused("away", "Nobody can be sent to your shop just now. Try again in a few seconds.")
        until = time.time() + load.lasting
        change = {"id": load.id, "phase": "started", "rate": rate, "until": until, "by": by}
        self.append(track.sandbox, "load", load.id, change, "observer")
        try:
            self.commit()
            self.asking.start_load(track, load, rate)
        except (RecordUnavailable, ProberAway) as error:
            # Nobody was sent, so nothing was shown; said now, in the same batch, or a window stays open.
            ended = {"id": load.id, "phase": "ended", "why": "nobody could be sent", "stopped": True}
            self.append(track.sandbox, "load", load.id, ended, "observer")
            raise ActRefused("away", "Nobody could be sent to your shop. Try again in a moment.") from error
        return until

    def start_due_loads(self, track: Track, now: float) -> None:
        """Customers of the timeline come when it is time; while they cannot be sent it is tried again."""
        if track.exercise is None or not track.begun or track.handed_in or track.waiting:
            return  # with entries waiting, the record may be refusing: not now
        for load in track.exercise.loads:
            due = load.by == "timeline" and now >= track.started_at + load.at
            if due and load.id not in track.loads:
                with contextlib.suppress(ActRefused):
                    self._begin_load(track, load, load.rate, by="timeline")

    def end_lost_loads(self, track: Track) -> None:
        """After a start of this process nobody sends any more what the record still shows as running."""
        for load, phase in tuple(track.loads.items()):
            if phase == "started":
                track.append(
                    "load", load, {"id": load, "phase": "ended", "why": "the sender was lost"}, "observer"
                )


def why_not_now(load: Load, rate: float, running: list[str], sent_by_all: float) -> ActRefused | None:
    """Pure. What keeps this load from beginning beside what runs already."""
    if load.id in running:
        return ActRefused("running", "These customers are on their way already.")
    if len(running) >= MOST_OF_A_SANDBOX:
        return ActRefused("busy", f"At most {MOST_OF_A_SANDBOX} crowds at a time: wait until one is gone.")
    if sent_by_all + rate > MOST_OF_ALL:
        return ActRefused("busy", "Too many customers are under way in all sandboxes. Try again in a minute.")
    return None

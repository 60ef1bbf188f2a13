"""Who looks at which sandbox, and how the observer's news reach them: one encode per delta, bounded queues.

Lives in the event loop of the observer; nothing here blocks or awaits, so what a viewer is given (snapshot,
then deltas) cannot be torn by an entry in between.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from classroom.live.frames import beat_frame, delta_frame, encode, snapshot_frame
from classroom.live.viewer import Viewer
from sandbox.record.delta import Delta

log = structlog.get_logger(__name__)
BEAT_SECONDS = 2.0


class Source(Protocol):
    """What the hub needs of `sandbox.observing.Observer`."""

    @property
    def behind(self) -> float: ...
    @property
    def stale_since(self) -> float | None: ...

    def snapshot(self, sandbox: str) -> dict[str, Any]: ...
    def deltas_since(self, sandbox: str, epoch: int, seq: int) -> list[Delta] | None: ...
    def listen(self, sandbox: str, listener: Callable[[Delta], None]) -> Callable[[], None]: ...


@dataclass
class Room:
    """Everybody who looks at one sandbox."""

    viewers: set[Viewer] = field(default_factory=set)
    resting: dict[str, Any] | None = None  # the snapshot shown while nobody observes the sandbox
    unlisten: Callable[[], None] | None = None


class Hub:
    """`source` is None while no cluster is observed; then rooms show their resting snapshot."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room] = {}
        self.source: Source | None = None

    # --- the observer comes and goes ----------------------------------------------------------------
    def attach(self, source: Source) -> None:
        self.source = source

    def detach(self) -> None:
        """The observer is gone: everybody keeps what they see; the beat tells them that it is old."""
        self.source = None
        for room in self.rooms.values():
            self._stop_listening(room)

    def opened(self, sandbox: str) -> None:
        """The observer opened the sandbox: those who look get its snapshot and every delta from here on."""
        room = self.rooms.get(sandbox)
        if room is not None and self._start_listening(sandbox, room):
            self._show_all(sandbox, room)

    def closed(self, sandbox: str, resting: dict[str, Any]) -> None:
        """The observer closed it; `resting` is what remains to be seen."""
        room = self.rooms.get(sandbox)
        if room is not None:
            self._stop_listening(room)
            self.rest(sandbox, resting)

    def rest(self, sandbox: str, snapshot: dict[str, Any]) -> None:
        """What to show of a sandbox that nobody observes (waiting for its place, or for the cluster)."""
        room = self.rooms.get(sandbox)
        if room is None or room.unlisten is not None:
            return
        room.resting = snapshot
        self._show_all(sandbox, room)

    # --- viewers come and go ------------------------------------------------------------------------
    def join(self, sandbox: str, viewer: Viewer, resting: dict[str, Any]) -> None:
        """From now on the viewer gets news; it has to ask for its first picture with `resume`."""
        room = self.rooms.setdefault(sandbox, Room())
        if room.unlisten is None:
            room.resting = resting
            self._start_listening(sandbox, room)
        room.viewers.add(viewer)

    def leave(self, sandbox: str, viewer: Viewer) -> None:
        room = self.rooms.get(sandbox)
        if room is None:
            return
        room.viewers.discard(viewer)
        if not room.viewers:
            self._stop_listening(room)
            del self.rooms[sandbox]

    def resume(self, sandbox: str, viewer: Viewer, epoch: int, seq: int) -> None:
        """L7, L11: the missing deltas when they are still known, else a snapshot. Epoch 0 asks for one."""
        room = self.rooms.get(sandbox)
        if room is None:
            return
        viewer.started = True
        missing = self._missing(sandbox, room, epoch, seq) if epoch else None
        if missing is None:
            viewer.snapshot(self._picture(sandbox, room))
            return
        viewer.forget_deltas()  # `missing` holds them too
        for delta in missing:
            viewer.offer(delta, encode(delta_frame(delta)))

    def _missing(self, sandbox: str, room: Room, epoch: int, seq: int) -> list[Delta] | None:
        if self.source is None or room.unlisten is None:
            return None
        return self.source.deltas_since(sandbox, epoch, seq)

    # --- news ---------------------------------------------------------------------------------------
    def publish(self, sandbox: str, delta: Delta) -> None:
        """L6: called by the observer only after the entry is committed. Encoded once, whoever looks."""
        room = self.rooms.get(sandbox)
        if room is None or not room.viewers:
            return
        encoded = encode(delta_frame(delta))
        for viewer in room.viewers:
            if viewer.started:
                viewer.offer(delta, encoded)

    def beat(self, now: float | None = None) -> None:
        """One beat for everybody; `behind` None means that nothing observes the cluster."""
        at = time.time() if now is None else now
        source = self.source
        live = (
            encode(beat_frame(behind=source.behind, at=at, stale_since=source.stale_since)) if source else b""
        )
        resting = encode(beat_frame(behind=None, at=at, stale_since=None))
        for room in self.rooms.values():
            frame = live if live and room.unlisten is not None else resting
            for viewer in room.viewers:
                viewer.say(frame)

    # --- inside -------------------------------------------------------------------------------------
    def _start_listening(self, sandbox: str, room: Room) -> bool:
        if self.source is None or room.unlisten is not None:
            return room.unlisten is not None
        with contextlib.suppress(KeyError):  # not opened yet: `opened` will come
            room.unlisten = self.source.listen(sandbox, lambda delta: self.publish(sandbox, delta))
        return room.unlisten is not None

    def _stop_listening(self, room: Room) -> None:
        if room.unlisten is not None:
            room.unlisten()
            room.unlisten = None

    def _show_all(self, sandbox: str, room: Room) -> None:
        picture = self._picture(sandbox, room)
        for viewer in room.viewers:
            if viewer.started:
                viewer.snapshot(picture)

    def _picture(self, sandbox: str, room: Room) -> bytes:
        if self.source is not None and room.unlisten is not None:
            return encode(snapshot_frame(self.source.snapshot(sandbox)))
        return encode(snapshot_frame(room.resting or {"epoch": 0, "seq": 0, "at": time.time(), "items": {}}))

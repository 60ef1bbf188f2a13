"""What lives in the web process's event loop beside the pages: hub, observer, reconciler, progress, class tables.

One per process. `run` keeps every part going; a part that fails is logged and started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings

from classroom.courseware.catalogue import catalogue
from classroom.courseware.cluster_state import read_cluster
from classroom.database import in_database
from classroom.live.frames import encode
from classroom.live.hub import BEAT_SECONDS, Hub
from classroom.live.news import News
from classroom.live.presence import Attendance
from classroom.live.storage import SqliteRecordStore
from classroom.workspaces.models import RUNNING, Sandbox

if TYPE_CHECKING:
    from classroom.live.cluster_side import ClusterSide
    from sandbox.terminal import TerminalSession

log = structlog.get_logger(__name__)
CLUSTER_LOOK_SECONDS = 0.5
CLASS_SECONDS = 1.0


class NotObserved(Exception):
    """The sandbox is not (yet, or any more) in the observer's hands; the message is for the person."""


class ClassRoom:
    """The class table of one course while somebody looks at it."""

    def __init__(self) -> None:
        self.news = News()
        self.watching = 0


class Runtime:
    """Created before the loop runs; everything but `run` may be called from the loop only."""

    def __init__(self, store: SqliteRecordStore | None = None) -> None:
        self._store = store
        self.hub = Hub()
        self.cluster_news = News()
        self.cluster: dict[str, Any] = read_cluster(settings.CLUSTER_FILE)
        self.side: ClusterSide | None = None
        self.classes: dict[str, ClassRoom] = {}
        self._changed = asyncio.Event()
        self.attendance = Attendance(self.something_changed)
        self._cluster_moved = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.cluster_news.publish(encode({"f": "cluster", **self.cluster}))

    @property
    def store(self) -> SqliteRecordStore:
        if self._store is None:
            self._store = SqliteRecordStore(settings.RECORD_FILE)
        return self._store

    # --- what pages and sockets ask for -------------------------------------------------------------
    def observer_of(self, sandbox: str) -> Any:
        """The observer that has this sandbox open. Raises NotObserved."""
        if self.side is None:
            raise NotObserved("The cluster is not ready yet. The page turns LIVE by itself when it is.")
        if sandbox not in self.side.observer.tracks:
            raise NotObserved("Your sandbox is not ready yet. Wait for the picture, then try again.")
        return self.side.observer

    def wake(self) -> None:
        """Something was asked for: let the reconciler look now instead of within a second."""
        if self.side is not None:
            self.side.reconciler.wake()
        self._changed.set()

    async def tell_phase(self, row: Sandbox, change: dict[str, Any]) -> None:
        """A `phase` entry about the sandbox, so that every page that shows it says so; else its resting picture."""
        sandbox = str(row.pk)
        try:
            observer = self.observer_of(sandbox)
        except NotObserved:
            self.hub.rest(sandbox, await in_database(self.resting_snapshot, row))
            return
        observer.append(sandbox, "phase", "", {"phase": row.phase, **change}, "platform")
        observer.commit()

    async def write_file(self, row: Sandbox, name: str, text: str) -> None:
        """Into the toolbox's home. Raises SandboxError."""
        self.observer_of(str(row.pk))
        assert self.side is not None  # noqa: S101 - observer_of raised otherwise
        await self.side.write_file(row, name, text)

    async def terminal(self, sandbox: str, cols: int, rows: int) -> TerminalSession:
        """The sandbox's shell. Raises NotObserved, SandboxError."""
        self.observer_of(sandbox)
        assert self.side is not None  # noqa: S101 - observer_of raised otherwise
        return await self.side.terminals.session(sandbox, cols, rows)

    async def apply(self, row: Sandbox, manifests: list[Any], *, dry_run: bool) -> list[dict[str, Any]]:
        """With the student's own token. Raises SandboxError."""
        self.observer_of(str(row.pk))
        assert self.side is not None  # noqa: S101 - observer_of raised otherwise
        return await self.side.apply(row, manifests, dry_run=dry_run)

    def resting_snapshot(self, row: Sandbox) -> dict[str, Any]:
        """Blocking. What there is to see of a sandbox that nobody observes just now.

        One that runs keeps its last picture (this process was started a moment ago, or the cluster is away);
        of one that has ended what was done in it stays; one that is asked for only has its phase.
        """
        from classroom.workspaces.phases import self_item
        from sandbox.record.picture import fold

        snapshot: dict[str, Any] = {"epoch": 0, "seq": 0, "at": time.time(), "items": {}}
        if self.store.last_seq(str(row.pk)):
            folded = fold(self.store.read(str(row.pk)))
            whole = row.phase in RUNNING
            items = {key: item for key, item in folded.items.items() if whole or item.get("t") in LASTING}
            snapshot = {"epoch": folded.epoch, "seq": folded.seq, "at": folded.at, "items": items}
        snapshot["items"] = {**snapshot["items"], "sandbox/self": self_item(row)}
        return snapshot

    # --- class tables -------------------------------------------------------------------------------
    def class_news(self, course: str) -> News:
        room = self.classes.setdefault(course, ClassRoom())
        room.watching += 1
        self._changed.set()
        return room.news

    def leave_class(self, course: str) -> None:
        room = self.classes.get(course)
        if room is not None:
            room.watching -= 1
            if room.watching <= 0:
                del self.classes[course]

    def something_changed(self) -> None:
        """A sandbox's checks, attempt or phase moved: class tables are worked out again soon."""
        self._changed.set()

    def items_of(self, sandbox: str) -> dict[str, Any]:
        """The live picture's items of an observed sandbox; empty for any other."""
        if self.side is None or sandbox not in self.side.observer.tracks:
            return {}
        items: dict[str, Any] = self.side.observer.snapshot(sandbox)["items"]
        return items

    # --- life ---------------------------------------------------------------------------------------
    async def run(self) -> None:
        """Until cancelled."""
        self.spawn(in_database(catalogue.courses), "load the lessons")  # before the first reader waits for it
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "beat": self._beat,
            "cluster file": self._follow_cluster_file,
            "cluster side": self._keep_cluster_side,
            "class tables": self._work_out_classes,
        }
        await asyncio.gather(*(forever(name, part) for name, part in parts.items()))

    def spawn(self, work: Awaitable[Any], name: str) -> None:
        """A background task with a strong reference (an unreferenced one may be collected while it runs)."""
        task = asyncio.ensure_future(work)
        task.set_name(name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("task failed", task=task.get_name(), exc_info=task.exception())

    async def _beat(self) -> None:
        while True:
            self.hub.beat()
            await asyncio.sleep(BEAT_SECONDS)

    async def _follow_cluster_file(self) -> None:
        """The supervisor replaces the file; a look at its times twice a second costs nothing."""
        seen: tuple[int, int] | None = None
        while True:
            stamp = _stamp(settings.CLUSTER_FILE)
            if stamp != seen:
                seen = stamp
                self.cluster = read_cluster(settings.CLUSTER_FILE)
                self.cluster_news.publish(encode({"f": "cluster", **self.cluster}))
                moved, self._cluster_moved = self._cluster_moved, asyncio.Event()
                moved.set()
            await asyncio.sleep(CLUSTER_LOOK_SECONDS)

    async def _keep_cluster_side(self) -> None:
        """Observer and reconciler run while the cluster is ready, and only then."""
        await self._cluster_is("ready")
        from classroom.live.cluster_side import ClusterSide

        side = await ClusterSide.make(self)
        work = asyncio.ensure_future(side.run())
        gone = asyncio.ensure_future(self._cluster_is("ready", still=True))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            self.side = None
            self.hub.detach()
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)
            await side.close()

    async def _cluster_is(self, state: str, *, still: bool = False) -> None:
        """Until the cluster is in that state, or with `still` until it is not any more."""
        while (self.cluster["state"] == state) is still:
            await self._cluster_moved.wait()

    async def _work_out_classes(self) -> None:
        from classroom.instructors.rows import read_rows

        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), 15.0)  # "for 2 min" moves on by itself
            self._changed.clear()
            for course, room in tuple(self.classes.items()):
                rows = await in_database(read_rows, course, self.items_of, self.attendance.of)
                room.news.publish(encode({"f": "class", "rows": rows}))
            await asyncio.sleep(CLASS_SECONDS)


LASTING = frozenset({"check", "prediction", "answer", "attempt", "marker"})


async def forever(name: str, part: Callable[[], Awaitable[None]]) -> None:
    """Run `part` again whenever it ends, after 0.5 s doubling to 15 s; half a calm minute resets that."""
    pause = 0.5
    while True:
        started = time.monotonic()
        try:
            await part()
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("part stopped and is started again", part=name)
        pause = 0.5 if time.monotonic() - started > 30 else min(pause * 2, 15.0)
        await asyncio.sleep(pause)


def _stamp(path: Any) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


_runtime: Runtime | None = None


def runtime() -> Runtime:
    """The process's own."""
    global _runtime
    if _runtime is None:
        _runtime = Runtime()
    return _runtime


def replace_runtime(made: Runtime | None) -> None:
    """For tests."""
    global _runtime
    _runtime = made

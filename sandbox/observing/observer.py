"""The one writer: cluster, probes, people and clock in; record and pictures out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.auditing import Action, tail
from sandbox.cluster.client import ClusterClient
from sandbox.errors import SandboxError
from sandbox.faults.hands import Hands, NoHands
from sandbox.faults.injecting import Injector
from sandbox.observing.acting import Acting
from sandbox.observing.asking import Asking
from sandbox.observing.load_acts import LoadActs
from sandbox.observing.toolbox_asking import ToolboxProber
from sandbox.observing.track import Listener, Track
from sandbox.observing.world import World
from sandbox.plan import SandboxPlan
from sandbox.prober import Prober
from sandbox.record.attempt import Command, EndProbes, Handover, StartFault, Submit
from sandbox.record.delta import Delta
from sandbox.record.entry import Entry, Kind, RecordStore, RecordUnavailable
from sandbox.record.exercise import Exercise
from sandbox.watching import Watcher, WatchEvent

log = logging.getLogger(__name__)

CLOCK = 0.5  # seconds between two looks at deadlines
# A look that comes later than this found the loop blocked (or the machine asleep): news of that time waits
# behind it, and what is decided by time meanwhile is not known (lesson format, section 4.5: late).
BLOCKED = 2.0
# How long after the cluster's return its network may still follow what it knew before: controllers and kube-proxies
# are started anew (sandbox/embedded/followers.py) and caught up in 2 s when measured on an idle machine.
CATCHING_UP = 10.0
RETRY = 0.5  # seconds until a record that refused is asked again

HandedOver = Callable[[str, int, int, int, str], None]  # sandbox, attempt, first seq, last seq, by


class Observer(Acting, LoadActs):
    """Lives in one event loop. `run` watches until cancelled; `open` begins or continues a sandbox's record."""

    def __init__(
        self,
        *,
        observer: ClusterClient,
        keeper: ClusterClient,
        runner: ClusterClient,
        store: RecordStore,
        audit: Path | None,
        images: Mapping[str, str],
        on_handover: HandedOver | None = None,
        hands: Hands | None = None,
    ) -> None:
        self.client, self.keeper, self.runner = observer, keeper, runner
        self.store, self.audit, self.images = store, audit, dict(images)
        self.on_handover = on_handover
        self.epoch = store.next_epoch()
        self.tracks: dict[str, Track] = {}
        self.by_namespace: dict[str, Track] = {}
        self.world = World()
        self.watcher = Watcher(observer, on_event=self._on_event, on_gap=self._on_gap, on_away=self._on_away)
        self.asking = Asking(Prober(runner), self._on_asked, ToolboxProber.over(runner))
        self.injector = Injector(runner, keeper, self.asking.prober, hands or NoHands())
        self._flush_soon = False
        self._retry: asyncio.TimerHandle | None = None
        self._left: list[Track] = []  # closed, with entries that the store has refused so far
        self._tokens = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- life -------------------------------------------------------------------------------------
    async def run(self) -> None:
        """Watch, ask, listen and keep time until cancelled. A part that fails is started again."""
        parts = {"watch": self.watcher.run, "prober": self.asking.run, "clock": self._clock}
        if self.audit is not None:
            parts["audit"] = self._listen_to_audit
        try:
            async with asyncio.TaskGroup() as group:
                for name, part in parts.items():
                    group.create_task(self._forever(name, part), name=f"observer {name}")
        finally:
            for task in tuple(self._tasks):
                task.cancel()

    async def _forever(self, name: str, part: Callable[[], Any]) -> None:
        pause = 0.5
        while True:
            started = time.monotonic()
            try:
                await part()
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("observer: %s stopped and is started again", name)
            pause = 0.5 if time.monotonic() - started > 30 else min(pause * 2, 10.0)
            await asyncio.sleep(pause)

    async def ready(self, timeout: float = 30.0) -> None:
        """Until every watch has its first list. Raises TimeoutError."""
        await asyncio.wait_for(self.watcher.listed.wait(), timeout)

    @property
    def behind(self) -> float:
        """Seconds since the newest proof that the watches are alive, less the heartbeat's own period."""
        return self.watcher.behind

    @property
    def stale_since(self) -> float | None:
        return self.watcher.stale_since

    async def _clock(self) -> None:
        before = time.time()
        while True:
            await asyncio.sleep(CLOCK)
            before = self._look_at_deadlines(before, time.time())

    def _look_at_deadlines(self, before: float, now: float) -> float:
        if now - before > CLOCK + BLOCKED:
            self._on_gap("late", before, now)
        for track in tuple(self.tracks.values()):
            track.advance(now)
            self.start_due_loads(track, now)
            self._after(track)
            self.look_at_faults(track, now)
        return now

    def spawn(self, work: Any, name: str) -> asyncio.Task[Any]:
        """A background task with a strong reference; failures are logged."""
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        task.set_name(name)
        self._tasks.add(task)
        task.add_done_callback(self._spawned_ended)
        return task

    def _spawned_ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("observer: %s failed", task.get_name(), exc_info=task.exception())

    # --- sandboxes --------------------------------------------------------------------------------
    async def open(
        self,
        sandbox: str,
        plan: SandboxPlan,
        exercise: Exercise | None,
        params: Mapping[str, Any],
        *,
        tier: str = "namespace",
    ) -> None:
        """Begin the record, or continue it: what changed since is appended, and the time between is a gap.

        Raises RecordUnavailable.
        """
        if sandbox in self.tracks:
            return
        if any(left.sandbox == sandbox for left in self._left):
            self.commit()  # else the same numbers would be given twice
        track = Track(sandbox, plan, exercise, params, self.images, self.epoch, tier)
        track.replay(self.store.read(sandbox))
        self.tracks[sandbox] = self.by_namespace[plan.namespace] = track
        if track.continued:
            track.append("gap", "", {"from": track.at, "until": time.time(), "how": "lost"}, "observer")
        self._catch_up(track)
        if track.continued:
            self.end_lost_loads(track)
            self.resume_faults(track)
        if track.phase.get("phase") in ("ready", "open"):
            self.asking.start(track)
        self._after(track)

    def _catch_up(self, track: Track) -> None:
        """Bring the record to what the watches have seen, as changes."""
        present: set[str] = set()
        for node in self.world.nodes.values():
            self._note_object(track, "Node", node, present)
        for kind, obj in self.world.objects(track.plan.namespace):
            self._note_object(track, kind, obj, present)
        for uid, (kind, obj) in list(track.versions.items()):
            if uid not in present:
                self._append_object(track, "DELETED", kind, obj, synthetic=True)

    def _note_object(self, track: Track, kind: str, obj: dict[str, Any], present: set[str]) -> None:
        uid = obj["metadata"]["uid"]
        present.add(uid)
        known = track.versions.get(uid)
        if known is None:
            # On a record that goes on, when it appeared is not known.
            self._append_object(track, "ADDED", kind, obj, synthetic=track.continued)
        elif known[1] != obj:
            self._append_object(track, "MODIFIED", kind, obj, synthetic=True)

    def close(self, sandbox: str) -> None:
        """Stop observing; the record stays."""
        track = self.tracks.get(sandbox)
        if track is None:
            return
        self.asking.stop(sandbox, lost=True)
        self._flush()
        del self.tracks[sandbox]
        self._tokens.pop(sandbox, None)
        self.by_namespace.pop(track.plan.namespace, None)
        if track.waiting:
            self._left.append(track)

    def track(self, sandbox: str) -> Track:
        """Raises KeyError."""
        return self.tracks[sandbox]

    # --- reading ----------------------------------------------------------------------------------
    def snapshot(self, sandbox: str) -> dict[str, Any]:
        """The snapshot frame of what is committed. Raises KeyError."""
        track = self.tracks[sandbox]
        items, at = track.picture.items, track.picture.at or track.at
        return {"f": "snapshot", "epoch": self.epoch, "seq": track.shown, "at": at, "items": items}

    def deltas_since(self, sandbox: str, epoch: int, seq: int) -> list[Delta] | None:
        return self.tracks[sandbox].since(epoch, seq)

    def listen(self, sandbox: str, listener: Listener) -> Callable[[], None]:
        """Called with every committed delta until the returned function is called. Raises KeyError."""
        listeners = self.tracks[sandbox].listeners
        listeners.append(listener)

        def unlisten() -> None:
            with contextlib.suppress(ValueError):
                listeners.remove(listener)

        return unlisten

    # --- writing ----------------------------------------------------------------------------------
    def append(self, sandbox: str, kind: Kind, uid: str, change: dict[str, Any], source: str) -> Entry:
        """Committed within this turn of the loop; `commit` does it at once. Raises KeyError."""
        track = self.tracks[sandbox]
        if kind == "phase" and change.get("phase") == "ready" and track.begun:
            change = {**change, "phase": "open"}  # said by somebody who has not heard yet that it opened
        entry = track.append(kind, uid, change, source)
        if kind == "phase":
            self._on_phase(track)
        self._after(track)
        return entry

    def _on_phase(self, track: Track) -> None:
        """Customers come once there is a shop to come to, and leave with it."""
        phase = track.phase.get("phase")
        if phase == "ready":
            self.asking.start(track)
            track.opened = track.opened or (track.exercise is not None and track.exercise.ready is None)
        elif phase in ("resetting", "expiring", "removed"):
            self.asking.stop(track.sandbox)

    def commit(self) -> None:
        """Commit what waits, now: before anything a person did is acknowledged. Raises RecordUnavailable."""
        self._flush(strict=True)

    def _after(self, track: Track) -> None:
        if track.opened and track.phase.get("phase") in ("ready", "open"):
            track.opened = False
            self._opened(track)
        while track.commands:
            self._command(track, track.commands.pop(0))
        if track.waiting and not self._flush_soon:
            self._flush_soon = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self, strict: bool = False) -> None:
        self._flush_soon = False
        refused: RecordUnavailable | None = None
        for track in (*self._left, *self.tracks.values()):
            if track.waiting:  # of hundreds, one or two
                refused = self._write(track) or refused
        self._left = [track for track in self._left if track.waiting]
        if refused is not None:
            self._retry_soon()
            if strict:
                raise refused

    def _write(self, track: Track) -> RecordUnavailable | None:
        batch = track.waiting
        try:
            self.store.append(track.sandbox, batch)
        except RecordUnavailable as refused:
            log.warning("observer: the record of %s is tried again: %s", track.sandbox, refused)
            return refused
        track.waiting = []
        track.committed(batch)
        for entry in batch:
            if entry.kind == "handover":
                self._handed_over(track, entry)
        return None

    def _retry_soon(self) -> None:
        """One timer, however many entries and sandboxes wait."""
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(RETRY, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self._flush()

    def _handed_over(self, track: Track, entry: Entry) -> None:
        """Told once it is committed: who marks it reads the record up to here."""
        if self.on_handover is None:
            return
        attempt, by = int(entry.change["attempt"]), str(entry.change.get("by", ""))
        try:
            self.on_handover(track.sandbox, attempt, int(entry.change.get("first", 1)), entry.seq, by)
        except Exception:
            log.exception("observer: the hand-over of %s was not taken", track.sandbox)

    # --- what happens -----------------------------------------------------------------------------
    def _on_event(self, event: WatchEvent) -> None:
        taken = self.world.take(event.op, event.kind, event.object)
        if taken is None:
            return
        namespace, obj = taken
        tracks = (
            self.tracks.values() if event.kind == "Node" else filter(None, [self.by_namespace.get(namespace)])
        )
        for track in tuple(tracks):
            known = track.versions.get(obj["metadata"]["uid"])
            if event.op != "DELETED" and known is not None and known[1] == obj:
                continue
            if event.op == "DELETED" and known is None:
                continue
            op = event.op if event.op == "DELETED" else ("ADDED" if known is None else "MODIFIED")
            self._append_object(track, op, event.kind, obj, synthetic=event.synthetic)
            self._after(track)

    def _append_object(
        self, track: Track, op: str, kind: str, obj: dict[str, Any], *, synthetic: bool = False
    ) -> None:
        metadata = obj["metadata"]
        change: dict[str, Any] = {
            "op": op,
            "kind": kind,
            "resourceVersion": metadata.get("resourceVersion", ""),
            "object": obj,
        }
        if synthetic:
            change["synthetic"] = True
        track.append("object", metadata["uid"], change, "watch")

    def _on_gap(self, how: str, since: float, until: float) -> None:
        for track in tuple(self.tracks.values()):
            track.append("gap", "", {"from": since, "until": until, "how": how}, "watch")
            self._after(track)

    def _on_away(self, since: float, until: float) -> None:
        """Without an API server nobody tells the network what changed: lost requests are ours until it has heard."""
        change = {
            "text": f"the cluster was away for {until - since:.0f} s: requests lost meanwhile cost nothing",
            "from": since,
            "until": until + CATCHING_UP,
            "kinds": ["probe", "load"],
        }
        for track in tuple(self.tracks.values()):
            track.append("trouble", "", change, "watch")
            self._after(track)

    async def _listen_to_audit(self) -> None:
        assert self.audit is not None  # noqa: S101  (run() starts it only then)
        await tail(self.audit, self._on_action)

    def _on_action(self, action: Action) -> None:
        track = self.by_namespace.get(action.namespace)
        if track is None:
            return
        track.append("action", action.name, action.change(), "audit")
        self._after(track)

    def _on_asked(self, sandbox: str, kind: Kind, uid: str, change: dict[str, Any]) -> None:
        """News of probes, loads and memory."""
        track = self.tracks.get(sandbox)
        if track is None:
            return
        track.append(kind, uid, change, "prober")
        self._after(track)

    # --- the attempt ------------------------------------------------------------------------------
    def _opened(self, track: Track) -> None:
        """The lesson's own `ready` holds: the page opens and the clock starts."""
        if track.begun or track.exercise is None:
            return
        track.append("phase", "", {"phase": "open", "text": ""}, "observer")
        until = (
            track.attempt_until if track.attempt_until > time.time() else time.time() + track.exercise.time
        )
        change = {"attempt": track.attempt, "params": track.params, "until": until}
        if track.exercise.feedback != "live":
            change["feedback"] = track.exercise.feedback
        track.append("start", str(track.attempt), change, "observer")

    def _command(self, track: Track, command: Command) -> None:
        match command:
            case Submit(by=by):
                track.append("submit", str(track.attempt), {"attempt": track.attempt, "by": by}, "observer")
            case StartFault(id=fault):
                self.spawn(self._start_ours(track, fault), f"fault {fault}")
            case Handover():
                self._hand_over(track)
            case EndProbes():
                self.asking.stop(track.sandbox)

    async def _start_ours(self, track: Track, fault: str) -> None:
        """A fault that no student starts. While the cluster is silent nothing is said: the course asks again."""
        try:
            await self.run_fault(track, fault, by=self._fault(track, fault).by)
        except SandboxError as error:
            log.warning("observer: fault %s was not injected: %s", fault, error)

    def _hand_over(self, track: Track) -> None:
        change = {"attempt": track.attempt, "first": track.started_seq, "by": track.submitted_by}
        track.append("handover", str(track.attempt), change, "observer")

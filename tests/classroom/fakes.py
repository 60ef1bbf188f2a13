"""Stand-ins for the cluster's side: an observer that keeps a real picture, and steps that remember."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

from classroom.workspaces.reconciling import Made
from sandbox.errors import ClusterUnavailable, SandboxError
from sandbox.naming import namespace_for
from sandbox.record.entry import Entry
from sandbox.record.picture import Picture


class FakeTrack:
    def __init__(self, plan: Any, exercise: Any, params: Any) -> None:
        self.plan, self.exercise, self.params = plan, exercise, params
        self.picture = Picture()
        self.seq = 0
        self.deltas: list[Any] = []
        self.listeners: list[Any] = []
        self.entries: list[Entry] = []


class FakeObserver:
    """The shape of `sandbox.observing.Observer`: entries folded by the real reducer, acts remembered."""

    def __init__(self, store: Any = None, epoch: int = 7) -> None:
        self.store, self.epoch = store, epoch
        self.tracks: dict[str, FakeTrack] = {}
        self.behind: float = 0.1
        self.stale_since: float | None = None
        self.acts: list[tuple[Any, ...]] = []
        self.probing: list[str] = []
        self.half_reset: set[str] = set()
        self.refuse: SandboxError | None = None
        self.asking = SimpleNamespace(start=lambda track: self.probing.append(track.plan.namespace))
        self.tasks: set[asyncio.Future[Any]] = set()
        self.world = SimpleNamespace(nodes={})

    async def open(self, sandbox: str, plan: Any, exercise: Any, params: Any) -> None:
        self.tracks.setdefault(sandbox, FakeTrack(plan, exercise, params))

    def close(self, sandbox: str) -> None:
        del self.tracks[sandbox]

    def track(self, sandbox: str) -> FakeTrack:
        return self.tracks[sandbox]

    def snapshot(self, sandbox: str) -> dict[str, Any]:
        track = self.tracks[sandbox]
        return {
            "f": "snapshot",
            "epoch": self.epoch,
            "seq": track.seq,
            "at": 0.0,
            "items": track.picture.items,
        }

    def deltas_since(self, sandbox: str, epoch: int, seq: int) -> list[Any] | None:
        track = self.tracks[sandbox]
        if epoch != self.epoch or seq > track.seq or (track.deltas and track.deltas[0].seq > seq + 1):
            return None
        return [delta for delta in track.deltas if delta.seq > seq]

    def listen(self, sandbox: str, listener: Any) -> Any:
        listeners = self.tracks[sandbox].listeners
        listeners.append(listener)
        return lambda: listeners.remove(listener) if listener in listeners else None

    def append(self, sandbox: str, kind: str, uid: str, change: dict[str, Any], source: str) -> Entry:
        track = self.tracks[sandbox]
        track.seq += 1
        entry = Entry(
            epoch=self.epoch,
            seq=track.seq,
            at=time.time(),
            source=source,
            kind=kind,
            uid=uid,
            change=change,  # type: ignore[arg-type]
        )
        track.entries.append(entry)
        delta = track.picture.feed(entry)
        track.deltas.append(delta)
        for listener in tuple(track.listeners):
            listener(delta)
        return entry

    def commit(self) -> None:
        return None

    def spawn(self, work: Any, name: str) -> asyncio.Future[Any]:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def settle(self) -> None:
        while self.tasks:
            await asyncio.gather(*self.tasks, return_exceptions=True)

    def _act(self, *act: Any) -> None:
        if self.refuse:
            raise self.refuse
        self.acts.append(act)

    def predict(self, sandbox: str, prediction: str, value: Any) -> None:
        self._act("predict", prediction, value)

    def answer(self, sandbox: str, question: str, value: Any) -> None:
        self._act("answer", question, value)

    def submit(self, sandbox: str) -> None:
        self._act("submit")

    def open_hint(self, sandbox: str) -> str | None:
        self._act("hint")
        return "Who would notice?"

    async def start_fault(self, sandbox: str, fault: str, *, pod: str | None = None) -> str:
        self._act("fault", fault, pod)
        return "storefront-1"

    async def break_something(
        self,
        sandbox: str,
        kind: str,
        *,
        how: str | None = None,
        pod: str | None = None,
        ms: int | None = None,
    ) -> str:
        self._act("break", kind, how, pod, ms)
        return "storefront-1"

    async def start_load(self, sandbox: str, load: str, *, rate: float | None = None) -> float:
        self._act("load", load, rate)
        return 1060.0

    async def stop_load(self, sandbox: str, load: str) -> None:
        self._act("stop-load", load)

    async def delete_pod(self, sandbox: str, pod: str) -> str:
        self._act("delete-pod", pod)
        return "storefront-1"

    async def reset(self, sandbox: str, start: list[dict[str, Any]]) -> None:
        self._act("reset", start)

    def is_half_reset(self, sandbox: str) -> bool:
        return sandbox in self.half_reset

    async def finish_reset(self, sandbox: str, start: list[dict[str, Any]]) -> None:
        self._act("finish-reset", start)
        self.half_reset.discard(sandbox)

    async def restart(self, sandbox: str, start: list[dict[str, Any]]) -> int:
        self._act("restart", start)
        return 2


class FakeSteps:
    """Implements `reconciling.Steps`; `break_at` names steps that raise, once each."""

    def __init__(self, room: int = 10) -> None:
        self.room = room
        self.done: list[str] = []
        self.there: dict[str, str] = {}  # sandbox id -> namespace uid
        self.strangers: dict[str, str] = {}
        self.break_at: list[tuple[str, Exception]] = []

    def _step(self, name: str) -> None:
        if self.break_at and self.break_at[0][0] == name:
            raise self.break_at.pop(0)[1]
        self.done.append(name)

    async def prepare(self, row: Any, objects: list[dict[str, Any]], on_phase: Any) -> Made:
        on_phase("namespace", None)
        self.there.setdefault(str(row.pk), f"uid-of-{str(row.pk)[:8]}")
        on_phase("namespace", 40.6)
        self._step("prepare")
        return Made(self.there[str(row.pk)], time.time() + 3600)

    async def renew_key(self, row: Any) -> float:
        self._step("renew")
        return time.time() + 3600

    async def remove(self, row: Any) -> None:
        self._step("remove")
        self.there.pop(str(row.pk), None)

    async def uid_of(self, row: Any) -> str | None:
        self._step("uid")
        return self.there.get(str(row.pk))

    async def namespaces(self) -> dict[str, str]:
        self._step("namespaces")
        return {namespace_for(key): uid for key, uid in self.there.items()} | self.strangers

    async def limit(self) -> int:
        return self.room


def away() -> ClusterUnavailable:
    return ClusterUnavailable("The API server does not answer.")


class FakeDesk:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def opened(self, sandbox: str) -> None:
        self.told.append(("opened", sandbox))

    def closed(self, sandbox: str, resting: dict[str, Any]) -> None:
        self.told.append(("closed", sandbox))

    def rest(self, sandbox: str, resting: dict[str, Any]) -> None:
        self.told.append(("rest", sandbox))

    def changed(self) -> None:
        self.told.append(("changed", ""))

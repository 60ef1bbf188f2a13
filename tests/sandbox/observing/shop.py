"""A whole observer without a cluster: the first lesson's exercise, a clock that tests move, events by hand."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from sandbox.cluster.client import ClusterClient
from sandbox.errors import ClusterUnavailable
from sandbox.observing import Observer, acting, asking, faulting, load_acts, observer, track
from sandbox.plan import plan_for
from sandbox.probing import ProbeResult
from sandbox.record.entry import Entry, RecordUnavailable
from sandbox.record.exercise import Exercise
from sandbox.watching import WatchEvent
from tests.sandbox.record import build
from tests.sandbox.record.lesson14 import exercise as lesson14

BOX = "0123456789abcdef" * 2
PLAN = plan_for(BOX, pods=5, memory=2**27, cpu=0.5)


class Clock:
    """Stands in for the module `time` where the observer reads it."""

    def __init__(self) -> None:
        self.now = build.T0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


class Store:
    """A record in memory. `refuses` = the disk is full."""

    def __init__(self) -> None:
        self.entries: dict[str, list[Entry]] = {}
        self.batches: list[list[Entry]] = []
        self.refuses = False
        self.tries = self.epochs = 0

    def append(self, sandbox: str, entries: Iterable[Entry]) -> None:
        self.tries += 1
        if self.refuses:
            raise RecordUnavailable("The disk is full.")
        batch = list(entries)
        kept = self.entries.setdefault(sandbox, [])
        numbers = [each.seq for each in (*kept, *batch)]
        assert numbers == list(range(1, len(numbers) + 1)), "seq has a hole, or comes twice"
        kept += batch
        self.batches.append(batch)

    def read(self, sandbox: str, *, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        kept = self.entries.get(sandbox, [])
        return iter([each for each in kept if each.seq > after and (until is None or each.seq <= until)])

    def last_seq(self, sandbox: str) -> int:
        return len(self.entries.get(sandbox, []))

    def next_epoch(self) -> int:
        self.epochs += 1
        return self.epochs


class Api:
    """What the acts ask of an API server. `error` is raised by every DELETE, `away` by every request."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.error: Exception | None = None
        self.away = False
        self.on_delete: Any = lambda _path: None

    async def request(self, method: str, path: str, **fields: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        if self.away:
            raise ClusterUnavailable("It does not answer.")
        self.asked.append((method, path, fields))
        if method == "DELETE":
            if self.error is not None:
                raise self.error
            self.on_delete(path)
        return {"items": []}

    @property
    def deleted(self) -> list[str]:
        return [path.rpartition("/")[2] for method, path, _ in self.asked if method == "DELETE"]


class Shop:
    """One sandbox of lesson 14 under observation. Pods behave as tests say."""

    def __init__(self, clock: Clock, spec: Exercise | None = None) -> None:
        self.clock, self.store, self.api = clock, Store(), Api()
        self.exercise = spec or lesson14()
        self.handed: list[tuple[Any, ...]] = []
        self.frames: list[dict[str, Any]] = []
        self.pods: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)

    # the process
    async def start_process(self) -> Observer:
        client: ClusterClient = self.api  # type: ignore[assignment]
        self.observer = Observer(
            observer=client, keeper=client, runner=client, store=self.store, audit=None, images={},
            on_handover=lambda *told: self.handed.append(told),
        )  # fmt: skip
        for name in ("worker-1", "worker-2"):
            self.see("ADDED", build.node(name))
        for pod in self.pods.values():
            self.see("ADDED", pod)
        return self.observer

    async def open(self) -> None:
        await self.observer.open(BOX, PLAN, self.exercise, {"replicas": 3})
        self.observer.listen(BOX, lambda delta: self.frames.append(delta.frame()))
        await self.turn()

    async def begin(self) -> None:
        """Up to the moment the attempt begins: one bare Pod, a Service, and an answer."""
        await self.start_process()
        await self.open()
        self.say_phase("ready")
        self.see("ADDED", build.service())
        self.new_pod("storefront", owner=None)
        self.answer()
        await self.turn()

    @property
    def track(self) -> track.Track:
        return self.observer.track(BOX)

    async def turn(self) -> None:
        """What was put off to the next turns of the loop happens."""
        for _ in range(8):
            await asyncio.sleep(0)

    async def wait(self, seconds: float) -> None:
        """Time passes as the observer's clock sees it, half a second at a time."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            before = self.clock.now
            self.clock.now = min(until, before + 0.5)
            self.observer._look_at_deadlines(before, self.clock.now)
            await self.turn()

    # the cluster
    def see(self, op: str, obj: dict[str, Any], *, namespace: str = PLAN.namespace) -> None:
        """An event of a watch."""
        metadata = {"resourceVersion": str(next(self._numbers)), **obj["metadata"]}
        if obj["kind"] != "Node":
            metadata["namespace"] = namespace
        self.observer.watcher.deliver(WatchEvent(op, obj["kind"], {**obj, "metadata": metadata}))  # type: ignore[arg-type]

    def new_pod(self, name: str, *, owner: str | None = "ReplicaSet", ready: bool = True) -> str:
        pod = build.pod(name, f"uid-{name}", owner=owner, node="worker-1", phase="Running", ready=ready)
        pod["metadata"]["resourceVersion"] = str(next(self._numbers))
        self.pods[f"uid-{name}"] = pod
        self.see("ADDED", pod)
        self.endpoints()
        return f"uid-{name}"

    def end_pod(self, name: str) -> None:
        pod = self.pods.pop(f"uid-{name}")
        self.see("DELETED", pod)
        self.endpoints()

    def endpoints(self) -> None:
        states = dict.fromkeys(self.pods, "ready")
        self.see("MODIFIED", build.endpoints(states, rv=next(self._numbers)))

    def deploy(self, *names: str) -> None:
        self.end_pod("storefront")
        self.see("ADDED", build.deployment(3, ready=3))
        for name in names:
            self.new_pod(name)

    def heal(self, path: str) -> None:
        """For `api.on_delete`: the Pod goes at once and another takes its place."""
        name = path.rpartition("/")[2]
        if f"uid-{name}" in self.pods:
            self.end_pod(name)
            asyncio.get_running_loop().call_later(0.0, self.new_pod, f"{name}-{next(self._numbers)}")

    def answer(self, status: int = 200, *, pod: str = "uid-storefront", body: str = '{"pod": "x"}') -> None:
        heard = ProbeResult(
            sandbox=BOX, id="front", ok_transport=True, status=status, ms=2.0, nonce="n", echo_nonce="n",
            echo_pod_uid=pod, body=body,
        )  # fmt: skip
        self.observer.asking.prober.on_result(heard)

    def say_phase(self, phase: str) -> None:
        self.observer.append(BOX, "phase", "", {"phase": phase, "text": ""}, "platform")

    # what came of it
    @property
    def entries(self) -> list[Entry]:
        return self.store.entries.get(BOX, [])

    def kinds(self, kind: str) -> list[dict[str, Any]]:
        return [each.change for each in self.entries if each.kind == kind]

    def phases(self, fault: str) -> list[str]:
        return [each.change["phase"] for each in self.entries if (each.kind, each.uid) == ("fault", fault)]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (track, observer, acting, asking, faulting, load_acts):
        monkeypatch.setattr(module, "time", made)

    async def token(*_: Any) -> Any:
        return acting.Token("canary-token", made.now + 3600)

    async def clean(*_: Any) -> None:
        return None

    monkeypatch.setattr(acting, "student_token", token)
    monkeypatch.setattr(acting, "wait_until_clean", clean)
    return made


@pytest.fixture
def shop(clock: Clock) -> Shop:
    return Shop(clock)


__all__ = ["BOX", "PLAN", "Api", "Clock", "Shop", "Store", "clock", "shop"]

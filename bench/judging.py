"""EVAL: what an entry of lesson 14's own recordings costs its checks. GROWTH: what an entry costs the observer
with 200 sandboxes open against one. G3: from the deciding entry until a listener has the verdict.

All without a cluster: a real observer, its record in SQLite on this disk, events of the watch by hand. The probes
ask nobody here. Nobody else's sandboxes are left out: all 200 are watched, judged, kept and drawn.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from classroom.live.storage import SqliteRecordStore
from lessons.loading import load_lesson
from lessons.recordings import read_recording, recordings_of
from sandbox.observing import Observer
from sandbox.plan import plan_for
from sandbox.probing import ProbeResult
from sandbox.record.checks import Engine
from sandbox.record.delta import Delta
from sandbox.record.exercise import Exercise
from sandbox.watching import WatchEvent
from tests.sandbox.observing.shop import Api

from .micro_record import record, timed
from .product import ROOT
from .statistics_of import percentile, ratio, spread
from .visitor import LESSON

SANDBOXES = 200
AT_ONCE = 10  # sandboxes whose deciding entry comes in the same turn of the loop: a class doing the same
ALONE = 40  # of them, each under an observer of its own, make one reference
ROUNDS = 5
PARAMS = {"replicas": 3}
DECIDED = "check/enough"  # "the wanted number is ready"


def evaluation() -> dict[str, Any]:
    """Microseconds of processor time per entry, over every recorded way of lesson 14; best of some rounds each."""
    lesson = load_lesson(ROOT / "lessons" / LESSON[0] / LESSON[1])
    assert lesson.exercise is not None
    found: list[float] = []
    for path in recordings_of(lesson.path):
        kept = read_recording(path, lesson)
        rounds = [
            timed(
                list(kept.entries), Engine(lesson.exercise, params=kept.params, images=dict(kept.images)).feed
            )
            for _ in range(ROUNDS)
        ]
        found += min(rounds, key=sum)
    return {
        **spread(found), "p99": round(percentile(found, 0.99), 3),
        "mean": round(statistics.mean(found), 3), "unit": "us",
    }  # fmt: skip


class Pupils:
    """Sandboxes of lesson 14 under one observer, each told the same events."""

    def __init__(self, folder: Path, exercise: Exercise) -> None:
        stub: Any = Api()
        self.exercise = exercise
        self.observer = Observer(
            observer=stub,
            keeper=stub,
            runner=stub,
            store=SqliteRecordStore(folder / f"record-{time.monotonic_ns()}.sqlite3"),
            audit=None,
            images={},
        )
        self.plans = {}
        self.told: dict[str, float] = {}  # sandbox -> when a listener had the verdict
        self._versions = itertools.count(1)

    async def open(self, number: int) -> str:
        """Ready, with a Pod that answers: the attempt begins."""
        box = f"{number:032x}"
        self.plans[box] = plan_for(box, pods=5, memory=2**27, cpu=0.5)
        await self.observer.open(box, self.plans[box], self.exercise, PARAMS)
        self.observer.listen(box, lambda delta: self._listen(box, delta))
        self.observer.append(box, "phase", "", {"phase": "ready", "text": ""}, "platform")
        return box

    def _listen(self, box: str, delta: Delta) -> None:
        if delta.set.get(DECIDED, {}).get("state") == "pass":
            self.told.setdefault(box, time.perf_counter())

    def see(self, box: str, change: dict[str, Any]) -> None:
        given = change["object"]
        metadata = {
            **given["metadata"],
            "namespace": self.plans[box].namespace,
            "resourceVersion": str(next(self._versions)),
        }
        self.observer.watcher.deliver(
            WatchEvent(change["op"], change["kind"], {**given, "metadata": metadata})
        )

    def answer(self, box: str, pod: str) -> None:
        self.observer.asking.prober.on_result(ProbeResult(
            sandbox=box, id="front", ok_transport=True, status=200, ms=2.0, nonce="n", echo_nonce="n",
            echo_pod_uid=pod, body="{}",
        ))  # fmt: skip

    @property
    def entries(self) -> int:
        return sum(track.seq for track in self.observer.tracks.values())


def changes(entries: int) -> list[dict[str, Any]]:
    """Three Pods come, and then one is killed and replaced again and again."""
    return [
        each.change
        for each in record(entries)
        if each.kind == "object" and each.change["kind"] not in ("Node", "Event")
    ]


def is_ready(change: dict[str, Any]) -> bool:
    conditions = change["object"].get("status", {}).get("conditions", [])
    return change["kind"] == "Pod" and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


async def settle() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


async def begin(pupils: Pupils, boxes: Iterable[str], told: list[dict[str, Any]]) -> None:
    """Everything up to the second ready Pod; the attempt begins when the first one answers."""
    for box in boxes:
        pods = 0
        for change in told:
            pupils.see(box, change)
            if is_ready(change):
                pods += 1
                if pods == 1:
                    pupils.answer(box, change["object"]["metadata"]["uid"])
                    await settle()
        await settle()


def until_decided(told: list[dict[str, Any]]) -> int:
    """Where the third ready Pod comes, which decides."""
    return [place for place, change in enumerate(told) if is_ready(change)][2]


async def verdicts(folder: Path, exercise: Exercise) -> dict[str, Any]:
    """G3, milliseconds, each from the event's delivery; commit in SQLite, picture and listener included."""
    told = changes(40)
    decides = until_decided(told)
    pupils = Pupils(folder, exercise)
    boxes = [await pupils.open(number) for number in range(SANDBOXES)]
    await begin(pupils, boxes, told[:decides])
    sent: dict[str, float] = {}
    for group in grouped(boxes):
        for box in group:
            sent[box] = time.perf_counter()
            pupils.see(box, told[decides])
        await settle()
    found = [(pupils.told[box] - sent[box]) * 1000 for box in boxes]
    return {
        **spread(found), "p99_ms": round(percentile(found, 0.99), 3), "unit": "ms",
        "sandboxes": SANDBOXES, "at_once": AT_ONCE, "load": os.getloadavg()[0],
    }  # fmt: skip


def grouped(boxes: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(boxes), AT_ONCE):
        yield boxes[first : first + AT_ONCE]


async def cost(folder: Path, exercise: Exercise, sandboxes: int, told: list[dict[str, Any]]) -> float:
    """Microseconds of processor time per entry: watched, judged, kept, drawn. One event per turn of the loop."""
    pupils = Pupils(folder, exercise)
    boxes = [await pupils.open(number) for number in range(sandboxes)]
    decides = until_decided(told)
    await begin(pupils, boxes, told[:decides])
    before = pupils.entries
    gc.collect()
    started = time.process_time()
    for change in told[decides:]:
        for box in boxes:
            pupils.see(box, change)
            await asyncio.sleep(0)
    await settle()
    return (time.process_time() - started) * 1e6 / (pupils.entries - before)


async def growth(folder: Path, exercise: Exercise) -> dict[str, Any]:
    """GROWTH, alternating: the same events told to each of 200 sandboxes at a time, and to one after the other."""
    many, one, told = [], [], changes(60)
    for _ in range(ROUNDS):
        many.append(await cost(folder, exercise, SANDBOXES, told))
        alone = [await cost(folder, exercise, 1, told) for _ in range(ALONE)]
        one.append(statistics.mean(alone))
    return {**ratio(many, one), "unit": "us", "sandboxes": SANDBOXES}


def judged(wanted: set[str]) -> dict[str, Any]:
    exercise = load_lesson(ROOT / "lessons" / LESSON[0] / LESSON[1]).exercise
    assert exercise is not None
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        if "EVAL" in wanted:
            results["EVAL"] = evaluation()
        if "G3" in wanted:
            results["G3"] = asyncio.run(verdicts(Path(folder), exercise))
    if "GROWTH" in wanted:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:  # processor time is asked, not the disk's
            results["GROWTH"] = asyncio.run(growth(Path(folder), exercise))
    return results

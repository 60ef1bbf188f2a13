"""One run of one way through an exercise, on the real cluster, observed as a student's is.

Used by `glasshull lesson verify` and `record`. Acts with the student's own key; the record is kept in memory.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from authoring.acts import do, is_stuck, until
from authoring.cpu import CpuMeter, peak_cores
from authoring.staging import Stage
from lessons.manifests_loading import substitute
from lessons.models import Way
from sandbox.errors import SandboxError
from sandbox.observing.refusal import ActRefused
from sandbox.observing.track import Track
from sandbox.plan import SandboxPlan, plan_for_exercise
from sandbox.preparing import Filling, ensure_sandbox
from sandbox.record.entry import Entry
from sandbox.record.exercise import Exercise
from sandbox.record.marking import Result, work_out
from sandbox.removing import ensure_removed

OPEN_WITHIN = 120.0  # seconds until the lesson's own `ready` holds
REMOVE_WITHIN = 60.0  # seconds for which a silent cluster is asked to remove what a run made
LOOK_ON = 60.0  # seconds after the last step in which checks may still pass, or a hint come to fit
SETTLED = 5.0  # seconds in which controllers follow what was applied
_PASSING = frozenset({"Node", "Event", "EndpointSlice"})  # not the student's, or made by others from what is


@dataclass
class Trial:
    """What came of one run. `trouble` is what the way itself met (a refused manifest, a wait that ran out).

    `cores`: the most CPU its Pods used in any ten seconds; None where it could not be measured.
    """

    way: str
    params: dict[str, Any]
    result: Result | None
    seconds: float
    entries: list[Entry]
    hints: list[str]
    trouble: list[str] = field(default_factory=list)
    images: dict[str, str] = field(default_factory=dict)
    cores: float | None = None


@dataclass
class ResetTrial:
    """A sandbox reset after the way was under way. `differs`: one line per thing that is not as at the start."""

    seconds: float
    differs: list[str]
    trouble: list[str] = field(default_factory=list)


async def run_way(
    on: Stage, exercise: Exercise, way: Way, params: Mapping[str, Any], *, untouched: bool = False
) -> Trial:
    """Prepare, start, do, hand in, mark, remove. `untouched`: hand in the start state as it is.

    What keeps it from a mark is in `trouble` and stops no other run.
    """
    started = time.monotonic()
    trial = Trial(way.name, dict(params), None, 0.0, [], [], images=dict(on.images))
    try:
        async with _sandbox(on, exercise, params, trial.trouble) as track:
            meter = CpuMeter(lambda: track.pod_uids)
            metering = asyncio.create_task(meter.run(), name="cpu of a run")
            try:
                await _attempt(on, track, exercise, way, untouched, trial)
            finally:
                metering.cancel()
                trial.cores = peak_cores(meter.readings)
                trial.entries = list(on.store.read(track.sandbox))
    except SandboxError as error:
        trial.trouble.append(f"{type(error).__name__}: {error}")
    trial.seconds = time.monotonic() - started
    return trial


async def _attempt(
    on: Stage, track: Track, exercise: Exercise, way: Way, untouched: bool, trial: Trial
) -> None:
    """Raises SandboxError."""
    sandbox, params = track.sandbox, trial.params
    if not track.begun:
        return
    for act in () if untouched else way.acts:
        await do(on, track, exercise, way, act, params, trial.trouble)
    if not untouched:
        await _look_on(on, track, way)
    trial.hints = await _hints(on, track)
    if not track.handed_in:
        on.observer.submit(sandbox)
    try:
        async with asyncio.timeout(exercise.time):
            await on.handed[sandbox].wait()
    except TimeoutError:
        trial.trouble.append(f"it was not handed over within {exercise.time:.0f} s")
        return
    trial.result = work_out(exercise, params, on.store.read(sandbox), on.images)


async def run_reset(on: Stage, exercise: Exercise, way: Way, params: Mapping[str, Any]) -> ResetTrial:
    """Open, do what the way changes, reset: is the start state there again, and how soon?"""
    trial = ResetTrial(0.0, [])
    try:
        async with _sandbox(on, exercise, params, trial.trouble) as track:
            if not track.begun:
                return trial
            await asyncio.sleep(SETTLED)
            before = shape_of(track.versions.values())
            for act in way.acts:
                if act.verb in ("apply", "delete", "patch"):
                    await do(on, track, exercise, way, act, params, trial.trouble)
            began = time.monotonic()
            await _reset(on, track, _start(exercise, params))
            if not await until(lambda: track.begun, OPEN_WITHIN):
                trial.trouble.append(f"`ready` did not hold again within {OPEN_WITHIN:.0f} s of the reset")
            trial.seconds = time.monotonic() - began
            await until(lambda: shape_of(track.versions.values()) == before, SETTLED * 3)
            trial.differs = differences(before, shape_of(track.versions.values()))
    except SandboxError as error:
        trial.trouble.append(f"{type(error).__name__}: {error}")
    return trial


async def _reset(on: Stage, track: Track, start: list[dict[str, Any]]) -> None:
    """A small lesson is handed in by itself as soon as its checks pass: then its mark is waited for first.

    Raises SandboxError.
    """
    last = time.monotonic() + OPEN_WITHIN
    while True:
        try:
            await on.observer.reset(track.sandbox, start)
            return
        except ActRefused as refused:
            if refused.code not in ("testing", "busy") or time.monotonic() > last:
                raise
        await asyncio.sleep(0.5)


@asynccontextmanager
async def _sandbox(
    on: Stage, exercise: Exercise, params: Mapping[str, Any], trouble: list[str]
) -> AsyncIterator[Track]:
    """A sandbox with the start state in it, removed afterwards. It has begun unless `trouble` says why not.

    Raises SandboxError.
    """
    sandbox = secrets.token_hex(16)
    plan = plan_for_exercise(sandbox, exercise)
    on.handed[sandbox] = asyncio.Event()
    try:
        await on.observer.open(sandbox, plan, exercise, params)
        track = on.observer.track(sandbox)
        on.observer.listen(sandbox, lambda _delta: None)  # memory is measured only while somebody looks
        await ensure_sandbox(
            on.keeper, plan, lambda _name, _ms: None, Filling(objects=_start(exercise, params))
        )
        on.observer.append(sandbox, "phase", "", {"phase": "ready", "text": ""}, "verify")
        if not await until(lambda: track.begun, OPEN_WITHIN):
            trouble.append(
                f"the lesson's `ready` did not hold within {OPEN_WITHIN:.0f} s of the start state, "
                "before anything was done; ask in it only for what start.yaml brings"
            )
        yield track
    finally:
        on.observer.close(sandbox)
        on.handed.pop(sandbox, None)
        on.store.entries.pop(sandbox, None)
        await _remove(on, plan)


def _start(exercise: Exercise, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(one) for one in substitute(exercise.objects, dict(params))]


def shape_of(objects: Iterable[tuple[str, Mapping[str, Any]]]) -> Counter[str]:
    """What stands in a sandbox, as lines without what differs from run to run: uids, made-up names, times."""
    return Counter(_line(kind, obj) for kind, obj in objects if kind not in _PASSING and _stays(obj))


def differences(before: Counter[str], after: Counter[str]) -> list[str]:
    missing = [f"{line} is missing" for line in sorted((before - after).elements())]
    return missing + [f"{line} is there as well" for line in sorted((after - before).elements())]


def _stays(obj: Mapping[str, Any]) -> bool:
    return not obj["metadata"].get("deletionTimestamp")


def _line(kind: str, obj: Mapping[str, Any]) -> str:
    metadata, spec = obj["metadata"], obj.get("spec") or {}
    owners = metadata.get("ownerReferences") or []
    name = f"{kind} of a {owners[0]['kind']}" if owners else f"{kind}/{metadata['name']}"
    template = (spec.get("template") or {}).get("spec") or spec
    images = " ".join(sorted(str(each.get("image")) for each in template.get("containers") or []))
    replicas = f" x{spec['replicas']}" if "replicas" in spec else ""
    return f"{name}{replicas}{f' ({images})' if images else ''}"


async def _remove(on: Stage, plan: SandboxPlan) -> None:
    """Nobody else clears up after a run, so a cluster that is away for a moment is waited for.

    Raises SandboxError.
    """
    last = time.monotonic() + REMOVE_WITHIN
    while True:
        try:
            await ensure_removed(on.keeper, plan)
            return
        except SandboxError:  # an API server that has just started also forbids what it allows a second later
            if time.monotonic() > last:
                raise
        await asyncio.sleep(1.0)


async def _look_on(on: Stage, track: Track, way: Way) -> None:
    """As long as a student would before handing in: until all has passed, until the hint fits, or nothing moves."""
    engine = track.engine

    def has_come() -> bool:
        if track.handed_in or engine is None:
            return True
        return engine.valid_hint == way.hint if way.hint else is_stuck(on, track)

    await until(has_come, LOOK_ON)


async def _hints(on: Stage, track: Track) -> list[str]:
    """The hint a student would be given now: conditions must have held for 2 s."""
    await asyncio.sleep(2.5)
    if track.handed_in or track.engine is None:
        return []
    on.observer.open_hint(track.sandbox)
    opened = [entry for entry in on.store.read(track.sandbox) if entry.kind == "hint"]
    return [
        str(entry.change.get("id") or entry.uid) for entry in opened if entry.change.get("phase") == "opened"
    ]

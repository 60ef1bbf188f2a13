"""One run of one way through an exercise, on the real cluster, observed as a student's is.

Used by `glasshull lesson verify` and `record`. Acts with the student's own key; the record is kept in memory.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from lessons.manifests_loading import substitute
from lessons.models import Act, Lesson, Way
from sandbox.applying import apply, parse_manifests
from sandbox.cluster.client import MERGE_PATCH, ClusterClient
from sandbox.cluster.discovery import read_kind
from sandbox.cluster.kubeconfig import KubeconfigInvalid
from sandbox.errors import SandboxError
from sandbox.observing import Observer
from sandbox.observing.track import Track
from sandbox.plan import SandboxPlan, plan_for_exercise
from sandbox.preparing import ensure_sandbox
from sandbox.record.cel import Names, Undecided, compile_predicate
from sandbox.record.entry import Entry
from sandbox.record.exercise import Exercise
from sandbox.record.marking import Result, work_out
from sandbox.removing import ensure_removed
from sandbox.starting import apply_start

OPEN_WITHIN = 120.0  # seconds until the lesson's own `ready` holds
REMOVE_WITHIN = 60.0  # seconds for which a silent cluster is asked to remove what a run made
# Seconds without any change of an object after which a wait may be given up, when a hint fits as well. The
# shop's app starts in 8 s, in which nothing is written either.
QUIET = 12.0
KINDS = {
    "Pod": "v1", "Service": "v1", "ConfigMap": "v1", "PersistentVolumeClaim": "v1", "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "Job": "batch/v1",
}  # fmt: skip


class NoCluster(Exception):
    """There is nothing to run on; the text says what would change that."""


class MemoryStore:
    """A record that ends with the process."""

    def __init__(self) -> None:
        self.entries: dict[str, list[Entry]] = {}

    def append(self, sandbox: str, entries: Iterable[Entry]) -> None:
        self.entries.setdefault(sandbox, []).extend(entries)

    def read(self, sandbox: str, *, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        for entry in tuple(self.entries.get(sandbox, ())):
            if entry.seq > after and (until is None or entry.seq <= until):
                yield entry

    def last_seq(self, sandbox: str) -> int:
        kept = self.entries.get(sandbox)
        return kept[-1].seq if kept else 0

    def next_epoch(self) -> int:
        return int(time.time())


@dataclass
class Trial:
    """What came of one run. `trouble` is what the way itself met (a refused manifest, a wait that ran out)."""

    way: str
    params: dict[str, Any]
    result: Result | None
    seconds: float
    entries: list[Entry]
    hints: list[str]
    trouble: list[str] = field(default_factory=list)


@dataclass
class Stage:
    """The cluster, opened once for several runs."""

    keeper: ClusterClient
    runner: ClusterClient
    observer: Observer
    store: MemoryStore
    images: dict[str, str]
    handed: dict[str, asyncio.Event]


def state_folder() -> Path:
    given = os.environ.get("GLASSHULL_HOME")
    return Path(given) if given else Path.home() / ".local/share/glasshull"


def read_images(home: Path) -> dict[str, str]:
    """Image name -> what a Pod's `imageID` shows for it (the config's digest, for images imported from a file)."""
    found: dict[str, Any] = json.loads((home / "shared/images.json").read_text())
    return {name: str(facts["image_id"]) for name, facts in found.items()}


@asynccontextmanager
async def stage(home: Path) -> AsyncIterator[Stage]:
    """Connect with the platform's three accounts and begin to observe. Raises NoCluster."""
    try:
        clients = [
            ClusterClient.from_kubeconfig(
                home / f"shared/kube/{name}.kubeconfig", user_agent=f"glasshull-{name}-verify"
            )
            for name in ("observer", "keeper", "runner")
        ]
        images = read_images(home)
    except (OSError, KubeconfigInvalid) as error:
        raise NoCluster(
            f"No cluster of Glasshull runs for {home} ({error}). Start it with: make up"
        ) from error
    observing, keeper, runner = clients
    store = MemoryStore()
    handed: dict[str, asyncio.Event] = {}

    def on_handover(sandbox: str, *_range: Any) -> None:
        handed.setdefault(sandbox, asyncio.Event()).set()

    observer = Observer(
        observer=observing,
        keeper=keeper,
        runner=runner,
        store=store,
        audit=home / "shared/audit/audit.log",
        images=images,
        on_handover=on_handover,
    )
    task = asyncio.ensure_future(observer.run())
    try:
        await observer.ready()
        yield Stage(keeper, runner, observer, store, images, handed)
    except TimeoutError as error:
        raise NoCluster("The cluster does not answer. Is it still starting?") from error
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for client in clients:
            await client.close()


async def run_way(
    on: Stage,
    lesson: Lesson,
    exercise: Exercise,
    way: Way,
    params: Mapping[str, Any],
    *,
    untouched: bool = False,
) -> Trial:
    """Prepare, start, do, hand in, mark, remove. `untouched`: hand in the start state as it is.

    What keeps it from a mark is in `trouble` and stops no other run.
    """
    started = time.monotonic()
    trial = Trial(way.name, dict(params), None, 0.0, [], [])
    try:
        await _run(on, lesson, exercise, way, params, untouched, trial)
    except SandboxError as error:
        trial.trouble.append(f"{type(error).__name__}: {error}")
    trial.seconds = time.monotonic() - started
    return trial


async def _run(
    on: Stage,
    lesson: Lesson,
    exercise: Exercise,
    way: Way,
    params: Mapping[str, Any],
    untouched: bool,
    trial: Trial,
) -> None:
    """Raises SandboxError."""
    sandbox = secrets.token_hex(16)
    plan = plan_for_exercise(sandbox, exercise)
    on.handed[sandbox] = asyncio.Event()
    trouble = trial.trouble
    try:
        await on.observer.open(sandbox, plan, exercise, params)
        track = on.observer.track(sandbox)
        await ensure_sandbox(on.keeper, plan, lambda _name, _ms: None)
        start = [dict(one) for one in substitute(exercise.objects, dict(params))]
        await apply_start(on.keeper, plan, start)
        on.observer.append(sandbox, "phase", "", {"phase": "ready", "text": ""}, "verify")
        if not await _until(lambda: track.begun, OPEN_WITHIN):
            trouble.append(f"the lesson's `ready` did not hold within {OPEN_WITHIN:.0f} s")
            return
        if not untouched:
            for act in way.acts:
                await _do(on, track, exercise, way, act, params, trouble)
        trial.hints = await _hints(on, track)
        if not track.handed_in:
            on.observer.submit(sandbox)
        async with asyncio.timeout(exercise.time):
            await on.handed[sandbox].wait()
        trial.entries = list(on.store.read(sandbox))
        trial.result = work_out(exercise, dict(params), trial.entries, on.images)
    except TimeoutError:
        trouble.append(f"it was not handed over within {exercise.time:.0f} s")
    finally:
        trial.entries = list(on.store.read(sandbox))
        on.observer.close(sandbox)
        on.handed.pop(sandbox, None)
        on.store.entries.pop(sandbox, None)
        await _remove(on, plan)


async def _remove(on: Stage, plan: SandboxPlan) -> None:
    """Nobody else clears up after a run, so a cluster that is away for a moment is waited for.

    Raises SandboxError.
    """
    until = time.monotonic() + REMOVE_WITHIN
    while True:
        try:
            await ensure_removed(on.keeper, plan)
            return
        except SandboxError:  # an API server that has just started also forbids what it allows a second later
            if time.monotonic() > until:
                raise
        await asyncio.sleep(1.0)


async def _until(condition: Any, seconds: float, every: float = 0.1) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        await asyncio.sleep(every)
    return True


async def _hints(on: Stage, track: Track) -> list[str]:
    """The hint a student would be given now: conditions must have held for 2 s."""
    if track.handed_in or track.engine is None:
        return []
    await asyncio.sleep(2.5)
    on.observer.open_hint(track.sandbox)
    opened = [entry for entry in on.store.read(track.sandbox) if entry.kind == "hint"]
    return [
        str(entry.change.get("id") or entry.uid) for entry in opened if entry.change.get("phase") == "opened"
    ]


async def _do(
    on: Stage,
    track: Track,
    exercise: Exercise,
    way: Way,
    act: Act,
    params: Mapping[str, Any],
    trouble: list[str],
) -> None:
    """One step of a way; what goes wrong is noted, and the run goes on as a student's would."""
    sandbox, plan = track.sandbox, track.plan
    try:
        match act.verb:
            case "apply":
                await apply_objects(on, track, substitute(way.files[act.what], dict(params)))
            case "delete":
                await _delete(on, track, act.what)
            case "patch":
                await _patch(on, track, act.what, substitute(dict(act.change), dict(params)))
            case "predict":
                for prediction, value in act.what.items():
                    on.observer.predict(sandbox, prediction, value)
            case "fault":
                await on.observer.start_fault(sandbox, act.what)
                fault = exercise.fault(act.what)
                await _until(lambda: not track.fault_running(fault.id), 60)
                await asyncio.sleep(fault.settle + 0.5)
            case "wait":
                stuck = (lambda: is_stuck(on, track)) if way.kind != "solution" else (lambda: False)
                if not await _wait(track, str(act.what), act.within, stuck):
                    trouble.append(f"wait {act.what!r} did not come to hold (at most {act.within:.0f} s)")
            case _:
                trouble.append(f"step {act.verb!r} is not run yet on tier namespace ({plan.namespace})")
    except SandboxError as error:
        trouble.append(f"{act.verb} {act.what}: {error}")
    except KeyError as unknown:
        trouble.append(f"{act.verb} {act.what}: the exercise has no parameter called {unknown}")


def is_stuck(on: Stage, track: Track) -> bool:
    """A hint says what is wrong, and nothing moves any more: waiting on would show nothing new."""
    if track.engine is None or track.engine.valid_hint is None:
        return False
    return time.time() - last_move(on.store.entries.get(track.sandbox, [])) > QUIET


def last_move(entries: list[Entry]) -> float:
    """When an object changed last; Unix seconds, 0 for never."""
    return next((entry.at for entry in reversed(entries) if entry.kind == "object"), 0.0)


async def apply_objects(on: Stage, track: Track, objects: Iterable[Mapping[str, Any]]) -> None:
    """As the student's editor does. Raises ManifestRefused, ApiError."""
    text = "\n---\n".join(json.dumps(one) for one in objects)
    token = await on.observer.token_for(track)
    await apply(on.keeper, token.value, track.plan.namespace, parse_manifests(text), dry_run=False)


async def _path(on: Stage, plan: SandboxPlan, what: str) -> str:
    kind, _, name = what.partition("/")
    found = await read_kind(on.keeper, KINDS.get(kind, "v1"), kind)
    return str(found.path(plan.namespace, name))


async def _delete(on: Stage, track: Track, what: str) -> None:
    token = await on.observer.token_for(track)
    await on.keeper.request("DELETE", await _path(on, track.plan, what), token=token.value)


async def _patch(on: Stage, track: Track, what: str, change: dict[str, Any]) -> None:
    token = await on.observer.token_for(track)
    path = await _path(on, track.plan, what)
    await on.keeper.request("PATCH", path, body=change, content_type=MERGE_PATCH, token=token.value)


async def _wait(track: Track, text: str, seconds: float, stuck: Callable[[], bool]) -> bool:
    """Until the predicate holds in the sandbox's own state; False when it did not, or cannot any more."""
    assert track.engine is not None  # noqa: S101  (opened with an exercise)
    predicate = compile_predicate(text, names=Names(clock=True, states=True, committed=True))
    engine = track.engine

    def holds() -> bool:
        found = predicate.evaluate(engine.view)
        return not isinstance(found, Undecided) and found

    await _until(lambda: holds() or stuck(), seconds, every=0.2)
    return holds()


def as_json(trial: Trial) -> dict[str, Any]:
    """For `--json`: verdicts in the exercise's order, each naming what decided it."""
    verdicts = [msgspec.to_builtins(verdict) for verdict in trial.result.verdicts] if trial.result else []
    return {
        "way": trial.way,
        "params": trial.params,
        "points": trial.result.points if trial.result else None,
        "of": trial.result.of if trial.result else None,
        "provisional": trial.result.provisional if trial.result else None,
        "seconds": round(trial.seconds, 1),
        "hints": trial.hints,
        "trouble": trial.trouble,
        "verdicts": verdicts,
    }

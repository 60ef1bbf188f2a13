"""The steps of a way (`solution.steps`), done as a student would: with the student's own key, one after the other."""

from __future__ import annotations

import asyncio
import json
import shlex
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from authoring.staging import Stage
from lessons.manifests_loading import substitute
from lessons.models import Act, Way
from sandbox.applying import apply, parse_manifests
from sandbox.cluster.client import MERGE_PATCH
from sandbox.cluster.discovery import read_kind
from sandbox.errors import SandboxError
from sandbox.exec_stream import run
from sandbox.observing.track import Track
from sandbox.plan import TOOLBOX_NAMESPACE, SandboxPlan
from sandbox.record.cel import Names, Undecided, compile_predicate
from sandbox.record.entry import Entry
from sandbox.record.exercise import Exercise
from sandbox.toolbox_files import write_file

# Seconds without any change of an object after which a wait may be given up, when a hint fits as well. The
# shop's app starts in 8 s, in which nothing is written either.
QUIET = 12.0
QUIET_WITHOUT_HINT = 35.0  # hints ask for at most half a minute of the same, so none will come any more
FAULT_ENDS = 60.0  # seconds for a fault to end, beyond the time it lasts
LOAD_ENDS = 10.0  # seconds for the last answers of a load, beyond its time
RUN_WITHIN = 60.0  # seconds for a command in the toolbox
KINDS = {
    "Pod": "v1", "Service": "v1", "ConfigMap": "v1", "PersistentVolumeClaim": "v1", "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "Job": "batch/v1",
}  # fmt: skip


class StepFailed(SandboxError):
    """A command of a way ended with an error."""


async def until(condition: Any, seconds: float, every: float = 0.1) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        await asyncio.sleep(every)
    return True


async def do(
    on: Stage,
    track: Track,
    exercise: Exercise,
    way: Way,
    act: Act,
    params: Mapping[str, Any],
    trouble: list[str],
) -> None:
    """One step of a way; what goes wrong is noted, and the run goes on as a student's would."""
    try:
        match act.verb:
            case "apply":
                await apply_objects(on, track, substitute(way.files[act.what], dict(params)))
            case "delete":
                await _delete(on, track, act.what)
            case "patch":
                await _patch(on, track, act.what, substitute(dict(act.change), dict(params)))
            case "run":
                await _run(on, track, exercise, substitute(act.what, dict(params)), params)
            case "predict" | "answer":
                _say(on, track, act)
            case "fault":
                await _break(on, track, exercise, act.what)
            case "load":
                await _start_load(on, track, exercise, act.what)
            case "wait":
                stuck = (lambda: is_stuck(on, track)) if way.kind != "solution" else (lambda: False)
                if not await _wait(track, str(act.what), act.within, stuck):
                    trouble.append(f"wait {act.what!r} did not come to hold (at most {act.within:.0f} s)")
    except SandboxError as error:
        trouble.append(f"{act.verb} {act.what}: {error}")
    except KeyError as unknown:
        trouble.append(f"{act.verb} {act.what}: the exercise has no parameter called {unknown}")


def _say(on: Stage, track: Track, act: Act) -> None:
    """Raises ActRefused."""
    say = on.observer.predict if act.verb == "predict" else on.observer.answer
    for asked, value in act.what.items():
        say(track.sandbox, asked, value)


async def _break(on: Stage, track: Track, exercise: Exercise, fault_id: str) -> None:
    """Until it is over and has settled, as a student looks on. Raises ActRefused."""
    await on.observer.start_fault(track.sandbox, fault_id)
    fault = exercise.fault(fault_id)
    await until(lambda: not track.fault_running(fault.id), FAULT_ENDS + (fault.lasting or 0.0))
    await asyncio.sleep(fault.settle + 0.5)


async def _start_load(on: Stage, track: Track, exercise: Exercise, load_id: str) -> None:
    """Until its time is over. Raises ActRefused."""
    await on.observer.start_load(track.sandbox, load_id)
    load = next(each for each in exercise.loads if each.id == load_id)
    await until(lambda: track.loads.get(load_id) != "started", load.lasting + LOAD_ENDS)


async def _run(on: Stage, track: Track, exercise: Exercise, argv: Any, params: Mapping[str, Any]) -> None:
    """In the student's toolbox, whose home holds the lesson's files. Raises StepFailed, SandboxError."""
    words = shlex.split(argv) if isinstance(argv, str) else [str(word) for word in argv]
    toolbox = track.plan.toolbox
    for name, text in substitute(dict(exercise.files), dict(params)).items():
        await write_file(on.keeper, TOOLBOX_NAMESPACE, toolbox, name, text.encode())
    done = await run(on.keeper, TOOLBOX_NAMESPACE, toolbox, "toolbox", words, timeout=RUN_WITHIN)
    if done.code != 0:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip() or done.reason
        raise StepFailed(f"ended with {done.code}: {said[:500]}")


def is_stuck(on: Stage, track: Track) -> bool:
    """Nothing moves any more, and a hint says what is wrong or none can come: waiting on would show nothing new."""
    if track.engine is None:
        return False
    quiet = QUIET_WITHOUT_HINT if track.engine.valid_hint is None else QUIET
    return time.time() - last_move(on.store.entries.get(track.sandbox, [])) > quiet


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

    await until(lambda: holds() or stuck(), seconds, every=0.2)
    return holds()

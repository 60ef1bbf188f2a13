"""Faults, from the student's click or the lesson's clock until they are taken back.

`started` is in the record before anything goes out, with what is needed to take it back; the observer's clock ends
what is due, and an observer that continues a record does so with what another began.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.cluster.client import ApiError, ClusterClient, ClusterUnavailable, NotFound
from sandbox.errors import Conflict, SandboxError, Unauthorized
from sandbox.faults.injecting import CannotBreak, Injector, NotYetBack, Place, Prepared, is_over, text_for
from sandbox.faults.menu import refusal
from sandbox.faults.targets import pick_target
from sandbox.observing.fault_runs import FREE, Run, targets_of
from sandbox.observing.refusal import ActRefused
from sandbox.observing.track import Track
from sandbox.record.entry import RecordUnavailable
from sandbox.record.exercise import Fault
from sandbox.record.fault_kinds import KINDS, USUAL, complaints, how_of, lasts, read_repeat

if TYPE_CHECKING:
    from sandbox.record.entry import Entry, Kind
    from sandbox.tokens import Token
    from sandbox.watching import Watcher

log = logging.getLogger(__name__)

MOST_FREE = 3  # faults of the menu under way at once, in one sandbox
NOT_KILLED = 60.0  # seconds after which a container that still runs was not killed
AGAIN, LONGEST_AGAIN = 2.0, 30.0  # seconds until taking back is tried again, doubling
LATE = 5.0  # seconds; taken back later than this, what was seen meanwhile is our trouble
RESUME_TRIES = 5


class Faulting:
    """The part of the observer that breaks and mends. Everything it needs is set by `Observer.__init__`."""

    tracks: dict[str, Track]
    runner: ClusterClient
    watcher: Watcher
    injector: Injector
    append: Callable[[str, Kind, str, dict[str, Any], str], Entry]
    commit: Callable[[], None]
    spawn: Callable[[Any, str], Any]
    _after: Callable[[Track], None]
    _running: Callable[[str], Track]
    delete_pod: Callable[..., Any]
    _delete: Callable[..., Any]
    _ask_for: Callable[..., Any]
    token_for: Callable[[Track], Any]
    _tokens: dict[str, Token]

    # --- what a student asks for --------------------------------------------------------------------
    async def start_fault(self, sandbox: str, fault_id: str, *, pod: str | None = None) -> str:
        """The student breaks something, with the student's own rights. The target's name. Raises ActRefused."""
        track = self._running(sandbox)
        fault = self._fault(track, fault_id)
        if fault.by == "submit":
            raise ActRefused("not-yours", "The platform starts this one itself, after you hand in.")
        if fault.by != "student":
            raise ActRefused("not-yours", "The platform starts this one itself.")
        self._check_needs(track, fault)
        return await self.run_fault(track, fault_id, by="student", pod=pod)

    async def break_something(
        self,
        sandbox: str,
        kind: str,
        *,
        how: str | None = None,
        pod: str | None = None,
        ms: int | None = None,
    ) -> str:
        """From the picture's menu. A fault of the lesson that this is opens its window. The target's name.

        Raises ActRefused.
        """
        if kind == "kill-pod":
            return str(await self.delete_pod(sandbox, pod or ""))
        track = self._running(sandbox)
        theirs = [each for each in (track.exercise.faults if track.exercise else ()) if each.by == "student"]
        reason = refusal(kind, track.facts.tier, frozenset(each.kind for each in theirs))
        if reason is not None:
            raise ActRefused("refused", reason)
        for fault in theirs:
            if fault.kind == kind and how in (None, how_of(fault)) and self._is_meant(track, fault, pod):
                if kind == "corrupt-config" or not self._missing(track, fault):
                    self._check_needs(track, fault)
                    return await self.run_fault(track, fault.id, by="student", pod=pod)
                break
        return await self._run(track, self._free_fault(track, kind, how, pod, ms), "student", None)

    def _is_meant(self, track: Track, fault: Fault, pod: str | None) -> bool:
        return not KINDS[fault.kind].has_target or (pod is not None and self._targets(track, fault, pod))

    def _free_fault(self, track: Track, kind: str, how: str | None, pod: str | None, ms: int | None) -> Fault:
        """One that belongs to no fault of the lesson. Raises ActRefused."""
        under_way = [run for run in track.runs.open.values() if not run.is_void]
        if len([run for run in under_way if run.id.startswith(FREE)]) >= MOST_FREE:
            raise ActRefused("running", f"{MOST_FREE} things are broken already. Wait until one has ended.")
        if any(run.kind == kind and (not run.uids or pod in run.uids) for run in under_way):
            raise ActRefused("running", "This is broken already. Wait until it has ended.")
        known, obj = track.versions.get(pod or "", ("", {}))
        if KINDS[kind].has_target and known != "Pod":
            raise ActRefused("gone", "That Pod is gone already.")
        said: dict[str, Any] = {"how": how, "ms": ms}
        fault = Fault(
            id=f"{FREE}{track.runs.free + 1}",
            kind=kind,
            target=f"pod/{obj['metadata']['name']}" if known == "Pod" else "",
            lasting=USUAL if KINDS[kind].is_lasting else None,
            parameters={key: value for key, value in said.items() if value is not None},
        )
        for _key, text in complaints(fault):
            raise ActRefused("unknown", f"This cannot be broken like that: {text}.")
        return fault

    def _fault(self, track: Track, fault_id: str) -> Fault:
        assert track.exercise is not None  # noqa: S101  (_running)
        try:
            return track.exercise.fault(fault_id)
        except KeyError:
            raise ActRefused("unknown", f"This exercise has nothing called {fault_id} to break.") from None

    def _missing(self, track: Track, fault: Fault) -> list[str]:
        return list(track.engine.missing_for(fault.id)) if track.engine else []

    def _check_needs(self, track: Track, fault: Fault) -> None:
        """Raises ActRefused when a check must pass, or a prediction must be said, first."""
        assert track.exercise is not None  # noqa: S101  (callers)
        missing = self._missing(track, fault)
        if missing:
            says = "; ".join(check.say for check in track.exercise.checks if check.id in missing)
            raise ActRefused("needs", f"First: {says}." if says else "First: answer the question.")
        for prediction in track.exercise.predictions:
            if prediction.before == fault.id and not track.predicted(prediction.id):
                raise ActRefused(
                    "predict-first", "Say what you expect first: answer the question, then break it."
                )
        if track.fault_running(fault.id) or fault.id in track.starting:
            raise ActRefused("running", "The last one is still being watched. Wait until it has settled.")

    def _targets(self, track: Track, fault: Fault, pod: str) -> bool:
        return any(
            one["metadata"]["uid"] == pod for one in pick_target(fault.target, pods_of(track), pick="all")
        )

    # --- begin --------------------------------------------------------------------------------------
    async def run_fault(self, track: Track, fault_id: str, *, by: str, pod: str | None = None) -> str:
        """`started` is in the record before the call goes out, so cause precedes effect. Raises ActRefused."""
        return await self._run(track, self._fault(track, fault_id), by, pod)

    async def _run(self, track: Track, fault: Fault, by: str, pod: str | None) -> str:
        try:
            targets = self._choose(track, fault, pod)
        except ActRefused:
            if by != "student":
                text = "there was nothing to break: no such Pod"
                self._say_fault(track, fault, "failed", by, text=text, ours=False)
            raise
        if fault.id in track.starting:
            raise ActRefused("running", "It is being started already.")
        track.starting.add(fault.id)
        try:
            await self._start_on(track, fault, targets, by)
        finally:
            track.starting.discard(fault.id)
        return ", ".join(target["metadata"]["name"] for target in targets) or fault.kind

    def _choose(self, track: Track, fault: Fault, pod: str | None) -> list[dict[str, Any]]:
        """The Pods hit; none for a fault that aims at none. Raises ActRefused."""
        if not KINDS[fault.kind].has_target:
            return []
        alive = [one for one in pods_of(track) if not one["metadata"].get("deletionTimestamp")]
        this_one = pod is not None and fault.pick == "one"
        found = pick_target(fault.target, alive, pick="all" if this_one else fault.pick, seed=track.sandbox)
        if this_one:
            found = [one for one in found if one["metadata"]["uid"] == pod]
        if not found:
            raise ActRefused("no-target", "There is no such Pod to break right now.")
        return found

    async def _start_on(self, track: Track, fault: Fault, targets: list[dict[str, Any]], by: str) -> None:
        """Ask first whether it can be done: no window is opened for a fault that cannot be sent.

        Raises ActRefused, ApiError, ClusterUnavailable.
        """
        as_student = by == "student"
        prepared = await self._prepare(track, fault, targets, by)
        if not track.begun or track.handed_in is not (by == "submit"):
            raise ActRefused("too-late", "In the meantime this attempt went on without it.")
        if not self.watcher.is_whole:
            raise ActRefused("behind", "The picture is behind the cluster just now. Try again in a moment.")
        change = started_change(fault, prepared, time.time())
        try:
            self._say_fault(track, fault, "started", by, **change)
        except RecordUnavailable as error:
            if not as_student:
                await self._written(track)  # nobody waits for an answer: it begins once it is written down
                await self._send(track, fault, targets, by, prepared)
                return
            # Nothing was sent, so nothing has begun: said now, in the same batch, or a window stays open.
            said = {"text": "the record refused", "ours": True}
            self._note_fault(track, fault, "failed", by, targets=prepared.targets, **said)
            raise ActRefused(
                "record-away", "This could not be written down. Try again in a moment."
            ) from error
        await self._send(track, fault, targets, by, prepared)

    async def _prepare(self, track: Track, fault: Fault, targets: list[dict[str, Any]], by: str) -> Prepared:
        """Raises ActRefused; of what the platform starts itself also says in the record that it cannot be."""
        if fault.kind == "kill-pod":
            for target in targets:
                try:
                    await self._ask_for(track, target["metadata"]["name"], as_student=by == "student")
                except NotFound:
                    log.info("fault %s: the target is going already", fault.id)
            return Prepared([_reference(each) for each in targets], {}, text_for(fault, targets))
        try:
            return await self.injector.prepare(fault, place_of(track), targets)
        except CannotBreak as error:
            if by != "student" and not error.ours:
                self._say_fault(track, fault, "failed", by, text=str(error), ours=False)
            raise ActRefused("failed", str(error)) from error

    async def _written(self, track: Track) -> None:
        while track.waiting:
            try:
                self.commit()
            except RecordUnavailable:
                await asyncio.sleep(0.5)

    async def _send(
        self, track: Track, fault: Fault, targets: list[dict[str, Any]], by: str, prepared: Prepared
    ) -> None:
        """`started` is in the record: now it begins. Raises ActRefused."""
        ours = True
        try:
            if fault.kind == "kill-pod":
                await self._kill(track, fault, targets, by)
            else:
                await self._apply(track, prepared.undo, lasts(fault), as_student=by == "student")
            return
        except CannotBreak as error:
            text, ours = str(error), error.ours
        except ApiError as error:
            # For the person: neither addresses of ours nor the request in the words of a program.
            text = f"{_could_not(fault)}: {error.message}"
        except ClusterUnavailable:
            text = f"{_could_not(fault)}: the cluster does not answer just now"
        left = await self._is_left(track, prepared)
        with contextlib.suppress(RecordUnavailable):  # it is tried again by itself
            more = {"text": text, "ours": ours, "left": left}
            self._say_fault(track, fault, "failed", by, targets=prepared.targets, **more)
        raise ActRefused("failed", text)

    async def _is_left(self, track: Track, prepared: Prepared) -> bool:
        """Take back at once what may have arrived although no answer came; True when that fails, too."""
        try:
            await self.injector.revert(track.plan.namespace, prepared.undo, by_uid(track))
        except (NotYetBack, ApiError):
            return True
        return False

    async def _kill(self, track: Track, fault: Fault, targets: list[dict[str, Any]], by: str) -> None:
        for target in targets:
            try:
                await self._delete(track, target, grace=fault.grace, as_student=by == "student")
            except (NotFound, Conflict):
                log.info("fault %s: the target was gone before the call", fault.id)

    async def _apply(self, track: Track, undo: Any, seconds: float | None, *, as_student: bool) -> None:
        """What goes through the API goes out with the student's own key, if the student asked."""
        namespace, keyed = track.plan.namespace, as_student and "value" in undo
        token = (await self.token_for(track)).value if keyed else None
        try:
            await self.injector.apply(namespace, undo, seconds, token)
        except Unauthorized:
            if not keyed:
                raise
            self._tokens.pop(track.sandbox, None)  # the cluster forgot the key: ask for another, once
            await self.injector.apply(namespace, undo, seconds, (await self.token_for(track)).value)

    # --- the record ---------------------------------------------------------------------------------
    def _say_fault(self, track: Track, fault: Fault, phase: str, by: str, **more: Any) -> None:
        """Raises RecordUnavailable."""
        self._note_fault(track, fault, phase, by, **more)
        self.commit()

    def _note_fault(self, track: Track, fault: Fault, phase: str, by: str, **more: Any) -> None:
        change = {"id": fault.id, "phase": phase, "by": by, "kind": fault.kind, **more}
        targets = change.get("targets")
        if targets:
            change["target"] = targets[0]
        self.append(track.sandbox, "fault", fault.id, change, "observer")

    def _note_run(self, track: Track, run: Run, phase: str, text: str = "", **more: Any) -> None:
        if self.tracks.get(track.sandbox) is not track:
            return  # closed meanwhile
        change = {"id": run.id, "phase": phase, "by": run.by, "kind": run.kind, "text": text, **more}
        if targets := targets_of(run.change):
            change |= {"target": targets[0], "targets": targets}
        self.append(track.sandbox, "fault", run.id, change, "observer")

    # --- end ----------------------------------------------------------------------------------------
    def look_at_faults(self, track: Track, now: float) -> None:
        """What is due: take back, do once more, see that it is over. Cheap; called twice a second."""
        for run in tuple(track.runs.open.values()):
            if (
                "kind" in run.change
                and run.id not in track.starting
                and now >= track.tend_at.get(run.id, 0.0)
            ):
                self._look_at(track, run, now)

    def _look_at(self, track: Track, run: Run, now: float) -> None:
        over = run.kind != "kill-pod" and "pods" in run.undo and is_over(run.undo, by_uid(track))
        if run.until is None and run.is_void:
            del track.runs.open[run.id]  # it left nothing behind, and nobody asks any more
        elif run.until is not None and (run.is_void or now >= run.until):
            self._tend(track, run, self._take_back(track, run, now))
        elif run.until is not None and over:
            self._note_run(track, run, "ended", "its target is gone")
            self._after(track)
        elif run.next_at is not None and now >= run.next_at:
            self._tend(track, run, self._once_more(track, run))
        elif run.kind == "kill-container" and run.next_at is None:
            self._look_at_killed(track, run, over=over, now=now)

    def _look_at_killed(self, track: Track, run: Run, *, over: bool, now: float) -> None:
        if over:
            self._note_run(track, run, "ended", str(run.change.get("text") or ""))
            self._after(track)
        elif now > run.since + NOT_KILLED:
            self._tend(track, run, self._give_up(track, run))

    def _tend(self, track: Track, run: Run, work: Any) -> None:
        track.starting.add(run.id)
        self.spawn(self._tended(track, run, work), f"fault {run.id}")

    async def _tended(self, track: Track, run: Run, work: Any) -> None:
        try:
            await work
        finally:
            track.starting.discard(run.id)

    async def _take_back(self, track: Track, run: Run, now: float) -> None:
        try:
            early = await self.injector.revert(track.plan.namespace, run.undo, by_uid(track))
        except (NotYetBack, ApiError) as error:
            self._tend_later(track, run, now, error)
            return
        track.tend_at.pop(run.id, None)
        track.tend_pause.pop(run.id, None)
        if early and not run.is_void:
            text = f"{', '.join(early)}: it was switched back before its time, so this try does not count"
            self._note_run(track, run, "failed", text, ours=False)
        else:
            self._note_run(track, run, "reverted", str(run.change.get("text") or ""))
        late_since = run.until or now
        if time.time() - late_since > LATE and not run.is_void:
            change = {
                "text": "a fault of ours lasted longer than it should: what it cost meanwhile counts for nothing",
                "from": late_since,
                "until": time.time(),
            }
            if self.tracks.get(track.sandbox) is track:
                self.append(track.sandbox, "trouble", "", change, "observer")

    def _tend_later(self, track: Track, run: Run, now: float, error: SandboxError) -> None:
        log.warning("fault %s of %s is not taken back yet: %s", run.id, track.sandbox, error)
        pause = track.tend_pause.get(run.id, 0.0)
        if not pause:
            text = "It could not be taken back yet. It is tried again by itself; what it costs meanwhile is ours."
            self._note_run(track, run, "reverting", text)
        track.tend_pause[run.id] = min(max(AGAIN, pause * 2), LONGEST_AGAIN)
        track.tend_at[run.id] = now + track.tend_pause[run.id]

    async def _give_up(self, track: Track, run: Run) -> None:
        with contextlib.suppress(NotYetBack, ApiError):
            await self.injector.revert(track.plan.namespace, run.undo, by_uid(track))
        text = f"The container was still running {NOT_KILLED:g} s later."
        self._note_run(track, run, "failed", text, ours=True)

    async def _once_more(self, track: Track, run: Run) -> None:
        """The next time of a fault that repeats; with nothing to hit for a minute, it is over."""
        fault = self._fault(track, run.id)
        if track.handed_in is not (run.by == "submit"):
            self._note_run(track, run, "ended", "the attempt is handed in")
            return
        try:
            targets = self._choose(track, fault, None)
            prepared = await self._prepare(track, fault, targets, "student")
            change = started_change(fault, prepared, time.time(), n=run.n + 1)
            self._say_fault(track, fault, "repeated", run.by, **change)
            await self._send(track, fault, targets, run.by, prepared)
        except (ActRefused, ApiError, ClusterUnavailable) as error:
            now = time.time()
            if now < (run.next_at or now) + NOT_KILLED:
                track.tend_at[run.id] = now + 1.0
            elif run.id in track.runs.open:
                self._note_run(track, run, "ended", f"not once more: {error}")

    def resume_faults(self, track: Track) -> None:
        """After a start of this process: what is in the record and may not have gone out goes out (again)."""
        for run in track.runs.open.values():
            if not track.is_over and not run.is_void and run.kind != "kill-pod":
                self.spawn(self._resume(track, run), f"fault {run.id}, once more")
        for fault in track.exercise.faults if track.exercise and track.begun and not track.is_over else ():
            for pod in track.untouched_targets(fault.id) if fault.kind == "kill-pod" else ():
                work = self._delete(track, pod, grace=fault.grace, as_student=fault.by == "student")
                self.spawn(work, f"fault {fault.id}, once more")

    async def _resume(self, track: Track, run: Run) -> None:
        """Not a changed value: whoever mended it meanwhile has mended it."""
        for _ in range(RESUME_TRIES):
            left = None if run.until is None else run.until - time.time()
            known = track.runs.open.get(run.id) is run
            over = "pods" in run.undo and is_over(run.undo, by_uid(track))
            if not known or over or "value" in run.undo or (left is not None and left <= 0):
                return
            try:
                await self.injector.apply(track.plan.namespace, run.undo, left)
                return
            except SandboxError as error:
                log.info("fault %s: not resumed yet: %s", run.id, error)
            await asyncio.sleep(1.0)


def started_change(fault: Fault, prepared: Prepared, now: float, n: int = 1) -> dict[str, Any]:
    """What the record says of a fault that begins: enough to take it back. Pure."""
    seconds = lasts(fault)
    times, every = read_repeat(fault) or (1, 0.0)
    change: dict[str, Any] = {
        "how": how_of(fault) or None,
        "settle": fault.settle,
        "targets": prepared.targets,
        "until": None if seconds is None else now + seconds,
        "undo": prepared.undo,
        "text": prepared.text,
    }
    if times > 1:
        change |= {"n": n, "times": times, "every": every}
    return change


def place_of(track: Track) -> Place:
    objects = {(kind, obj["metadata"]["name"]): obj for kind, obj in track.versions.values()}
    return Place(track.plan.namespace, track.params, objects, track.sandbox)


def pods_of(track: Track) -> list[dict[str, Any]]:
    return [obj for kind, obj in track.versions.values() if kind == "Pod"]


def by_uid(track: Track) -> dict[str, dict[str, Any]]:
    return {obj["metadata"]["uid"]: obj for obj in pods_of(track)}


def _reference(pod: dict[str, Any]) -> dict[str, str]:
    return {"kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}


def _could_not(fault: Fault) -> str:
    return "The Pod could not be deleted" if fault.kind == "kill-pod" else "It could not be done"

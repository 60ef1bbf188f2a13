"""What people do, and what the platform does to their Pods. Each act is in the record before it is answered."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.cluster.client import ApiError, ClusterClient, ClusterUnavailable, NotFound
from sandbox.cluster.kinds import POD
from sandbox.errors import Conflict, Unauthorized
from sandbox.faults import kill_pod, pick_target
from sandbox.observing.refusal import ActRefused
from sandbox.observing.track import Track
from sandbox.record.entry import RecordUnavailable
from sandbox.record.exercise import Fault, Prediction
from sandbox.resetting import reset as reset_namespace
from sandbox.resetting import wait_until_clean
from sandbox.starting import apply_start
from sandbox.tokens import Token, student_token

if TYPE_CHECKING:
    from sandbox.observing.asking import Asking
    from sandbox.record.entry import Entry, Kind
    from sandbox.watching import Watcher

log = logging.getLogger(__name__)

# A token lives an hour and is renewed at three quarters of it (design: architecture, section 7).
RENEW_BEFORE = 15 * 60.0
LONGEST_ANSWER = 2000  # characters of JSON


class Acting:
    """The half of the observer that acts. Everything it needs is set by `Observer.__init__`."""

    tracks: dict[str, Track]
    keeper: ClusterClient
    runner: ClusterClient
    watcher: Watcher
    asking: Asking
    append: Callable[[str, Kind, str, dict[str, Any], str], Entry]
    commit: Callable[[], None]
    spawn: Callable[[Any, str], Any]
    _after: Callable[[Track], None]
    _tokens: dict[str, Token]

    # --- predictions, hints, hand-in ----------------------------------------------------------------
    def predict(self, sandbox: str, prediction: str, value: Any) -> None:
        """Lock what the student expects. Raises ActRefused."""
        track = self._running(sandbox)
        assert track.engine is not None  # noqa: S101  (_running)
        reason = track.engine.may_predict(prediction)
        if reason:
            raise ActRefused("too-late", reason)
        known = {one.id for one in (track.exercise.predictions if track.exercise else ())}
        if prediction not in known:
            raise ActRefused("unknown", f"This exercise asks nothing called {prediction}.")
        _check_value(next(one for one in track.exercise.predictions if one.id == prediction), value)  # type: ignore[union-attr]
        self.append(sandbox, "prediction", prediction, {"id": prediction, "value": value}, "student")
        self._write_down()

    def submit(self, sandbox: str) -> None:
        """Hand in: open windows run to their end, then we test it ourselves. Raises ActRefused."""
        track = self._running(sandbox)
        self.append(
            sandbox, "submit", str(track.attempt), {"attempt": track.attempt, "by": "student"}, "student"
        )
        self._write_down()

    def open_hint(self, sandbox: str) -> str | None:
        """The hint that fits what is wrong now, one strength further each time. None when none fits."""
        track = self._running(sandbox)
        assert track.engine is not None  # noqa: S101  (_running)
        opened = track.engine.open_hint(max(track.at, time.time()))
        if opened is None:
            return None
        self.append(sandbox, "hint", opened.uid, opened.change, "student")
        self._write_down()
        return str(opened.change["say"])

    def _write_down(self) -> None:
        """What a person did is committed before it is answered. Raises ActRefused; it is tried again then."""
        try:
            self.commit()
        except RecordUnavailable as error:
            raise ActRefused(
                "record-away",
                "This could not be written down yet. It is tried again by itself: watch the page.",
            ) from error

    def _running(self, sandbox: str) -> Track:
        """The track of an attempt under way. Raises ActRefused."""
        track = self.tracks.get(sandbox)
        if track is None or track.engine is None:
            raise ActRefused(
                "not-ready", "Your sandbox is not ready yet. Wait for the picture, then try again."
            )
        if not track.begun:
            raise ActRefused("not-open", "The shop is still opening. Try again in a few seconds.")
        if track.handed_in:
            raise ActRefused("handed-in", "This attempt is handed in. Press Start again for the next one.")
        return track

    # --- faults -----------------------------------------------------------------------------------
    async def start_fault(self, sandbox: str, fault_id: str, *, pod: str | None = None) -> str:
        """The student breaks something, with the student's own rights. The target's name. Raises ActRefused."""
        track = self._running(sandbox)
        fault = self._fault(track, fault_id)
        if fault.by != "student":
            raise ActRefused("not-yours", "The platform starts this one itself, after you hand in.")
        self._check_needs(track, fault)
        return await self.run_fault(track, fault_id, by="student", pod=pod)

    async def delete_pod(self, sandbox: str, pod: str) -> str:
        """Delete one Pod as the student. Opens the window of the fault it is the target of. Raises ActRefused."""
        track = self.tracks.get(sandbox)
        if track is None:
            raise ActRefused("not-ready", "Your sandbox is not ready yet.")
        kind, obj = track.versions.get(pod, ("", {}))
        if kind != "Pod":
            raise ActRefused("gone", "That Pod is gone already.")
        for fault in track.exercise.faults if track.exercise and track.begun and not track.handed_in else ():
            if fault.kind == "kill-pod" and fault.by == "student" and self._targets(track, fault, pod):
                if not self._missing(track, fault):
                    self._check_needs(track, fault)
                    return await self.run_fault(track, fault.id, by="student", pod=pod)
                break
        name: str = obj["metadata"]["name"]
        try:
            await self._delete(track, obj, grace=None)
        except (NotFound, Conflict):
            raise ActRefused("gone", "That Pod is gone already.") from None
        return name

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
            raise ActRefused("needs", f"First: {says}.")
        for prediction in track.exercise.predictions:
            if prediction.before == fault.id and not track.predicted(prediction.id):
                raise ActRefused(
                    "predict-first", "Say what you expect first: answer the question, then break it."
                )
        if track.fault_running(fault.id) or fault.id in track.starting:
            raise ActRefused("running", "The last one is still being watched. Wait until it has settled.")

    def _targets(self, track: Track, fault: Fault, pod: str) -> bool:
        pods = [obj for kind, obj in track.versions.values() if kind == "Pod"]
        return any(one["metadata"]["uid"] == pod for one in pick_target(fault.target, pods, pick="all"))

    async def run_fault(self, track: Track, fault_id: str, *, by: str, pod: str | None = None) -> str:
        """`started` is in the record before the call goes out, so cause precedes effect. Raises ActRefused."""
        fault = self._fault(track, fault_id)
        pods = [obj for kind, obj in track.versions.values() if kind == "Pod" and not _deleting(obj)]
        found = pick_target(fault.target, pods, pick="all" if pod else fault.pick, seed=track.sandbox)
        target = next((one for one in found if pod is None or one["metadata"]["uid"] == pod), None)
        if target is None:
            if by != "student":
                self._say_fault(track, fault, "failed", by, None, "there was nothing to break: no such Pod")
            raise ActRefused("no-target", "There is no such Pod to delete right now.")
        if fault.id in track.starting:
            raise ActRefused("running", "It is being started already.")
        track.starting.add(fault.id)
        try:
            await self._start_on(track, fault, target, by)
        finally:
            track.starting.discard(fault.id)
        name: str = target["metadata"]["name"]
        return name

    async def _start_on(self, track: Track, fault: Fault, target: dict[str, Any], by: str) -> None:
        """Ask first whether the cluster answers: no window is opened for a fault that cannot be sent.

        Raises ActRefused, ApiError, ClusterUnavailable.
        """
        pod, as_student = target["metadata"]["name"], by == "student"
        try:
            await self._ask_for(track, pod, as_student=as_student)
        except NotFound:
            log.info("fault %s: the target is going already", fault.id)
        if not track.begun or track.handed_in is as_student:
            raise ActRefused("too-late", "In the meantime this attempt went on without it.")
        if not self.watcher.is_whole:
            raise ActRefused("behind", "The picture is behind the cluster just now. Try again in a moment.")
        try:
            self._say_fault(track, fault, "started", by, target)
        except RecordUnavailable as error:
            if not as_student:
                await self._written(track)  # nobody waits for an answer: it begins once it is written down
                await self._send(track, fault, target, by)
                return
            # Nothing was sent, so nothing has begun: said now, in the same batch, or a window stays open.
            self._note_fault(track, fault, "failed", by, target, "the record refused", ours=True)
            raise ActRefused(
                "record-away", "This could not be written down. Try again in a moment."
            ) from error
        await self._send(track, fault, target, by)

    async def _written(self, track: Track) -> None:
        while track.waiting:
            try:
                self.commit()
            except RecordUnavailable:
                await asyncio.sleep(0.5)

    async def _send(self, track: Track, fault: Fault, target: dict[str, Any], by: str) -> None:
        """`started` is in the record: now it begins. Raises ActRefused."""
        as_student = by == "student"
        try:
            await self._delete(track, target, grace=fault.grace, as_student=as_student)
        except (NotFound, Conflict):
            log.info("fault %s: the target was gone before the call", fault.id)
        except (ApiError, ClusterUnavailable) as error:
            # For the person: neither addresses of ours nor the request in the words of a program.
            why = error.message if isinstance(error, ApiError) else "the cluster does not answer just now"
            text = f"The Pod could not be deleted: {why}"
            with contextlib.suppress(RecordUnavailable):  # it is tried again by itself
                self._say_fault(track, fault, "failed", by, target, text, ours=True)
            raise ActRefused("failed", text) from error

    def _say_fault(
        self,
        track: Track,
        fault: Fault,
        phase: str,
        by: str,
        target: dict[str, Any] | None,
        text: str = "",
        *,
        ours: bool = False,
    ) -> None:
        """Raises RecordUnavailable."""
        self._note_fault(track, fault, phase, by, target, text, ours=ours)
        self.commit()

    def _note_fault(
        self,
        track: Track,
        fault: Fault,
        phase: str,
        by: str,
        target: dict[str, Any] | None,
        text: str = "",
        *,
        ours: bool = False,
    ) -> None:
        change: dict[str, Any] = {"id": fault.id, "phase": phase, "by": by}
        if target is not None:
            metadata = target["metadata"]
            change["target"] = {"kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        if text:
            change |= {"text": text, "ours": ours}
        self.append(track.sandbox, "fault", fault.id, change, "observer")

    async def _delete(
        self, track: Track, pod: dict[str, Any], *, grace: float | None, as_student: bool = True
    ) -> None:
        """That very Pod, never its successor of the same name. Raises NotFound, Conflict, ApiError."""
        namespace, metadata = track.plan.namespace, pod["metadata"]
        for is_last in (False, True):
            token = (await self.token_for(track)).value if as_student else None
            try:
                await kill_pod(
                    self.runner, namespace, metadata["name"], grace, token=token, uid=metadata["uid"]
                )
            except Unauthorized:
                # The cluster forgot the key (it was built anew, or its clock jumped): ask for another, once.
                self._tokens.pop(track.sandbox, None)
                if is_last or not as_student:
                    raise
            else:
                return

    def resume_faults(self, track: Track) -> None:
        """After a start of this process: a fault that is in the record, and whose call never went out, goes out."""
        for fault in track.exercise.faults if track.exercise and track.begun and not track.is_over else ():
            pod = track.untouched_target(fault.id)
            if pod is not None and fault.kind == "kill-pod":
                student = fault.by == "student"
                work = self._delete(track, pod, grace=fault.grace, as_student=student)
                self.spawn(work, f"fault {fault.id}, once more")

    async def _ask_for(self, track: Track, name: str, *, as_student: bool) -> None:
        """Raises NotFound, ApiError, ClusterUnavailable as the deletion would."""
        token = (await self.token_for(track)).value if as_student else None
        await self.runner.request("GET", POD.path(track.plan.namespace, name), token=token, timeout=3.0)

    async def token_for(self, track: Track) -> Token:
        """The student's own short-lived token, renewed in time. Raises ClusterUnavailable, ApiError."""
        known = self._tokens.get(track.sandbox)
        if known is None or known.expires - time.time() < RENEW_BEFORE:
            known = await student_token(self.keeper, track.plan)
            self._tokens[track.sandbox] = known
        return known

    # --- starting over ------------------------------------------------------------------------------
    async def reset(self, sandbox: str, start: list[dict[str, Any]]) -> None:
        """Empty the namespace and bring the start state back; returns once the cluster accepted both.

        The attempt begins anew with the time it has left; one that was handed in stays as it is, and the next
        one begins. Raises ActRefused, ApiError, ClusterUnavailable.
        """
        track = self._may_start_over(sandbox)
        over = track.course is not None and track.course.state == "handed-in"
        await self._start_over(track, start, track.last_begun + 1 if over else track.attempt)

    async def restart(self, sandbox: str, start: list[dict[str, Any]]) -> int:
        """The next attempt, from the start state. Its number: however often it is asked for, none is skipped."""
        track = self._may_start_over(sandbox)
        await self._start_over(track, start, track.last_begun + 1)
        return track.attempt

    def _may_start_over(self, sandbox: str) -> Track:
        """Raises ActRefused while another one is under way, and while a handed-in attempt is not yet handed over."""
        track = self.tracks.get(sandbox)
        if track is None:
            raise ActRefused("not-ready", "Your sandbox is not ready yet.")
        if track.busy:
            raise ActRefused("busy", "One moment: the last reset is still under way.")
        if track.course is not None and track.course.state in ("closing", "testing"):
            raise ActRefused(
                "testing", "What you handed in is being tested just now. Wait for the mark, then start again."
            )
        return track

    async def _start_over(self, track: Track, start: list[dict[str, Any]], attempt: int) -> None:
        track.busy = "reset"
        try:
            self.append(track.sandbox, "reset", str(attempt), {"attempt": attempt}, "student")
            self._say_phase(track, "resetting", "Bringing the start back")
            await self._bring_start_back(track, start)
        except ClusterUnavailable:
            self._say_phase(
                track, "resetting", "The cluster does not answer just now. Trying again by itself."
            )
            raise
        finally:
            track.busy = None

    def is_half_reset(self, sandbox: str) -> bool:
        """A reset was begun and nobody is at it: the cluster did not answer, or the process died."""
        track = self.tracks.get(sandbox)
        return track is not None and track.busy is None and track.phase.get("phase") == "resetting"

    async def finish_reset(self, sandbox: str, start: list[dict[str, Any]]) -> None:
        """Do the rest of a reset that is in the record. Raises ApiError, ClusterUnavailable."""
        if not self.is_half_reset(sandbox):
            return
        track = self.tracks[sandbox]
        track.busy = "reset"
        try:
            await self._bring_start_back(track, start)
        finally:
            track.busy = None

    async def _bring_start_back(self, track: Track, start: list[dict[str, Any]]) -> None:
        emptied = await reset_namespace(self.keeper, track.plan)
        await apply_start(self.keeper, track.plan, start)
        # A controller may have made one more Pod while it was being deleted.
        self.spawn(wait_until_clean(self.keeper, track.plan, emptied), f"sweep {track.sandbox}")
        self._say_phase(track, "ready", "")

    def _say_phase(self, track: Track, phase: str, text: str) -> None:
        self.append(track.sandbox, "phase", "", {"phase": phase, "text": text}, "observer")
        self.commit()


def _check_value(prediction: Prediction, value: Any) -> None:
    """Locked once and for all, so what cannot be an answer is not taken. Raises ActRefused."""
    if prediction.answer == "choice" and (not isinstance(value, str) or value not in prediction.choices):
        raise ActRefused("unknown", "This is none of the answers to choose from. Choose one and try again.")
    if len(json.dumps(value)) > LONGEST_ANSWER:
        raise ActRefused("unknown", "This answer is too long.")


def _deleting(obj: dict[str, Any]) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))

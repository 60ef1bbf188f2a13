"""What people do, and what the platform does to their Pods. Each act is in the record before it is answered."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from sandbox.cluster.client import ClusterClient, ClusterUnavailable, NotFound
from sandbox.cluster.kinds import POD
from sandbox.errors import Conflict, Unauthorized
from sandbox.faults import kill_pod
from sandbox.observing.faulting import Faulting
from sandbox.observing.refusal import ActRefused
from sandbox.observing.track import Track
from sandbox.record.cel import CelError, interpolate
from sandbox.record.checks.forms import ValueRefused, read_value, why_of
from sandbox.record.entry import RecordUnavailable
from sandbox.record.exercise import Prediction
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


class Acting(Faulting):
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
        self._lock(sandbox, "prediction", prediction, value)

    def answer(self, sandbox: str, question: str, value: Any) -> None:
        """Lock the answer to a question; it is marked at once. Raises ActRefused."""
        self._lock(sandbox, "answer", question, value)

    def _lock(self, sandbox: str, kind: Literal["prediction", "answer"], asked: str, value: Any) -> None:
        track = self._running(sandbox)
        assert track.engine is not None and track.exercise is not None  # noqa: S101, PT018  (_running)
        among = track.exercise.predictions if kind == "prediction" else track.exercise.questions
        spec = next((one for one in among if one.id == asked), None)
        if spec is None:
            raise ActRefused("unknown", f"This exercise asks nothing called {asked}.")
        reason = track.engine.may_predict(asked, question=kind == "answer")
        if reason:
            raise ActRefused("too-late", reason)
        said = _read_value(spec, value)
        change = {"id": asked, "value": said}
        if why := _why(spec, said, track.params):
            change["why"] = why
        self.append(sandbox, kind, asked, change, "student")
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

    # --- deleting a Pod (more faults: faulting.py) ----------------------------------------------------
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


def _read_value(asked: Prediction, value: Any) -> Any:
    """The value as the record keeps it. Raises ActRefused for what cannot be an answer."""
    try:
        if len(json.dumps(value)) > LONGEST_ANSWER:
            raise ActRefused("unknown", "This answer is too long.")
        return read_value(asked, value)
    except (ValueRefused, RecursionError) as problem:
        raise ActRefused("unknown", str(problem)) from problem


def _why(asked: Prediction, value: Any, params: Mapping[str, Any]) -> str | None:
    """What the author says to this answer, with the student's own values in it."""
    said = why_of(asked, value)
    try:
        return interpolate(said, {"params": params}) if said else None
    except CelError:
        log.exception("the explanation of %s cannot be read", asked.id)
        return None

"""One open sandbox: its record's end, its picture, its checks, and who looks at it."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from sandbox.observing.effort import Effort
from sandbox.observing.fault_runs import FaultRuns, targets_of
from sandbox.plan import SandboxPlan
from sandbox.record.attempt import AttemptCourse, Command
from sandbox.record.checks import Engine, Finding, SandboxFacts
from sandbox.record.delta import Delta
from sandbox.record.entry import Entry, Kind
from sandbox.record.exercise import Exercise
from sandbox.record.picture import Picture

log = logging.getLogger(__name__)

# Deltas kept for browsers that resume: about ten minutes of a busy sandbox.
MEMORY = 3000

Listener = Callable[[Delta], None]


class Track:
    """Not thread-safe: lives in the observer's event loop. `waiting` are entries not committed yet."""

    def __init__(
        self,
        sandbox: str,
        plan: SandboxPlan,
        exercise: Exercise | None,
        params: Mapping[str, Any],
        images: Mapping[str, str],
        epoch: int,
        tier: str = "namespace",
    ) -> None:
        self.sandbox, self.plan, self.exercise, self.params, self.epoch = (
            sandbox,
            plan,
            exercise,
            dict(params),
            epoch,
        )
        self.seq, self.at = 0, 0.0
        self.picture = Picture()
        self.facts = SandboxFacts(namespace=plan.namespace, tier=tier)
        self.images = images
        self.engine = (
            Engine(exercise, params=self.params, sandbox=self.facts, images=images) if exercise else None
        )
        self.course = AttemptCourse(exercise) if exercise else None
        self.attempt, self.attempt_until, self.begun = 1, 0.0, False
        self.last_begun = 0  # number of the last attempt that began
        self.handed_in, self.submitted_by, self.started_seq = False, "", 0
        self.predictions: set[str] = set()
        self.faults: dict[str, str] = {}
        self.targets: dict[str, tuple[str, ...]] = {}  # fault -> uids of the Pods it was last started on
        self.runs = FaultRuns()
        self.tend_at: dict[str, float] = {}  # fault -> not before this is it tried again to take it back
        self.tend_pause: dict[str, float] = {}
        self.loads: dict[str, str] = {}  # load -> phase, of this attempt
        self.started_at = 0.0
        self.phase: dict[str, Any] = {}
        self.seen_pods: set[str] = set()
        self.versions: dict[str, tuple[str, dict[str, Any]]] = {}  # uid -> kind, last object
        self.continued = False  # there was a record before this process
        self.waiting: list[Entry] = []
        self.deltas: deque[Delta] = deque(maxlen=MEMORY)
        self.listeners: list[Listener] = []
        self.commands: list[Command] = []
        self.opened = False  # the lesson's own `ready` has held since the start or the last reset
        self.busy: str | None = None  # an act under way, by name
        self.starting: set[str] = set()  # faults on their way to the cluster
        self.effort = Effort()
        self.troubled = False  # this attempt met an error of ours while it was judged

    @property
    def pod_uids(self) -> frozenset[str]:
        """Pods of this sandbox: only their answers count. Those gone by now are among them, for what they answered
        may be told after their end, and a uid never becomes somebody else's."""
        return frozenset(self.seen_pods)

    @property
    def addresses(self) -> dict[str, str]:
        """Pod uid -> address, of those that run."""
        pods = (obj for kind, obj in self.versions.values() if kind == "Pod")
        states = ((str(pod["metadata"]["uid"]), pod.get("status") or {}) for pod in pods)
        return {
            uid: str(at["podIP"]) for uid, at in states if at.get("podIP") and at.get("phase") == "Running"
        }

    @property
    def shown(self) -> int:
        """The last seq that is committed and in the picture."""
        return self.picture.seq

    @property
    def is_over(self) -> bool:
        """Handed over: nothing of this attempt is judged any more."""
        return self.course is not None and self.course.state == "handed-in"

    def predicted(self, prediction: str) -> bool:
        return prediction in self.predictions

    def fault_running(self, fault: str) -> bool:
        """Started, and its target not gone yet."""
        return self.faults.get(fault) == "started"

    def untouched_targets(self, fault: str) -> list[dict[str, Any]]:
        """The Pods of a fault that has started which nobody has asked to go yet."""
        if not self.fault_running(fault):
            return []
        known = [self.versions.get(uid, ("", {})) for uid in self.targets.get(fault, ())]
        return [obj for kind, obj in known if kind == "Pod" and not obj["metadata"].get("deletionTimestamp")]

    # --- reading back -----------------------------------------------------------------------------
    def replay(self, entries: Iterable[Entry]) -> None:
        """Continue a record made before this process. Findings are in it already."""
        for entry in entries:
            self.continued = True
            self.seq, self.at = entry.seq, entry.at
            self.picture.feed(entry)
            self.remember(entry)
            if self.engine:
                found = self._safely(partial(self.engine.feed, entry))
                self.opened = self.opened or any(each.kind == "ready" for each in found)
            if self.course:
                self.course.feed(entry)

    def remember(self, entry: Entry) -> None:
        change = entry.change
        self.runs.feed(entry)
        if entry.kind == "object":
            if change["op"] == "DELETED":
                self.versions.pop(entry.uid, None)
            else:
                self.versions[entry.uid] = (change["kind"], change["object"])
            if change["kind"] == "Pod":
                self.seen_pods.add(entry.uid)
        elif entry.kind == "start":
            self.begun, self.handed_in, self.submitted_by = True, False, ""
            self.opened = self.troubled = False
            self.attempt, self.attempt_until = change["attempt"], change.get("until") or 0.0
            self.last_begun = self.attempt
            self.started_seq, self.predictions, self.faults = entry.seq, set(), {}
            self.started_at, self.loads = entry.at, {}
        elif entry.kind == "prediction" and "value" in change:
            self.predictions.add(change["id"])
        elif entry.kind == "fault":
            self._remember_fault(change)
        elif entry.kind == "load" and "phase" in change:
            self.loads[entry.uid] = change["phase"]
        elif entry.kind == "submit":
            self.handed_in, self.submitted_by = True, change["by"]
        elif entry.kind == "phase":
            self.phase = {**self.phase, **change}
        elif entry.kind == "reset":
            self.begun, self.handed_in, self.submitted_by = False, False, ""
            self.opened = self.troubled = False
            if change.get("attempt", self.attempt) != self.attempt:  # another one, with all its time
                self.attempt, self.attempt_until = change["attempt"], 0.0
            self.predictions, self.faults = set(), {}

    def _remember_fault(self, change: dict[str, Any]) -> None:
        if change["phase"] not in ("repeated", "reverting"):  # it goes on
            self.faults[change["id"]] = change["phase"]
        if change["phase"] in ("started", "repeated"):
            self.targets[change["id"]] = tuple(each["uid"] for each in targets_of(change))

    # --- writing ----------------------------------------------------------------------------------
    def append(self, kind: Kind, uid: str, change: dict[str, Any], source: str) -> Entry:
        """Give it its place, feed the checks, queue it and what follows from it. Not committed yet."""
        entry = self._entry(kind, uid, change, source)
        self._take(entry)
        if (engine := self.engine) is not None:
            self._judge(lambda: engine.feed(entry))
        return entry

    def advance(self, at: float) -> None:
        """Deadlines pass without entries."""
        if (engine := self.engine) is not None:
            self._judge(lambda: engine.advance(at))
        if self.course:
            self.commands += self.course.advance(at)

    def _judge(self, work: Callable[[], list[Finding]]) -> None:
        """Take what the checks found; when they take too long, the operator is told whose."""
        self.effort.begin()
        self._take_findings(self._safely(work))
        spent = self.effort.end(self.at)
        if spent is not None:
            log.warning("observer: the checks of %s took %.2f s of one second", self.sandbox, spent)

    def _safely(self, work: Callable[[], list[Finding]]) -> list[Finding]:
        """One sandbox whose checks fail must stop neither its own record nor anybody else's.

        What was not judged is named in the record once, as trouble of ours: it costs nobody a point.
        """
        try:
            return work()
        except Exception:
            log.exception("observer: the checks of %s failed", self.sandbox)
            if not self.troubled and self.begun:
                self.troubled = True
                change = {"text": "An error of ours in the checks", "from": self.at, "until": self.at}
                self._take(self._entry("trouble", "", change, "observer"))
            return []

    def _take_findings(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            if finding.kind == "ready":
                self.opened = True
            else:
                self._take(self._entry(finding.kind, finding.uid, finding.change, "checks"))

    def _entry(self, kind: Kind, uid: str, change: dict[str, Any], source: str) -> Entry:
        self.seq += 1
        self.at = max(self.at, time.time())
        return Entry(
            epoch=self.epoch, seq=self.seq, at=self.at, source=source, kind=kind, uid=uid, change=change
        )

    def _take(self, entry: Entry) -> None:
        self.remember(entry)
        self.waiting.append(entry)
        if self.course:
            self.commands += self.course.feed(entry)

    # --- showing ----------------------------------------------------------------------------------
    def committed(self, entries: Iterable[Entry]) -> None:
        """Only now may anybody see them (rule L6)."""
        for entry in entries:
            delta = self._pictured(entry)
            self.deltas.append(delta)
            for listener in tuple(self.listeners):
                try:
                    listener(delta)
                except Exception:
                    log.exception("observer: somebody who looks at %s failed", self.sandbox)

    def _pictured(self, entry: Entry) -> Delta:
        """An entry that cannot be drawn still has its place, so that `seq` has no holes (rule L1)."""
        delta: Delta | None = None
        try:
            delta = self.picture.feed(entry)
        except Exception:
            log.exception("observer: entry %d of %s cannot be drawn", entry.seq, self.sandbox)
        return delta or Delta(epoch=entry.epoch, seq=entry.seq, at=entry.at, set={}, first=entry.seq)

    def since(self, epoch: int, seq: int) -> list[Delta] | None:
        """Deltas after `seq`, or None when a snapshot is needed (rule L7)."""
        if epoch != self.epoch or seq > self.shown:
            return None
        if seq == self.shown:
            return []
        if not self.deltas or self.deltas[0].seq > seq + 1:
            return None
        return [delta for delta in self.deltas if delta.seq > seq]

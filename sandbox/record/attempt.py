"""The course of one attempt: from its start to the hand-over for marking. Pure; it only asks for things."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sandbox.record.checks.anchors import read_anchor
from sandbox.record.checks.compiling import compile_exercise
from sandbox.record.checks.verdict import FINAL
from sandbox.record.entry import Entry
from sandbox.record.exercise import Exercise, Fault
from sandbox.record.traffic import LONGEST_S

AGAIN = 5.0  # seconds after which a command that had no effect is given again
ASKED_AT_MOST = 4  # times a fault of ours is asked for before we go on without it
LONGEST_WINDOW = 240.0  # seconds after which a fault that nobody ended holds nothing up any more
_LAST_ANSWERS = 5.0  # seconds in which the last answers of a load come, and its end is told
LAST_VERDICTS = 90.0  # seconds after the last window in which a verdict may still be given


@dataclass(frozen=True, slots=True)
class StartFault:
    """Inject this fault: a test of what was built (`by: submit`), or one whose time has come."""

    id: str


@dataclass(frozen=True, slots=True)
class Submit:
    """Close the attempt: every check passed, or time is up."""

    by: Literal["checks", "time"]


@dataclass(frozen=True, slots=True)
class Handover:
    """Windows are closed, tests are done: the mark can be worked out."""


@dataclass(frozen=True, slots=True)
class EndProbes:
    """Nobody needs the probes of this attempt any more."""


Command: TypeAlias = StartFault | Submit | Handover | EndProbes
State: TypeAlias = Literal["idle", "running", "closing", "testing", "handed-in"]


@dataclass(frozen=True, slots=True)
class _Clocked:
    """A fault that starts by itself: `offset` seconds after the moment (id, start | end | pass) has come."""

    id: str
    moment: tuple[str, str]
    offset: float
    needs: tuple[str, ...]


def _clocked(fault: Fault) -> _Clocked | None:
    """None for a fault that waits for a person, or for the hand-in."""
    by, _, source = fault.by.partition(":")
    anchor = read_anchor(fault.at or "start")
    if by == "timeline":
        return _Clocked(fault.id, (anchor.source, anchor.point), anchor.offset, fault.needs)
    if by in ("prediction", "check"):
        point = "pass" if by == "check" else "start"
        return _Clocked(fault.id, (source, point), anchor.offset, fault.needs)
    return None


class AttemptCourse:
    """Feed it every entry, the verdicts too; `advance` lets time pass. Both answer what to do now.

    A command is given again when it had no effect for some seconds, so that none is lost with a process.
    """

    def __init__(self, exercise: Exercise) -> None:
        compiled = compile_exercise(exercise)
        self._late = frozenset(each.spec.id for each in compiled.checks if each.after_submit)
        self._at_submit = frozenset(
            each.spec.id
            for each in compiled.checks
            if each.closes is not None and each.closes.source == "submit"
        )
        self._ids = tuple(each.spec.id for each in compiled.checks)
        self._tests = tuple(each.id for each in exercise.faults if each.by == "submit")
        self._judged_by = {
            fault: frozenset(
                each.spec.id
                for each in compiled.checks
                if fault in (each.opens.source, each.closes.source if each.closes else "")
            )
            for fault in self._tests
        }
        self._clocked = tuple(clocked for each in exercise.faults if (clocked := _clocked(each)))
        self._settle = {each.id: each.settle for each in exercise.faults}
        self._at = 0.0
        self.state: State = "idle"
        self._begin(math.inf)
        self.state = "idle"

    def feed(self, entry: Entry) -> list[Command]:
        self._at = max(self._at, entry.at)
        handler = _HANDLERS.get(entry.kind)
        if handler is not None:
            handler(self, entry)
        return self._next()

    def advance(self, at: float) -> list[Command]:
        self._at = max(self._at, at)
        return self._next()

    # what entries say

    def _begin(self, until: float) -> None:
        self.state = "running"
        self.until = until
        self._states: dict[str, str] = {}
        self._windows: dict[str, float] = {}  # fault -> when its window is over
        self._moments: dict[tuple[str, str], float] = {}  # what others are timed by -> when it first came
        self._committed: set[str] = set()
        self._to_test = list(self._tests)
        self._testing: str | None = None
        self._asked: dict[Command, float] = {}
        self._times: dict[Command, int] = {}
        self._done_since = math.inf

    def _on_start(self, entry: Entry) -> None:
        self._begin(float(entry.change.get("until") or math.inf))
        self._came("start", "start", entry)

    def _came(self, source: str, point: str, entry: Entry) -> None:
        self._moments.setdefault((source, point), entry.at)

    def _on_prediction(self, entry: Entry) -> None:
        if "value" in entry.change:
            self._committed.add(entry.uid)
            self._came(entry.uid, "start", entry)

    def _on_reset(self, _entry: Entry) -> None:
        self._begin(math.inf)
        self.state = "idle"

    def _on_verdict(self, entry: Entry) -> None:
        self._states[entry.uid] = str(entry.change.get("state", "waiting"))
        if self._states[entry.uid] == "pass":
            self._came(entry.uid, "pass", entry)

    def _on_fault(self, entry: Entry) -> None:
        phase, id_ = entry.change.get("phase"), entry.uid
        if phase in ("started", "repeated"):
            self._windows[id_] = entry.at + LONGEST_WINDOW
            self._came(id_, "start", entry)
        elif phase in ("ended", "reverted"):
            self._came(id_, "end", entry)
            self._windows[id_] = min(self._windows.get(id_, math.inf), entry.at + self._settle.get(id_, 0.0))
        elif phase == "failed":
            self._windows[id_] = -math.inf

    def _on_load(self, entry: Entry) -> None:
        """A load's window is open until it says that it has ended; one that is never heard of again, for its time."""
        phase = entry.change.get("phase")
        if phase == "started":
            until = float(entry.change.get("until") or entry.at + LONGEST_S)
            self._windows[entry.uid] = until + _LAST_ANSWERS
            self._came(entry.uid, "start", entry)
        elif phase == "ended" and entry.uid in self._windows:
            self._came(entry.uid, "end", entry)
            self._windows[entry.uid] = min(self._windows[entry.uid], entry.at)

    def _on_submit(self, _entry: Entry) -> None:
        if self.state == "running":
            self.state = "closing"

    def _on_handover(self, _entry: Entry) -> None:
        self.state = "handed-in"

    # what to do

    def _next(self) -> list[Command]:
        if self.state == "running":
            return self._while_running()
        if self.state == "closing" and self._over(self._ids_before_tests()):
            self.state = "testing"
        if self.state == "testing":
            return self._while_testing()
        return []

    def _while_running(self) -> list[Command]:
        if self._at >= self.until:
            return self._ask(Submit("time"))
        if self._all_passed():
            return self._ask(Submit("checks"))
        return [
            command
            for each in self._clocked
            if self._is_due(each)
            for command in self._ask(StartFault(each.id))
        ]

    def _is_due(self, each: _Clocked) -> bool:
        came = self._moments.get(each.moment, math.inf)
        often = self._times.get(StartFault(each.id), 0) >= ASKED_AT_MOST
        if each.id in self._windows or often or self._at < came + each.offset:
            return False
        return all(
            need in self._committed or self._states.get(need) in ("pass", "could-not-grade")
            for need in each.needs
        )

    def _all_passed(self) -> bool:
        """Every check that waits for no test of ours has passed; one decided only at submit may hold."""
        passed = False
        for id_ in self._ids_before_tests():
            state = self._states.get(id_)
            if state == "pass":
                passed = True
            elif not (state == "holding" and id_ in self._at_submit):
                return False
        return passed and not self._open_windows()

    def _ids_before_tests(self) -> list[str]:
        return [each for each in self._ids if each not in self._late]

    def _open_windows(self) -> list[str]:
        return [id_ for id_, over in self._windows.items() if self._at <= over]

    def _over(self, ids: list[str]) -> bool:
        """No window of a fault is open, and every verdict that can come has come."""
        if self._open_windows():
            return False
        if self._decided(ids):
            return True
        self._done_since = min(self._done_since, self._at)
        return self._at - self._done_since > LAST_VERDICTS

    def _decided(self, ids: Iterable[str]) -> bool:
        return all(self._states.get(each) in FINAL for each in ids)

    def _while_testing(self) -> list[Command]:
        if self._testing is not None:
            self._look_at_test(self._testing)
        if self._testing is None and self._to_test:
            self._testing = self._next_test()
            self._done_since = math.inf
        if self._nothing_left_to_see():
            return [*self._ask(Handover()), *self._ask(EndProbes())]
        if self._testing is not None:
            return self._ask(StartFault(self._testing)) if self._testing not in self._windows else []
        if not self._over([each for each in self._ids if each in self._late]):
            return []
        return [*self._ask(Handover()), *self._ask(EndProbes())]

    def _next_test(self) -> str | None:
        """The next one that can still decide something: what it would show may not count any more."""
        while self._to_test:
            found = self._to_test.pop(0)
            judged = self._judged_by[found]
            if not judged or not self._decided(judged):
                return found
        return None

    def _nothing_left_to_see(self) -> bool:
        """Every verdict is given and no test is to come: nobody waits for the last one to settle."""
        begun = self._testing is None or self._testing in self._windows
        return begun and not self._to_test and self._decided(self._ids)

    def _look_at_test(self, id_: str) -> None:
        begun, asked = id_ in self._windows, StartFault(id_)
        often = self._times.get(asked, 0) >= ASKED_AT_MOST
        never = not begun and often and self._at - self._asked[asked] >= AGAIN
        if never or (begun and self._at > self._windows[id_]):
            self._testing = None

    def _ask(self, command: Command) -> list[Command]:
        asked = self._asked.get(command)
        if asked is not None and self._at - asked < AGAIN:
            return []
        self._asked[command] = self._at
        self._times[command] = self._times.get(command, 0) + 1
        return [command]


_HANDLERS = {
    "start": AttemptCourse._on_start,
    "reset": AttemptCourse._on_reset,
    "verdict": AttemptCourse._on_verdict,
    "fault": AttemptCourse._on_fault,
    "prediction": AttemptCourse._on_prediction,
    "answer": AttemptCourse._on_prediction,
    "load": AttemptCourse._on_load,
    "submit": AttemptCourse._on_submit,
    "handover": AttemptCourse._on_handover,
}

"""All checks of one exercise over one sandbox's record, entry by entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sandbox.record.cel import Undecided
from sandbox.record.checks.anchors import Anchor, Occurrence
from sandbox.record.checks.compiling import CompiledCheck, CompiledMark, compile_exercise
from sandbox.record.checks.faults import FaultRun
from sandbox.record.checks.hints import HintBook
from sandbox.record.checks.predictions import PredictionRun
from sandbox.record.checks.runs import CheckRun, Raw, gated, verdict_of
from sandbox.record.checks.state import SandboxFacts, StateView
from sandbox.record.checks.stopwatch import Stopwatch
from sandbox.record.checks.trackers import Tracker
from sandbox.record.checks.trials import NEVER, Before, Count, Gap, Trial
from sandbox.record.checks.verdict import FINAL, Finding, Moment, Verdict
from sandbox.record.entry import Entry
from sandbox.record.exercise import Exercise
from sandbox.record.traffic import LOAD_TIMEOUT_S

_NOTHING: frozenset[str] = frozenset()
_MISSING = "entries are missing from the record"
_TOO_LATE = "Too late for this one: {}. Reset to predict."
_IN_DOUBT = "A Pod is going just now. In two seconds it is known whether this is too late."
_LOAD_PAUSE = 3.0  # seconds of silence between two loads of one name; a load speaks every second
_LOAD_TAIL = (
    LOAD_TIMEOUT_S + 3.0
)  # seconds in which a load's last answers come, before it says that it has ended
_TICK = 0.9  # seconds between two looks at what reads the clock
_LATE = 1.0  # seconds after a late gap in which news still counts as late
# Kinds of one long-lived object each: not in the news after a lost gap means not changed in it.
_UNCHANGED_WHEN_SILENT = frozenset({"EndpointSlice", "Node"})
_SHOWN_AFTER = 0.2  # seconds after the last object read again until the state is put together
_HINT_STATES = {"holding": "waiting", "your-turn": "waiting"}
_DELETING = frozenset({"delete", "deletecollection"})


class _Opening(NamedTuple):
    """A window that opens some seconds after its moment."""

    at: float
    run: CheckRun
    occurrence: Occurrence | None
    unseen: bool


class Engine:
    """Pure: the same entries and times give the same findings. Not thread-safe.

    Feed it every entry; its own findings may come back or not. `advance` lets deadlines pass. Raises
    ExerciseInvalid for an exercise that cannot be run.
    """

    def __init__(
        self,
        exercise: Exercise,
        *,
        params: Mapping[str, Any],
        sandbox: SandboxFacts | None = None,
        images: Mapping[str, str] | None = None,
    ) -> None:
        self._compiled = compile_exercise(exercise)
        self.exercise = exercise
        self.view = StateView(
            params=params,
            sandbox=sandbox,
            images=images,
            probes=frozenset(each.id for each in exercise.probes),
        )
        self._trackers: dict[tuple[str, int], Tracker] = {}
        for check in self._compiled.checks:
            for side, expression in enumerate(check.expressions):
                if expression.each is None:
                    self._trackers[check.spec.id, side] = Tracker(expression)
        self._marks_by_id = {each.spec.id: each for each in self._compiled.marks}
        asked = (*exercise.predictions, *exercise.questions)
        self._says = {each.id: each.say for each in exercise.checks} | {each.id: each.ask for each in asked}
        self._hints = HintBook(self._compiled.hints)
        self._running = self._ready = False
        self._phase = ""
        self._leftover: set[str] = set()
        self._seq = 0
        self._news = 0  # the last entry that is no finding: what a deadline's verdict cites
        self._at = 0.0
        self._blind = False  # entries are missing from the record itself: what follows is not known
        self._late: Gap | None = None
        self._troubles: list[tuple[Gap, Any]] = []
        self._lists_until = -NEVER  # until when objects read again after a lost gap may come
        self._lost_from = NEVER  # since when nothing was seen before they came
        self._shown_at = NEVER  # such objects came: when checks see the state, unless news comes first
        self._pieced = False  # the state now seen is put together from them
        self._findings: list[Finding] = []
        self._begin_fresh()

    # in

    def feed(self, entry: Entry) -> list[Finding]:
        """One entry, after every deadline before it. An entry seen before changes nothing."""
        if entry.seq <= self._seq:
            return []
        self._pass_time(entry.at)
        self._seq, self._at = entry.seq, max(self._at, entry.at)
        if not _is_ours(entry):
            self._news = entry.seq
        changed = self.view.apply(entry)
        for tracker in self._trackers.values():
            tracker.touch(changed)
        for stopwatch in self._stopwatches():
            stopwatch.touch(changed)
        handler = _HANDLERS.get(entry.kind)
        if handler is not None:
            handler(self, entry)
        if not self._running:
            self._look_for_ready(changed)
        else:
            self._notify(entry, changed)
        return self._told(changed)

    def advance(self, at: float) -> list[Finding]:
        """Time passes without entries. Deadlines before `at` are over; one at `at` is not."""
        self._pass_time(at)
        if at > self._at:
            self._at = at
            self.view.move_to(at)
            if self._running:
                self._notify_clock()
        return self._told(_NOTHING)

    # out

    @property
    def verdicts(self) -> list[Verdict]:
        """One per check, in order of the exercise."""
        return [self._verdicts[each.spec.id] for each in self._compiled.checks]

    def summary(self) -> tuple[int, int, int]:
        """(points, of, gradable): could-not-grade leaves both sides; a failed required check caps at half."""
        verdicts = self.verdicts
        points = sum(each.points for each in verdicts)
        gradable = sum(each.of for each in verdicts if each.state != "could-not-grade")
        required = {each.id for each in self.exercise.checks if each.required}
        if any(each.check in required and each.state == "fail" for each in verdicts):
            points = min(points, gradable // 2)
        return points, sum(each.of for each in verdicts), gradable

    def missing_for(self, fault: str) -> list[str]:
        """Ids that must pass (a prediction: be committed) before this fault. Raises KeyError."""
        met = ("pass", "could-not-grade")  # what is our fault holds nobody up
        return [each for each in self._compiled.faults[fault].needs if self._need(each) not in met]

    def may_predict(self, id_: str, *, question: bool = False) -> str | None:
        """Why this prediction (or question) cannot be locked now, as a sentence; None when it can."""
        run = self._predictions.get(id_)
        if run is None or run.question is not question:
            return f"There is no {'question' if question else 'prediction'} {id_} in this exercise."
        late = self._too_late(run)
        if late is not None:
            return late
        missing = self.missing_for(run.spec.before) if run.spec.before in self._faults else []
        return f"First: {self._says.get(missing[0], missing[0])}." if missing else None

    def _too_late(self, run: PredictionRun) -> str | None:
        if run.committed is not None:
            return "It is locked already."
        if not self._running or self._submitted is not None:
            return "This attempt is not open."
        fault = self._faults.get(run.spec.before or "")
        if fault is not None and fault.happened:
            gone = fault.fault.kind == "kill-pod"
            return _TOO_LATE.format("the Pod is already gone" if gone else "it has already happened")
        if fault is not None and fault.in_doubt:
            return _IN_DOUBT
        if run.spec.before in self._marked:
            return _TOO_LATE.format("it has already happened")
        return None

    def hint(self, n: int) -> str | None:
        """The valid hint's n-th strength, from 1, with its facts filled in; None when there is none."""
        return self._hints.text(n, self.view)

    def open_hint(self, at: float) -> Finding | None:
        """The valid hint, one strength further than last time, as the entry to append."""
        told = self._hints.judge(
            at
        )  # an offer is overtaken by the opening; a hint that no longer fits is not
        self._findings += [each for each in told if each.change["phase"] == "gone"]
        current = self._hints.current
        if current is None:
            return None
        id_, most = current
        n = min(self._opened.get(id_, 0) + 1, most)
        change = {"id": id_, "phase": "opened", "say": self.hint(n), "n": n, "most": most}
        return Finding(kind="hint", uid=id_, change=change)

    @property
    def undecided(self) -> dict[str, str]:
        """Checks that could not be evaluated at some moment of their window, each with the first reason."""
        return dict(self._undecided)

    @property
    def hints_seen(self) -> list[str]:
        """Ids of all hints that were valid at some time in this attempt."""
        return list(self._hints.seen)

    @property
    def valid_hint(self) -> str | None:
        current = self._hints.current
        return current[0] if current else None

    # the attempt

    def _begin_fresh(self) -> None:
        self._runs = {each.spec.id: CheckRun(each) for each in self._compiled.checks}
        self._predictions = {id_: PredictionRun(each) for id_, each in self._compiled.predictions.items()}
        self._faults = {id_: FaultRun(each) for id_, each in self._compiled.faults.items()}
        self._marked: dict[str, Occurrence] = {}
        self._waiting: list[_Opening] = []
        self._submitted: Moment | None = None
        self._handed_over = False
        self._dirty = True
        self._gaps: list[tuple[Gap, set[str]]] = []
        self._opened: dict[str, int] = {}
        self._undecided: dict[str, str] = {}
        self._load_ends: dict[str, float] = {}
        self._load_seen: dict[str, float] = {}
        self._clock_at = 0.0
        self._times: dict[tuple[str, str], float] = {}  # last time of every named moment
        self._fresh: list[tuple[CheckRun, Trial]] = []
        self._closing: list[tuple[Trial, Moment]] = []
        self._deeds: list[tuple[str, float]] = []
        self._verdicts = {
            each.spec.id: Verdict(
                check=each.spec.id, say=each.spec.say, state="waiting", points=0, of=each.of
            )
            for each in self._compiled.checks
        }
        self._told_verdicts: dict[str, Verdict] = {}

    def _on_start(self, entry: Entry) -> None:
        self._begin_fresh()
        self._running = True
        for tracker in self._trackers.values():
            tracker.forget()
        self.view.begin(entry.at, entry.change.get("params") or {})
        self._hints.begin(entry.at)
        self._hints.look(self.view, entry.at, None)
        self._happened("start", "start", self._moment(entry), None)
        for fault in self._faults.values():
            fault.missing = None

    def _on_reset(self, entry: Entry) -> None:
        self._running = self._ready = False
        self._leftover = {str(each["metadata"]["uid"]) for each in self.view.objects("Pod")}
        self.view.forget_probes()
        self._begin_fresh()

    def _on_phase(self, entry: Entry) -> None:
        self._phase = str(entry.change.get("phase") or self._phase)

    def _on_submit(self, entry: Entry) -> None:
        if self._running and self._submitted is None:
            self._submitted = self._moment(entry)
            self._dirty = True

    def _on_handover(self, entry: Entry) -> None:
        self._handed_over = self._dirty = True

    def _look_for_ready(self, changed: frozenset[str]) -> None:
        ready = self._compiled.ready
        if ready is None or self._ready or self._phase == "resetting":
            return
        if self._leftover:
            self._leftover &= {str(each["metadata"]["uid"]) for each in self.view.objects("Pod")}
        if not self._leftover and ready.evaluate(self.view) is True:
            self._ready = True
            self._findings.append(Finding(kind="ready", uid="", change={}))

    # what opens and closes windows

    def _on_fault(self, entry: Entry) -> None:
        run = self._faults.get(entry.uid)
        if run is None or not self._running or self._handed_over:
            return
        phase, moment = entry.change.get("phase"), self._moment(entry)
        if phase == "started":
            if not self._may_start(run):
                return
            if (found := run.confirm_by(entry)) is not None:
                self._confirmed(run, found, tell=False)
            else:
                self._fault_started(run, run.started(entry, moment), moment)
        elif phase == "repeated":
            run.repeated(entry)
        elif phase in ("ended", "reverted"):
            self._has_ended(run.ended(moment), moment)
        elif phase == "failed":
            self._fault_failed(run, bool(entry.change.get("ours", True)))

    def _may_start(self, run: FaultRun) -> bool:
        """After hand-in only our own tests open windows."""
        return self._submitted is None or run.fault.by == "submit"

    def _fault_started(self, run: FaultRun, occurrence: Occurrence | None, moment: Moment) -> None:
        if occurrence is None:
            return
        self._happened(run.fault.id, "start", moment, occurrence)
        there = {str(each["metadata"]["uid"]) for each in self.view.objects("Pod")}
        if occurrence.targets and not there & occurrence.targets.keys() and run.fault.kind == "kill-pod":
            occurrence.end = moment
            self._findings.append(run.finding("ended", occurrence))
            self._has_ended(occurrence, moment)

    def _fault_failed(self, run: FaultRun, ours: bool) -> None:
        dropped = run.failed()
        self._dirty = True
        for check in self._runs.values():
            if check.check.opens.source != run.fault.id:
                continue
            if dropped is not None:
                check.drop(dropped)
            check.ours = ours
            if self._submitted is not None:
                check.over = "the fault found nothing to hit"

    def _watch_pods(self, entry: Entry) -> None:
        """Deletions by the student's own command, and targets that are gone."""
        change = self.view.change
        if change is None or entry.change.get("kind") != "Pod" or self._handed_over:
            return
        moment = self._moment_of_change(entry)
        for run in self._faults.values():
            if self._submitted is None and not self.missing_for(run.fault.id):
                found = run.on_pod(entry, change, moment)
                if found is not None:
                    self._happened(run.fault.id, "start", moment, found)
                    self._confirm_by_earlier(run)
            if entry.change.get("op") == "DELETED":
                ended = run.on_deleted(entry.uid, moment)
                if ended is not None:
                    self._has_ended(ended, moment)
                    if not ended.tentative:
                        self._findings.append(run.finding("ended", ended))

    def _on_action(self, entry: Entry) -> None:
        change = entry.change
        refused = isinstance(change.get("code"), int) and change["code"] >= 400
        pods = change.get("resource") == "pods" and not change.get("subresource")
        if not self._running or refused or not pods or change.get("verb") not in _DELETING:
            return
        deed = str(change.get("name") or "")
        self._deeds = [*self._deeds[-20:], (deed, entry.at)]
        for run in self._faults.values():
            self._confirmed(run, run.confirm(deed, entry.at))

    def _confirm_by_earlier(self, run: FaultRun) -> None:
        for deed, at in self._deeds:
            self._confirmed(run, run.confirm(deed, at))

    def _confirmed(self, run: FaultRun, found: Occurrence | None, *, tell: bool = True) -> None:
        if found is None:
            return
        if tell:
            self._findings.append(run.finding("started", found))
        if found.end is not None:
            self._findings.append(run.finding("ended", found))
        for check in self._runs.values():
            check.prune()
        self._dirty = True

    def _watch_marks(self, entry: Entry, changed: frozenset[str]) -> None:
        moment = self._moment_of_change(entry)
        for mark in self._compiled.marks:
            under_way = self._marked.get(mark.spec.id)
            open_ = self._submitted is None and self._is_of(mark.spec.each, entry)
            if open_ and mark.when.evaluate(self.view) is True:
                under_way = Occurrence(mark.spec.id, moment)
                self._marked[mark.spec.id] = under_way
                self._happened(mark.spec.id, "start", moment, under_way)
                if mark.until is None:  # a moment, not a stretch: over as soon as it has come
                    self._is_over(under_way, moment)
            else:
                self._end_mark(mark, under_way, moment)

    def _end_mark(self, mark: CompiledMark, under_way: Occurrence | None, moment: Moment) -> None:
        if under_way is None or under_way.end is not None or mark.until is None:
            return
        if mark.until.evaluate(self.view) is True:
            under_way.end = moment
            self._has_ended(under_way, moment)

    def _watch_loads(self, entry: Entry) -> None:
        """A load begins with its first second and ends when it says so, or when its time is over."""
        load = next((each for each in self.exercise.loads if each.id == entry.uid), None)
        if load is None or entry.kind != "load":
            return
        moment = self._moment(entry)
        phase, silent = entry.change.get("phase"), entry.at - self._load_seen.get(load.id, -NEVER)
        self._load_seen[load.id] = entry.at
        if phase == "ended" and entry.change.get("stopped"):
            self._load_void(load.id, moment)
        elif phase == "ended":
            self._load_over(load.id, moment)
        elif self._submitted is None and (phase == "started" or self._begins(load.id, silent)):
            occurrence = Occurrence(load.id, moment)
            self._marked[load.id] = occurrence
            self._load_ends[load.id] = moment.at + load.lasting + (_LOAD_TAIL if phase else 0.0)
            self._happened(load.id, "start", moment, occurrence)

    def _begins(self, load: str, silent: float) -> bool:
        """A second of a load whose start is not in the record: of a new one, or of one under way?"""
        return silent > _LOAD_PAUSE and load not in self._load_ends

    def _load_over(self, load: str, moment: Moment) -> None:
        self._load_ends.pop(load, None)
        known = self._marked.get(load)
        if known is not None and known.end is None:
            known.end = moment
            self._has_ended(known, moment)

    def _load_void(self, load: str, moment: Moment) -> None:
        """Who sends the customers away has shown nothing: as if they had not come, but for predictions."""
        self._load_ends.pop(load, None)
        known = self._marked.get(load)
        if known is not None and known.end is None:
            known.end = moment
            self._drop(known)

    def _load_due(self, load: str) -> None:
        self._load_over(load, self._now())
        self._close_due()

    def _on_prediction(self, entry: Entry) -> None:
        run = self._predictions.get(entry.uid)
        if "value" not in entry.change or run is None or self._too_late(run) is not None:
            return  # `needs` were asked before it was written; that it came in time is looked at again
        moment = self._moment(entry)
        run.commit(entry.change["value"], moment)
        self._happened(entry.uid, "start", moment, None)
        if run.question and run.deadline <= moment.at:
            self._mark_at_once(run, moment)

    def _mark_at_once(self, run: PredictionRun, moment: Moment) -> None:
        """A question waits for nothing; only after a lost gap until the lists have been read again."""
        if moment.at <= self._lists_until:
            run.deadline = self._lists_until
        else:
            self._prediction_due(run)

    def _on_hint(self, entry: Entry) -> None:
        if entry.change.get("phase") == "opened":
            self._opened[entry.uid] = int(entry.change.get("n") or 0)
            self._hints.opened(entry.uid)

    def _happened(self, source: str, point: str, moment: Moment, occurrence: Occurrence | None) -> None:
        """A moment with a name has come: windows open and close."""
        self._dirty = True
        self._times[source, point] = moment.at
        for run in self._runs.values():
            opens = run.check.opens
            if (opens.source, opens.point) == (source, point):
                if opens.offset > 0:
                    at = moment.at + opens.offset
                    self._waiting.append(_Opening(at, run, occurrence, moment.unseen))
                else:
                    self._open(run, moment, occurrence)
            self._close_by(run, source, point, moment, occurrence)
        for stopwatch in self._stopwatches():
            stopwatch.on_moment(source, point, moment, occurrence, self.view)

    def _stopwatches(self) -> Iterator[Stopwatch]:
        for prediction in self._predictions.values():
            if prediction.stopwatch is not None:
                yield prediction.stopwatch

    def _close_by(
        self, run: CheckRun, source: str, point: str, moment: Moment, occurrence: Occurrence | None
    ) -> None:
        closes = run.check.closes
        if closes is None or (closes.source, closes.point) != (source, point):
            return
        for trial in run.open_trials:
            if run.check.during is not None and trial.origin is not occurrence:
                continue
            if trial.opened.seq < moment.seq or run.check.during is not None:
                self._ends_at(trial, closes, run.check, moment)

    def _ends_at(self, trial: Trial, closes: Anchor, check: CompiledCheck, moment: Moment) -> None:
        offset = closes.offset + check.settle
        if offset > 0:
            trial.close_at(moment.at + offset)
        else:
            self._closing.append((trial, moment))

    def _has_ended(self, occurrence: Occurrence | None, moment: Moment) -> None:
        if occurrence is None:
            return
        self._happened(occurrence.source, "end", moment, occurrence)
        self._is_over(occurrence, moment)

    def _is_over(self, occurrence: Occurrence, moment: Moment) -> None:
        occurrence.end = moment
        for prediction in self._predictions.values():
            prediction.on_end(occurrence, moment)

    def _open(self, run: CheckRun, moment: Moment, occurrence: Occurrence | None) -> None:
        if self._submitted is not None and not run.check.after_submit:
            return
        trial = run.open(moment, occurrence)
        if trial is None:
            return
        if self._blind:
            trial.give_up(moment, _MISSING)
        self._excuse_new(run, trial)
        self._fresh.append((run, trial))
        closes = run.check.closes
        if closes is not None and closes.offset > 0 and run.check.during is None:
            end = self._times.get((closes.source, closes.point), -NEVER) + closes.offset
            if end > moment.at:
                trial.close_at(end)

    # what reaches open windows

    def _notify(self, entry: Entry, changed: frozenset[str]) -> None:
        moment = self._moment(entry)
        if entry.kind == "object":
            self._watch_pods(entry)
            self._note_gap_news(entry)
        if entry.kind == "load":
            self._watch_loads(entry)
        if self._compiled.marks:
            self._watch_marks(entry, changed)
        self._notify_changes(entry, moment)
        if self._is_read_again(entry):
            self._shown_at, self._pieced = entry.at + _SHOWN_AFTER, True
        else:
            self._notify_states(moment, changed)
        if entry.kind == "submit":
            self._happened("submit", "start", moment, None)
        self._close_due()
        if self._hints.reads(changed):
            self._hints.look(self.view, moment.at, changed)

    def _is_read_again(self, entry: Entry) -> bool:
        """After a lost gap the lists come object by object: what lies between two of them never was."""
        if entry.kind != "object" or entry.at > self._lists_until:
            return False
        return bool(entry.change.get("synthetic")) or entry.change.get("op") == "ADDED"

    def _notify_states(self, moment: Moment, changed: frozenset[str]) -> None:
        self._shown_at = NEVER
        for stopwatch in self._stopwatches():
            stopwatch.on_state(self.view, moment)
        fresh = {id(trial) for _, trial in self._fresh}
        self._fresh.clear()
        for (id_, side), tracker in self._trackers.items():
            trials = self._runs[id_].open_trials
            if not trials:
                continue
            touched = tracker.touch(changed)
            for trial in trials:
                if touched or id(trial) in fresh:
                    value, reading = tracker.read(self.view)
                    self._note_undecided(id_, value)
                    if isinstance(trial, Before):
                        trial.on_state_of(side, value, moment)
                    else:
                        trial.on_state(value, moment, reading)
                    self._dirty = True

    def _notify_clock(self) -> None:
        """Only what reads the clock changes by itself; such predicates are shown live and decided later."""
        if self._at - self._clock_at < _TICK:
            return
        self._clock_at = self._at
        moment = Moment(self._news, self._at, self._at)
        for (id_, _), tracker in self._trackers.items():
            if "clock" in tracker.predicate.kinds:
                tracker.forget()
                for trial in self._runs[id_].open_trials:
                    value, reading = tracker.read(self.view)
                    trial.on_state(value, moment, reading)
                    self._dirty = True
        clock = frozenset({"clock"})
        if self._hints.reads(clock):
            self._hints.look(self.view, self._at, clock)

    def _notify_changes(self, entry: Entry, moment: Moment) -> None:
        for run in self._runs.values():
            for side, expression in enumerate(run.check.expressions):
                if expression.each is None or not self._is_of(expression.each, entry):
                    continue
                for trial in run.open_trials:
                    if trial.opened.seq < entry.seq:
                        self._notify_change(run, trial, side, entry, moment)

    def _notify_change(self, run: CheckRun, trial: Trial, side: int, entry: Entry, moment: Moment) -> None:
        predicate = run.check.expressions[side].predicate
        self._dirty = True
        if isinstance(trial, Count) and entry.kind == "probe":
            self._count_probe(trial, entry, moment, run)
            return
        if entry.change.get("summary"):
            return
        value = predicate.evaluate(self.view)
        self._note_undecided(run.check.spec.id, value)
        trial.on_change(side, value, moment)

    def _note_undecided(self, id_: str, value: bool | Undecided) -> None:
        if isinstance(value, Undecided):
            self._undecided.setdefault(id_, value.reason)

    def _count_probe(self, trial: Count, entry: Entry, moment: Moment, run: CheckRun) -> None:
        """Bad answers are in the record one by one; good ones only as a second's total."""
        predicate = run.check.expressions[0].predicate
        if not entry.change.get("summary"):
            if entry.change.get("ok") is False:
                trial.on_change(0, predicate.evaluate(self.view), moment, 0)
            return
        sent, failed = int(entry.change.get("sent") or 0), int(entry.change.get("failed") or 0)
        good = max(0, sent - failed)
        counts = bool(good) and self.view.would_hold(predicate, self.view.last_good(entry.uid))
        trial.on_total(good if counts else 0, sent, moment)

    def _is_of(self, each: str, entry: Entry) -> bool:
        """Is this entry a change of what `each:` names?"""
        if entry.kind == "object":
            return each == entry.change.get("kind") and self.view.change is not None
        if entry.kind == "probe":
            return each == f"probe/{entry.uid}"
        if entry.kind == "load":  # whole seconds in which something was answered or given up
            return bool(entry.change.get("sent")) and each == f"load/{entry.uid}"
        return each == entry.kind and not _tells_outcome(entry)

    def _close_due(self) -> None:
        for trial, moment in self._closing:
            trial.close(moment)
        self._closing.clear()

    # time

    def _pass_time(self, at: float) -> None:
        """All deadlines before `at`, in their order; what they decide may set others."""
        while True:
            due, act = self._next_deadline()
            if due >= at:
                return
            self._at = max(self._at, due)
            self.view.move_to(due)
            act()
            self._settle()

    def _next_deadline(self) -> tuple[float, Any]:
        due, act = NEVER, None
        for when, what in self._deadlines():
            if when < due:
                due, act = when, what
        return due, act

    def _deadlines(self) -> Iterator[tuple[float, Any]]:
        for run in self._runs.values():
            for trial in run.trials:
                if trial.deadline < NEVER:
                    yield trial.deadline, lambda trial=trial: self._trial_due(trial)
        for load, at in self._load_ends.items():
            yield at, lambda load=load: self._load_due(load)
        for item in self._waiting:
            yield item.at, lambda item=item: self._opening_due(item)
        if self._shown_at < NEVER:
            yield self._shown_at, self._state_due
        for prediction in self._predictions.values():
            if prediction.deadline < NEVER:
                yield prediction.deadline, lambda run=prediction: self._prediction_due(run)
        for fault in self._faults.values():
            if fault.deadline < NEVER:
                yield fault.deadline, lambda run=fault: self._candidate_due(run)

    def _trial_due(self, trial: Trial) -> None:
        trial.on_time(self._news)
        self._dirty = True

    def _opening_due(self, item: _Opening) -> None:
        self._waiting.remove(item)
        moment = Moment(self._news, item.at, item.at, item.unseen)
        self._open(item.run, moment, item.occurrence)
        self._notify_states(moment, _NOTHING)
        self._dirty = True

    def _state_due(self) -> None:
        """The objects read again have come, and nothing after them."""
        self._shown_at = NEVER
        if self._running:
            self._notify_states(self._now(), _NOTHING)

    def _prediction_due(self, run: PredictionRun) -> None:
        if run.on_time(self.view, self._news):
            self._dirty = True
            self._findings.append(run.finding())

    def _candidate_due(self, run: FaultRun) -> None:
        dropped = run.give_up()
        if dropped is None:
            return
        self._drop(dropped)
        if dropped.start.unseen:  # and so may be the student's request
            self._may_have_come(run.fault.id)
            for prediction in self._predictions.values():
                if prediction.spec.before == run.fault.id:
                    prediction.may_have_missed()

    def _drop(self, occurrence: Occurrence) -> None:
        for check in self._runs.values():
            check.drop(occurrence)
        for prediction in self._predictions.values():
            prediction.on_dropped(occurrence)
        self._waiting = [item for item in self._waiting if item.occurrence is not occurrence]
        self._dirty = True

    # gaps

    def _now(self) -> Moment:
        return Moment(self._news, self._at, self._at)

    def _moment(self, entry: Entry) -> Moment:
        late = self._late
        if late is not None and entry.kind == "object" and entry.at <= late.end + _LATE:
            return Moment(entry.seq, entry.at, min(late.start, entry.at))
        return Moment(entry.seq, entry.at, entry.at)

    def _moment_of_change(self, entry: Entry) -> Moment:
        """Of what this entry shows: read again after a lost gap, it may have come at any time of the gap."""
        moment = self._moment(entry)
        if not self._is_read_again(entry):
            return moment
        return moment._replace(earliest=min(moment.earliest, self._lost_from), unseen=True)

    def _moment_of_state(self) -> Moment:
        """Of what a state shows that may be put together from objects read again."""
        moment = self._now()
        if not self._pieced:
            return moment
        return moment._replace(earliest=min(moment.earliest, self._lost_from), unseen=True)

    def _on_gap(self, entry: Entry) -> None:
        change = entry.change
        if change.get("how") == "hole":
            self._go_blind(entry)
            return
        lost = entry.kind == "trouble" or change.get("how") != "late"
        start = float(change.get("from") or entry.at)
        gap = Gap(start, max(start, float(change.get("until") or entry.at)), lost)
        if not lost:
            self._late = gap
        elif entry.kind == "gap":
            self._lost_from = min(gap.start, self._lost_from if gap.start <= self._lists_until else NEVER)
            self._lists_until = gap.end + _LATE
        scope = change.get("kinds")
        if entry.kind == "trouble":
            self._troubles = [*(each for each in self._troubles if each[0].end >= entry.at), (gap, scope)]
        if self._running and not self._handed_over:
            self._judge_gap(gap, scope, is_trouble=entry.kind == "trouble")
            self._dirty = True

    def _judge_gap(self, gap: Gap, scope: Any, *, is_trouble: bool) -> None:
        silent: set[str] = set()
        for run in self._runs.values():
            kinds = _read_by(run.check)
            if not _reaches(scope, kinds):
                continue
            for trial in run.trials:
                if is_trouble:
                    trial.excuse(gap)
                trial.was_seen_in(gap)
            if gap.lost and not is_trouble and kinds <= _UNCHANGED_WHEN_SILENT:
                silent.add(run.check.spec.id)
                continue
            self._gap_reaches(run, gap)
        if silent:
            self._gaps.append((gap, silent))
        self._tell_predictions(gap, scope)
        in_time = self._submitted is None or gap.start <= self._submitted.at
        if gap.lost and in_time and gap.end >= self.view.started:
            for mark in self._compiled.marks:
                if _reaches(scope, frozenset({mark.spec.each})):
                    self._may_have_come(mark.spec.id)

    def _tell_predictions(self, gap: Gap, scope: Any) -> None:
        for prediction in self._predictions.values():
            if _reaches(scope, prediction.reads) and prediction.on_gap(gap):
                self._findings.append(prediction.finding())
            mark = self._marks_by_id.get(prediction.spec.before or "")
            if mark is not None and _reaches(scope, frozenset({mark.spec.each})):
                prediction.on_gap_of_mark(gap)

    def _may_have_come(self, source: str) -> None:
        for run in self._runs.values():
            if run.check.opens.source == source:
                run.unseen = True

    def _excuse_new(self, run: CheckRun, trial: Trial) -> None:
        """Trouble may last longer than until now: it reaches windows that open meanwhile, too."""
        for gap, scope in self._troubles:
            if gap.end >= trial.opened.at and _reaches(scope, _read_by(run.check)):
                trial.excuse(gap)
                trial.on_gap(gap)

    def _go_blind(self, entry: Entry) -> None:
        """Nobody read the lists again after this hole: what follows may look different from what was."""
        self._blind = self._dirty = True
        for run in self._runs.values():
            run.ours = True
            for trial in run.open_trials:
                trial.give_up(self._moment(entry), _MISSING)
        for prediction in self._predictions.values():
            prediction.blind = True

    def _gap_reaches(self, run: CheckRun, gap: Gap) -> None:
        for trial in run.trials:
            trial.on_gap(gap)
            if trial.outcome is None:
                self._fresh.append((run, trial))  # the state from here on is seen again
        for (id_, _), tracker in self._trackers.items():
            if id_ == run.check.spec.id:
                tracker.forget()

    def _note_gap_news(self, entry: Entry) -> None:
        """After a lost gap: an object in the news did change while nobody looked."""
        for gap, silent in self._gaps:
            if entry.at > gap.end + _LATE and not entry.change.get("synthetic"):
                continue
            for id_ in tuple(silent):
                if entry.change.get("kind") in _read_by(self._runs[id_].check):
                    silent.discard(id_)
                    self._gap_reaches(self._runs[id_], gap)

    # verdicts

    def _told(self, changed: frozenset[str]) -> list[Finding]:
        self._settle()
        if self._running and not self._handed_over:
            self._findings += self._hints.judge(self._at)
        self._pieced = self._pieced and self._shown_at < NEVER
        told, self._findings = self._findings, []
        return told

    def _settle(self) -> None:
        """Work out what changed verdicts mean for others, until nothing changes any more."""
        if not self._running:
            return
        while self._dirty:
            self._dirty = False
            self._close_due()
            self._close_for_good()
            for run in self._runs.values():
                self._judge(run)
        self._tell()

    def _judge(self, run: CheckRun) -> None:
        id_ = run.check.spec.id
        before = self._verdicts[id_]
        raw = gated(
            run.check,
            self._raw(run),
            [(need, self._need(need)) for need in run.check.needs],
            closed=(run.over is not None or self._submitted is not None) and self._needs_are_final(run),
            say=lambda need: self._says.get(need, need),
        )
        if raw == run.judged:
            return
        run.judged = raw
        after = verdict_of(run.check, raw, self._at)
        if _same(before, after):
            return
        self._verdicts[id_] = after
        self._dirty = True
        if after.state == "pass" and before.state != "pass":
            self._hints.progressed(self._at)
            moment = self._moment_of_state()
            self._happened(id_, "pass", moment, None)
            self._notify_states(moment, _NOTHING)

    def _raw(self, run: CheckRun) -> Raw:
        spec = run.check.spec
        if spec.operator not in ("predicted", "answered"):
            return run.raw()
        prediction = self._predictions[spec.predicate]
        over = run.over
        if over is not None and not self._handed_over and self._is_watched(prediction):
            over = None
        return prediction.raw(spec.points, over)

    def _is_watched(self, prediction: PredictionRun) -> bool:
        """What it speaks of has happened, and is not over yet."""
        before = prediction.spec.before or ""
        under_way = self._marked.get(before)
        fault = self._faults.get(before)
        running = fault is not None and fault.running
        return prediction.deadline < NEVER or running or (under_way is not None and under_way.end is None)

    def _need(self, id_: str) -> str:
        prediction = self._predictions.get(id_)
        if prediction is not None:
            return "pass" if prediction.committed is not None else "waiting"
        return self._verdicts[id_].state

    def _needs_are_final(self, run: CheckRun) -> bool:
        return self._handed_over or all(
            self._need(each) in FINAL or each in self._predictions for each in run.check.needs
        )

    def _close_for_good(self) -> None:
        """After hand-in no window opens any more, but those of our own tests; after hand-over none."""
        if self._submitted is None:
            return
        for run in self._runs.values():
            if run.over is None and (self._handed_over or not run.check.after_submit):
                run.over = "it did not come to this before hand-in"
                run.ours = run.ours or self._never_tested(run)
            for trial in run.open_trials:
                if self._handed_over:
                    self._end_unfinished(trial, run.check.closes)
                elif not self._may_still_end(trial, run.check.closes):
                    trial.close(self._submitted)

    def _may_still_end(self, trial: Trial, closes: Anchor | None) -> bool:
        """After hand-in nothing of the student's begins any more; what is under way may end, and a check may pass."""
        if closes is None or closes.source == "submit" or closes.point == "pass" or trial.end < NEVER:
            return True
        if trial.origin is not None and trial.origin.source == closes.source:
            return True
        fault = self._faults.get(closes.source)
        if fault is not None and (fault.running or fault.fault.by == "submit"):
            return True
        under_way = self._marked.get(closes.source)
        return closes.point == "end" and under_way is not None and under_way.end is None

    def _end_unfinished(self, trial: Trial, closes: Anchor | None) -> None:
        """A mark is the student's own doing, and so is a check: without its end it is no fault of ours."""
        source = closes.source if closes is not None else ""
        if source in self._marks_by_id and not trial.lost:
            trial.fail(self._now(), f"not reached: {source} did not end")
        elif source in self._verdicts and self._verdicts[source].state != "could-not-grade":
            trial.close(self._now())
        else:
            trial.give_up(self._now(), "the window was still open")

    def _never_tested(self, run: CheckRun) -> bool:
        """Our own fault after hand-in was never injected, and nothing says that it had no target."""
        fault = self._faults.get(run.check.opens.source)
        return fault is not None and fault.fault.by == "submit" and not fault.happened

    def _tell(self) -> None:
        states = {}
        for id_, verdict in self._verdicts.items():
            states[id_] = _HINT_STATES.get(verdict.state, verdict.state)
            told = self._told_verdicts.get(id_)
            if told is None or not _same(told, verdict):
                self._told_verdicts[id_] = verdict
                self._findings.append(Finding(kind="verdict", uid=id_, change=verdict.as_change()))
        if states != self.view.checks:
            self.view.set_checks(states)
            self._hints.look(self.view, self._at, frozenset({"check"}))
        self._tell_needs()

    def _tell_needs(self) -> None:
        for run in self._faults.values():
            missing = tuple(self.missing_for(run.fault.id))
            if missing != run.missing:
                run.missing = missing
                if not run.happened:
                    self._findings.append(run.finding("armed"))


def _is_ours(entry: Entry) -> bool:
    """Entries that this engine's own findings became: there when a record is read again, not before."""
    return _tells_outcome(entry) or entry.kind in ("verdict", "hint", "mark", "fault")


def _tells_outcome(entry: Entry) -> bool:
    """Of a prediction or question: what came of it, not what was said."""
    return entry.kind in ("prediction", "answer") and "value" not in entry.change


def _read_by(check: CompiledCheck) -> frozenset[str]:
    found: set[str] = set()
    for expression in check.expressions:
        found |= expression.predicate.kinds - {"each", "clock"}
        if expression.each is not None:
            found.add(expression.each)
    return frozenset(found)


def _reaches(scope: Any, kinds: frozenset[str]) -> bool:
    """`scope`: the kinds a gap is about ("Pod", "probe" for every probe); None = everything."""
    if not isinstance(scope, list):
        return True
    return any(kind in scope or kind.partition("/")[0] in scope for kind in kinds)


def _same(one: Verdict, other: Verdict) -> bool:
    return (one.state, one.points, one.line, one.decided_by) == (
        other.state,
        other.points,
        other.line,
        other.decided_by,
    )


_HANDLERS = {
    "start": Engine._on_start,
    "reset": Engine._on_reset,
    "phase": Engine._on_phase,
    "submit": Engine._on_submit,
    "handover": Engine._on_handover,
    "fault": Engine._on_fault,
    "action": Engine._on_action,
    "prediction": Engine._on_prediction,
    "answer": Engine._on_prediction,
    "hint": Engine._on_hint,
    "gap": Engine._on_gap,
    "trouble": Engine._on_gap,
}

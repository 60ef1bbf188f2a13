"""What a lesson has to prove, P01 to P10 (lesson format, section 9), from runs that are over. Pure.

A proof is `ok` True or False, or None where nothing was there to prove; `text` says what was seen in numbers, `notes`
are for the author: one line per thing that is not right, with what decided it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from authoring.faking import Faked
from authoring.measuring import Peak
from authoring.trial import ResetTrial, Trial
from lessons.models import Claim, Lesson, Way
from sandbox.record.checks.verdict import Verdict
from sandbox.record.exercise import Exercise
from sandbox.record.marking import Result, work_out

TITLES = {
    "P01": "start state fails every check",
    "P02": "reference solution passes",
    "P03": "wrong solutions fail with their hint",
    "P04": "claims match the log",
    "P05": "budget",
    "P06": "tiers",
    "P07": "undecided states, could-not-grade",
    "P08": "reset returns to the start state",
    "P09": "a faked log never turns into a pass or a zero",
    "P10": "flake rate",
}
SURE = 0.95  # the bound of P10 holds with this probability


class Job(NamedTuple):
    """One run: what it is to prove, the way, its values, and whether the start state is handed in as it is."""

    proof: str
    way: Way
    params: Mapping[str, Any]
    untouched: bool


Done = tuple[Job, Trial]


@dataclass(frozen=True, slots=True)
class Proof:
    code: str
    ok: bool | None
    text: str
    notes: tuple[str, ...] = ()
    more: tuple[str, ...] = field(default=())  # further lines of the report under the same code

    @property
    def title(self) -> str:
        return TITLES[self.code]


# --- one run ------------------------------------------------------------------------------------------------
def judge(job: Job, trial: Trial) -> str:
    """ "" when it proves what it should, else what is wrong, for the author."""
    if trial.result is None:
        return "; ".join(trial.trouble) or "it came to no mark"
    verdicts = {verdict.check: verdict.outcome for verdict in trial.result.verdicts}
    ungraded = [check for check, outcome in verdicts.items() if outcome == "could-not-grade"]
    if ungraded:
        return f"could not grade {', '.join(ungraded)}"
    if job.proof == "P01":
        passed = [check for check, outcome in verdicts.items() if outcome == "pass"]
        return f"the start state passes {', '.join(passed)}" if passed else ""
    if job.proof == "P02":
        failed = [check for check, outcome in verdicts.items() if outcome != "pass"]
        return f"failed {', '.join(failed)} ({'; '.join(trial.trouble)})" if failed else ""
    if all(outcome == "pass" for outcome in verdicts.values()):
        return "a wrong way passes every check"
    if job.way.hint and job.way.hint not in trial.hints:
        return f"the hint was {', '.join(trial.hints) or 'none'}, not {job.way.hint}"
    return ""


def name_of(job: Job) -> str:
    values = " ".join(f"{key}={value}" for key, value in job.params.items())
    name = "start state" if job.untouched else job.way.name
    return f"{name} {values}".strip()


def _of(done: Sequence[Done], code: str) -> list[Done]:
    return [each for each in done if each[0].proof == code]


def _notes(done: Sequence[Done]) -> tuple[str, ...]:
    return tuple(f"{name_of(job)}: {wrong}" for job, trial in done if (wrong := judge(job, trial)))


# --- P01 to P03 ---------------------------------------------------------------------------------------------
def start_fails(done: Sequence[Done]) -> Proof:
    runs = _of(done, "P01")
    verdicts = [verdict for _, trial in runs if trial.result for verdict in trial.result.verdicts]
    failed = sum(verdict.outcome == "fail" for verdict in verdicts)
    notes = _notes(runs)
    return Proof("P01", _ok(runs, notes), f"{failed} of {len(verdicts)}" if runs else "not run", notes)


def right_ways_pass(done: Sequence[Done]) -> Proof:
    """The reference solution, and other right ones in a line of their own. A failed run names check and evidence."""
    runs = _of(done, "P02")
    solution = [each for each in runs if each[0].way.kind == "solution"]
    others = [each for each in runs if each[0].way.kind != "solution"]
    notes = tuple(
        f"{name_of(job)}: {wrong}{''.join(_evidence(trial))}"
        for job, trial in runs
        if (wrong := judge(job, trial))
    )
    more: list[str] = []
    if others:
        names = ", ".join(dict.fromkeys(job.way.name for job, _ in others))
        more.append(f"other right solutions pass: {_passed(others)} of {len(others)} ({names})")
    return Proof("P02", _ok(runs, notes), _reference_text(solution), notes, tuple(more))


def _reference_text(solution: Sequence[Done]) -> str:
    if not solution:
        return "not run"
    results = [trial.result for _, trial in solution if trial.result]
    points = min(results, key=lambda one: one.points, default=None)
    worth = f", {points.points:g}/{points.of:g} points" if points else ""
    slowest = max(trial.seconds for _, trial in solution)
    return f"{_passed(solution)} of {_many(len(solution), 'run')}{worth}, slowest {slowest:.0f} s"


def _evidence(trial: Trial) -> list[str]:
    """So that an author sees what to widen: the check, its window, what was seen."""
    verdicts = trial.result.verdicts if trial.result else ()
    return [f"\n{'':6}{told_verdict(each)}" for each in verdicts if each.outcome not in ("pass", None)]


def told_verdict(verdict: Verdict) -> str:
    window = f", entries {verdict.window[0]} to {verdict.window[1]}" if verdict.window else ""
    because = "; ".join(f"{each.why} (entry {each.seq})" for each in verdict.decided_by)
    return f"{verdict.check} {verdict.outcome}{window}: {verdict.line}{f' [{because}]' if because else ''}"


def wrong_ways_fail(done: Sequence[Done]) -> Proof:
    runs = _of(done, "P03")
    notes = _notes(runs)
    earned = ", ".join(f"{job.way.name} → {job.way.hint}" for job, trial in runs if not judge(job, trial))
    text = f"{_passed(runs)} of {len(runs)}" if runs else "none was run"
    return Proof("P03", _ok(runs, notes), f"{text} ({earned})" if earned else text, notes)


def _many(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _passed(runs: Sequence[Done]) -> int:
    return sum(not judge(job, trial) for job, trial in runs)


def _ok(runs: Sequence[Done], notes: Sequence[str]) -> bool | None:
    return None if not runs else not notes


# --- P04 claims ---------------------------------------------------------------------------------------------
def claims_match(lesson: Lesson, exercise: Exercise, done: Sequence[Done]) -> Proof:
    """Each claim of the text is judged like a check, in every run of a right way."""
    if not lesson.claims:
        return Proof("P04", None, "no claim in the text")
    runs = [trial for job, trial in _of(done, "P02") if job.way.kind == "solution" and trial.result]
    if not runs:
        return Proof("P04", None, "no run to hold them against")
    judged = [(claim, _claimed(exercise, claim, trial)) for claim in lesson.claims for trial in runs]
    notes = tuple(
        f"{claim.check.id} ({claim.file}:{claim.line}): {verdict.line or verdict.outcome}"
        for claim, verdict in judged
        if verdict.outcome != "pass"
    )
    held = sum(verdict.outcome == "pass" for _, verdict in judged)
    lines = ", ".join(dict.fromkeys(f"{claim.check.id}: {verdict.line}" for claim, verdict in judged))
    return Proof("P04", not notes, f"{held} of {len(judged)} ({lines})", notes)


def _claimed(exercise: Exercise, claim: Claim, trial: Trial) -> Verdict:
    with_claim = msgspec.structs.replace(exercise, checks=(*exercise.checks, claim.check))
    result = work_out(with_claim, trial.params, trial.entries, trial.images)
    return next(verdict for verdict in result.verdicts if verdict.check == claim.check.id)


# --- P05 budget ---------------------------------------------------------------------------------------------
def within_budget(lesson: Lesson, exercise: Exercise, done: Sequence[Done], peaks: Sequence[Peak]) -> Proof:
    """`peaks`: of the runs of right ways, in their order."""
    if not peaks:
        return Proof("P05", None, "no run to measure")
    rest, most = max(peak.pods_at_rest for peak in peaks), max(peak.pods for peak in peaks)
    memory = max((peak.memory for peak in peaks if peak.memory is not None), default=None)
    cores = max((peak.cores for peak in peaks if peak.cores is not None), default=None)
    slowest = max(trial.seconds for job, trial in _of(done, "P02"))
    mib = 2**20
    seen = (
        f"{memory / mib:.0f} of {exercise.memory / mib:.0f} MiB"
        if memory is not None
        else "memory not measured"
    )
    spent = f"{cores:.2f} of {exercise.cpu:g} CPU peak" if cores is not None else "CPU not measured"
    notes: list[str] = []
    if rest > exercise.pods:
        notes.append(f"{rest} Pods stay, the budget says {exercise.pods}: raise budget.pods")
    if memory is not None and memory > exercise.memory:
        notes.append(f"the Pods use {memory / mib:.0f} MiB, the budget says {exercise.memory / mib:.0f}")
    if cores is not None and cores > exercise.cpu:
        notes.append(f"the Pods use {cores:.2f} CPU, the budget says {exercise.cpu:g}: raise budget.cpu")
    if slowest > lesson.minutes * 60:
        notes.append(f"the reference run takes {slowest / 60:.1f} min of {lesson.minutes}: raise minutes")
    pods = f"{rest} Pods of {exercise.pods} (at most {most} at once)"
    text = f"{pods}, {seen}, {spent}; reference {slowest / 60:.1f} min of {lesson.minutes}"
    return Proof("P05", not notes, text, tuple(notes))


# --- P06 tiers, P07 undecided -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Replay:
    """A record worked out again. `differs`: check -> (then, now); `refused`: why a file could not be read."""

    name: str
    differs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    refused: str = ""


def tiers_agree(tier: str, runs: Sequence[Replay], stored: Sequence[Replay]) -> Proof:
    """What was decided live is decided again from the record alone, of these runs and of the stored recordings."""
    notes = [each.refused for each in stored if each.refused]
    notes += [
        f"{each.name}: {check} was {then}, replayed {now}"
        for each in (*runs, *stored)
        for check, (then, now) in each.differs.items()
    ]
    kept = f"{_many(len(stored), 'recording')} as well" if stored else "no recording yet"
    seen = f"{tier} ok: {_many(len(runs), 'record')} replayed to the same verdicts, {kept}"
    text = f"{len(notes)} not as they were" if notes else seen
    return Proof("P06", not notes if (runs or stored) else None, text, tuple(notes))


def nothing_undecided(done: Sequence[Done]) -> Proof:
    results: list[tuple[Job, Result]] = [(job, trial.result) for job, trial in done if trial.result]
    open_ = [
        f"{name_of(job)}: {check}: {why}" for job, one in results for check, why in one.undecided.items()
    ]
    ungraded = [
        f"{name_of(job)}: {verdict.check} could not be graded: {verdict.line}"
        for job, one in results
        for verdict in one.verdicts
        if verdict.outcome == "could-not-grade"
    ]
    ok = not (open_ or ungraded) if results else None
    return Proof("P07", ok, f"{len(open_)}, {len(ungraded)}", (*open_, *ungraded))


# --- P08 reset, P09 faked logs, P10 flakes ------------------------------------------------------------------
def reset_returns(reset: ResetTrial | None) -> Proof:
    if reset is None:
        return Proof("P08", None, "not run")
    notes = (*reset.trouble, *(f"after the reset {line}" for line in reset.differs))
    text = f"yes, ready again after {reset.seconds:.1f} s" if not notes else "no"
    return Proof("P08", not notes, text, notes)


def fakes_never_lie(faked: Sequence[Faked]) -> Proof:
    wrong = tuple(str(each) for each in faked if each.lies)
    kinds = ", ".join(dict.fromkeys(each.how for each in faked))
    text = f"{len(faked) - len(wrong)} of {len(faked)} ({kinds})" if faked else "no record to fake"
    return Proof("P09", not wrong if faked else None, text, wrong)


def flake_rate(done: Sequence[Done]) -> Proof:
    runs = _of(done, "P02")
    failed = len(runs) - _passed(runs)
    if not runs:
        return Proof("P10", None, "not run")
    bound = upper_bound(failed, len(runs))
    return Proof("P10", failed == 0, f"{failed} of {len(runs)} (upper {SURE:.0%} bound {bound:.0%})")


def upper_bound(failed: int, runs: int) -> float:
    """The largest rate with which `failed` or fewer of `runs` is still likelier than 5 % (Clopper-Pearson)."""
    if failed >= runs:
        return 1.0
    low, high = failed / runs, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        low, high = (rate, high) if _at_most(failed, runs, rate) > 1 - SURE else (low, rate)
    return high


def _at_most(failed: int, runs: int, rate: float) -> float:
    """Probability of `failed` or fewer of `runs`. Pure arithmetic over at most some hundred runs."""
    term = total = (1 - rate) ** runs
    for k in range(1, failed + 1):
        term *= (runs - k + 1) / k * rate / (1 - rate) if rate < 1 else 0.0
        total += term
    return total

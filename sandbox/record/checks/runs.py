"""One check over all its tries: which window counts, what it waits for, what is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from sandbox.record.checks.anchors import Occurrence
from sandbox.record.checks.compiling import CompiledCheck
from sandbox.record.checks.trials import TRIALS, Trial
from sandbox.record.checks.verdict import FINAL, Because, Moment, State, Verdict


class Raw(NamedTuple):
    """What a check says before `needs` is asked."""

    state: State
    line: str
    points: int = 0
    trial: Trial | None = None
    because: tuple[Because, ...] = ()
    facts: dict[str, Any] | None = None


class CheckRun:
    """The tries of one check in this attempt."""

    def __init__(self, check: CompiledCheck) -> None:
        self.check = check
        self.trials: list[Trial] = []
        self.over: str | None = None  # why no further window can open
        self.judged: Raw | None = None  # what the last verdict was made of
        self.ours = False  # a window could not be had for reasons of ours
        self.unseen = False  # a window may have opened while nothing was seen

    def open(self, moment: Moment, origin: Occurrence | None) -> Trial | None:
        """A new try, or None when the first one is the one that counts."""
        if self.check.spec.operator not in TRIALS:
            return None
        if self.check.spec.occurrence == "first" and self.trials:
            return None
        trial = TRIALS[self.check.spec.operator](self.check, moment, origin)
        self.trials.append(trial)
        if origin is None or not origin.tentative:
            self.prune()
        return trial

    def prune(self) -> None:
        """Forget tries that no longer count: of older ones only the last decided."""
        if self.check.spec.occurrence != "last":
            return
        firm = [trial for trial in self.trials if not _tentative(trial)]
        decided = [trial for trial in firm[:-1] if trial.outcome is not None]
        kept = {*decided[-1:], *firm[-1:]}
        self.trials = [trial for trial in self.trials if trial in kept or _tentative(trial)]

    def drop(self, origin: Occurrence) -> None:
        """The occurrence was none after all."""
        self.trials = [trial for trial in self.trials if trial.origin is not origin]

    @property
    def open_trials(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.outcome is None]

    def raw(self) -> Raw:
        firm = [trial for trial in self.trials if not _tentative(trial)]
        if not firm:
            return self._not_reached()
        if self.check.spec.occurrence == "all":
            return _worst([_raw(trial) for trial in firm])
        return _raw(firm[0] if self.check.spec.occurrence == "first" else firm[-1])

    def _not_reached(self) -> Raw:
        if self.over is None:
            return Raw("waiting", self.check.opening)
        if self.ours:
            return Raw("could-not-grade", "we could not start what this check watches")
        if self.unseen:
            return Raw("could-not-grade", "it may have happened while nothing was seen")
        return Raw("fail", f"not reached: {self.over}")

    def deadline(self) -> float:
        return min((trial.deadline for trial in self.trials), default=float("inf"))


def _tentative(trial: Trial) -> bool:
    return trial.origin is not None and trial.origin.tentative


def _raw(trial: Trial) -> Raw:
    if trial.outcome is None:
        state: State = "holding" if trial.live == "holding" else "waiting"
        return Raw(state, trial.line, 0, trial)
    return Raw(trial.outcome, trial.line, trial.points, trial, trial.because)


def _worst(raws: list[Raw]) -> Raw:
    """All must pass: one that failed decides, then one still open, then one that could not be graded."""
    for state in ("fail", "waiting", "holding", "could-not-grade"):
        for raw in raws:
            if raw.state == state:
                return raw
    return min(raws, key=lambda raw: raw.points)


def gated(
    check: CompiledCheck,
    raw: Raw,
    needed: Iterable[tuple[str, str]],
    *,
    closed: bool,
    say: Callable[[str], str],
) -> Raw:
    """`raw` as `needs` allows it. `needed` = (id, state) of each; `closed`: nothing more can pass."""
    missing = [(id_, state) for id_, state in needed if state != "pass"]
    if not missing:
        return raw
    first = missing[0][0]
    if any(each == "could-not-grade" for _, each in missing) and (closed or raw.state == "pass"):
        return raw._replace(state="could-not-grade", line=f"could not grade: {say(first)}", points=0)
    if closed:
        return raw._replace(state="fail", line=f"not reached: {say(first)}", points=0)
    return raw._replace(state="waiting", line=f"first: {say(first)}", points=0)


def verdict_of(check: CompiledCheck, raw: Raw, at: float) -> Verdict:
    trial = raw.trial
    return Verdict(
        check=check.spec.id,
        say=check.spec.say,
        state=raw.state,
        outcome=raw.state if raw.state in FINAL else None,  # type: ignore[arg-type]  # Literals do not narrow
        points=raw.points if raw.state in ("pass", "fail") else 0,  # a match that is right in part has some
        of=check.of,
        line=raw.line,
        window=None if trial is None else (trial.opened.seq, trial.last_seq),
        decided_by=raw.because,
        facts=(raw.facts or {}) if trial is None else trial.facts,
        at=at,
    )

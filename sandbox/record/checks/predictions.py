"""What a student said would happen, and what did."""

from __future__ import annotations

from typing import Any

from sandbox.record.cel import Undecided, View
from sandbox.record.checks.anchors import Occurrence
from sandbox.record.checks.answers import is_right
from sandbox.record.checks.compiling import CompiledPrediction
from sandbox.record.checks.runs import Raw
from sandbox.record.checks.trials import NEVER, Gap
from sandbox.record.checks.verdict import Because, Moment


class PredictionRun:
    """One prediction or question in this attempt. `deadline` = when what happened is looked at.

    It is locked once. When its fault happens again, the last time counts: trying again stays worth it.
    """

    def __init__(self, compiled: CompiledPrediction) -> None:
        self.spec, self.question = compiled.spec, compiled.question
        self._observed = compiled.observed
        self.value: Any = None
        self.committed: Moment | None = None
        self.observed: list[Any] | None = None
        self.right: bool | None = None
        self.deadline = NEVER
        self._from = NEVER
        self._lost_until = -NEVER
        self.blind = False  # for good: the record itself has a hole
        self._blind = False
        self._settled_at: Moment | None = None
        self._pending: Occurrence | None = None

    def commit(self, value: Any, moment: Moment) -> None:
        """Lock it. What follows no fault is looked at `settle` seconds later."""
        self.value, self.committed = value, moment
        if self.spec.before is None:
            self._from, self.deadline = moment.at, moment.at + self.spec.settle

    def on_end(self, occurrence: Occurrence, moment: Moment) -> None:
        """The fault or mark it speaks of is over: look `settle` seconds later."""
        if self.committed is None or self.spec.before != occurrence.source:
            return
        if occurrence.start.seq <= self.committed.seq:
            return
        self._blind = self._lost_until >= occurrence.start.at
        self._from, self._pending = occurrence.start.at, occurrence
        self.deadline = moment.at + self.spec.settle

    def on_dropped(self, occurrence: Occurrence) -> None:
        if self._pending is occurrence:
            self._pending, self.deadline = None, NEVER

    def on_time(self, view: View, seq: int) -> bool:
        """Look. True when there is something to tell."""
        if self._pending is not None and self._pending.tentative:
            self.deadline += 0.5  # not yet known whether it was the student's own act
            return False
        at, self.deadline = self.deadline, NEVER
        self._settled_at = Moment(seq, at, at)
        found = (
            Undecided("a part of the record is missing")
            if self._blind or self.blind
            else self._observed.value(view)
        )
        if isinstance(found, Undecided) or not isinstance(found, list):
            self.observed, self.right = None, None
        else:
            self.observed = found
            self.right = is_right(self.spec.answer, self.value, found, self.spec.tolerance)
        return True

    def on_gap(self, gap: Gap) -> None:
        """Nothing is said about what was not seen."""
        if gap.lost:
            self._lost_until = max(self._lost_until, gap.end)
        if self.deadline < NEVER and self._from <= gap.end:
            self._blind = True
        elif self._settled_at is not None and gap.start <= self._settled_at.at <= gap.end:
            self.observed, self.right = None, None

    @property
    def reads(self) -> frozenset[str]:
        """The kinds by which what happened is told."""
        return self._observed.kinds

    @property
    def settled(self) -> bool:
        return self._settled_at is not None

    def raw(self, points: int, over: str | None) -> Raw:
        """The state of a check on it."""
        if self.blind and not self.settled and over:
            return Raw("could-not-grade", "a part of the record is missing")
        if self.committed is None:
            return Raw("fail", f"not reached: {over}") if over else Raw("your-turn", "needs your answer")
        if self._settled_at is None or self.deadline < NEVER:
            if over:
                return Raw("fail", f"not reached: {over}")
            return Raw("waiting", "locked; it is compared with what happens")
        at = self._settled_at
        if self.right is None:
            return Raw(
                "could-not-grade", "what happened was not seen", because=(Because(at.seq, "looked here"),)
            )
        if self.right:
            return Raw("pass", "you foresaw it", points, because=(Because(at.seq, "it came as you said"),))
        return Raw("fail", "it came differently", because=(Because(at.seq, "it came differently"),))

    def change(self) -> dict[str, Any]:
        """The content of the entry that tells the outcome."""
        return {"id": self.spec.id, "observed": self.observed, "right": self.right}

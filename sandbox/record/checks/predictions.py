"""What a student said would happen, and what did."""

from __future__ import annotations

from typing import Any

from sandbox.record.cel import Undecided, View
from sandbox.record.checks.anchors import Occurrence
from sandbox.record.checks.answers import is_right, plain_answers, right_pairs
from sandbox.record.checks.compiling import CompiledPrediction
from sandbox.record.checks.forms import misconceptions_of
from sandbox.record.checks.runs import Raw
from sandbox.record.checks.stopwatch import Stopwatch
from sandbox.record.checks.trials import NEVER, Gap
from sandbox.record.checks.verdict import Because, Finding, Moment

LISTS_READ = 1.0  # seconds after a lost gap in which the state is still being put together


class PredictionRun:
    """One prediction or question in this attempt. `deadline` = when what happened is looked at.

    It is locked once. When its fault happens again, the last time counts: trying again stays worth it.
    `observed` None after it has settled: what happened was not seen, and costs nothing.
    """

    def __init__(self, compiled: CompiledPrediction) -> None:
        self.spec, self.question = compiled.spec, compiled.question
        self._observed = compiled.observed
        self.stopwatch: Stopwatch | None = None
        if compiled.first is not None and compiled.after is not None:
            self.stopwatch = Stopwatch(compiled.first, compiled.after)
        self.value: Any = None
        self.committed: Moment | None = None
        self.observed: list[Any] | None = None
        self.right: bool | None = None
        self.pairs: tuple[int, int] | None = None  # of a match: right, asked for
        self.deadline = NEVER
        self._from = NEVER
        self._lost_until = -NEVER
        self._missed = False  # its mark may have come while nothing was seen
        self.blind = False  # for good: the record itself has a hole
        self._blind = False
        self._settled_at: Moment | None = None
        self._pending: Occurrence | None = None

    def commit(self, value: Any, moment: Moment) -> None:
        """Lock it. What follows no fault is looked at `settle` seconds later."""
        self.value, self.committed = value, moment
        if self.spec.before is None:
            self._from, self.deadline = moment.at, moment.at + self.spec.settle
            self._blind = self._lost_until >= moment.at  # trouble of ours that lasts

    def on_end(self, occurrence: Occurrence, moment: Moment) -> None:
        """The fault or mark it speaks of is over: look `settle` seconds later."""
        if self.committed is None or self.spec.before != occurrence.source:
            return
        if occurrence.start.seq <= self.committed.seq:
            return
        self._blind = occurrence.start.unseen or self._lost_until >= occurrence.start.at
        self._from, self._pending = occurrence.start.at, occurrence
        self.deadline = moment.at + self.spec.settle

    def on_dropped(self, occurrence: Occurrence) -> None:
        if self.stopwatch is not None:
            self.stopwatch.on_dropped(occurrence)
        if self._pending is occurrence:
            self._pending, self.deadline = None, NEVER

    def on_time(self, view: View, seq: int) -> bool:
        """Look. True when there is something to tell."""
        if self._pending is not None and self._pending.tentative:
            self.deadline += 0.5  # not yet known whether it was the student's own act
            return False
        at, self.deadline = self.deadline, NEVER
        self._settled_at = Moment(seq, at, at)
        if self._blind or self.blind or self._timed_blindly():
            self._not_seen()
        elif self.stopwatch is not None:
            self._judge_time(self.stopwatch.seconds())
        else:
            self._judge(self._read(view))
        return True

    def _timed_blindly(self) -> bool:
        started = self.stopwatch.started if self.stopwatch is not None else None
        return started is not None and started <= self._lost_until + LISTS_READ

    def _read(self, view: View) -> list[Any] | None:
        found = self._observed.value(view) if self._observed is not None else None
        return None if isinstance(found, Undecided) else plain_answers(self.spec.answer, found)

    def _judge(self, observed: list[Any] | None) -> None:
        if observed is None:
            self._not_seen()
            return
        self.observed = observed
        self.right = is_right(self.spec.answer, self.value, observed, self.spec.tolerance)
        self.pairs = right_pairs(self.value, observed) if self.spec.answer == "match" else None

    def _judge_time(self, took: tuple[float, float] | None) -> None:
        """News that came late leaves a stretch; a verdict must be the same at both of its ends."""
        if took is None:
            self._judge([])  # it did not come while we looked
            return
        ends = {is_right("duration", self.value, [each], self.spec.tolerance) for each in took}
        self._judge([took[1]] if len(ends) == 1 else None)

    def _not_seen(self) -> None:
        self.observed = self.right = self.pairs = None

    def on_gap(self, gap: Gap) -> bool:
        """Nothing is said about what was not seen. True when what was told is taken back.

        A question about nothing in the cluster is right or wrong whatever was seen.
        """
        if self.question and not self.reads:
            return False
        if gap.lost:
            self._lost_until = max(self._lost_until, gap.end)
        if gap.lost and self.deadline < NEVER and self._from <= gap.end:
            self._blind = True  # what came late has come by the time we look
        elif self._settled_at is not None and gap.start <= self._settled_at.at <= gap.end:
            told = self.observed is not None
            self._not_seen()
            return told
        return False

    def on_gap_of_mark(self, gap: Gap) -> None:
        """The mark it waits for is read from what the gap hides."""
        if gap.lost and self.committed is not None and self.committed.at <= gap.end:
            self.may_have_missed()

    def may_have_missed(self) -> None:
        """What it waits for may have come while nothing was seen."""
        self._missed = self._missed or (self._settled_at is None and self.deadline == NEVER)

    @property
    def reads(self) -> frozenset[str]:
        """The kinds by which what happened is told."""
        if self.stopwatch is not None:
            return self.stopwatch.reads
        return self._observed.kinds if self._observed is not None else frozenset()

    @property
    def settled(self) -> bool:
        return self._settled_at is not None

    def raw(self, points: int, over: str | None) -> Raw:
        """The state of a check on it."""
        return self._raw(points, over)._replace(facts=self._shows())

    def _shows(self) -> dict[str, Any]:
        """The misconceptions of an answer that is not right, for the instructor; nothing when there are none."""
        shown = misconceptions_of(self.spec, self.value) if self.committed and not self.right else []
        return {"misconceptions": shown} if shown else {}

    def _raw(self, points: int, over: str | None) -> Raw:
        if self.blind and not self.settled and over:
            return Raw("could-not-grade", "a part of the record is missing")
        if self.committed is None:
            return Raw("fail", f"not reached: {over}") if over else Raw("your-turn", "needs your answer")
        if self._settled_at is None or self.deadline < NEVER:
            if over and self._missed:
                return Raw("could-not-grade", "it may have happened while nothing was seen")
            if over:
                return Raw("fail", f"not reached: {over}")
            return Raw("waiting", "locked; it is compared with what happens")
        return self._compared(points, self._settled_at.seq)

    def _compared(self, points: int, seq: int) -> Raw:
        if self.right is None:
            return Raw(
                "could-not-grade", "what happened was not seen", because=(Because(seq, "looked here"),)
            )
        if self.right:
            line, why = ("right", "right") if self.question else ("you foresaw it", "it came as you said")
            return Raw("pass", line, points, because=(Because(seq, why),))
        line = "it is different" if self.question else "it came differently"
        if self.pairs is not None and self.pairs[1]:
            right, of = self.pairs
            return Raw(
                "fail", f"{right} of {of} as you said", points * right // of, because=(Because(seq, line),)
            )
        return Raw("fail", line, because=(Because(seq, line),))

    def finding(self) -> Finding:
        """The entry that tells the outcome. `observed` [] with `right` null: it was not seen."""
        change: dict[str, Any] = {"id": self.spec.id, "observed": self.observed or [], "right": self.right}
        if self.pairs is not None:
            change["pairs"] = list(self.pairs)
        return Finding(kind="answer" if self.question else "prediction", uid=self.spec.id, change=change)

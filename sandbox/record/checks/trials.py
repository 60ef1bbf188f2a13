"""One try of one check: an automaton over its window. Nothing here knows where entries come from.

States reach a trial from the window's first instant on; changes from the entry after the one that opened
it. A moment of time is over only when something later is seen: entries at the very end still count.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from sandbox.record.cel import Undecided
from sandbox.record.checks.anchors import Occurrence
from sandbox.record.checks.compiling import CompiledCheck
from sandbox.record.checks.measuring import Reading
from sandbox.record.checks.verdict import Because, Moment, Outcome

NEVER = math.inf
_HELD_BY_DEFAULT = 3.0  # seconds: `for` of recovered


class Gap(NamedTuple):
    """Seconds of the record in which news was late or lost."""

    start: float
    end: float
    lost: bool


class Trial:
    """What all operators share: the window, the decision, gaps. `deadline` = when `on_time` is due."""

    live = "waiting"

    def __init__(self, check: CompiledCheck, opened: Moment, origin: Occurrence | None = None) -> None:
        self.check, self.opened, self.origin = check, opened, origin
        self.outcome: Outcome | None = None
        self.points = 0
        self.because: tuple[Because, ...] = ()
        self.decided_at = 0.0
        self.last_seq: int | None = None
        self.line = ""
        self.facts: dict[str, Any] = {}
        self.end = NEVER
        self.deadline = NEVER
        self.lost, self.undecided = opened.unseen, False
        self.seen = 0
        self._by_time = False
        self._extension = 0.0
        self._excused: list[Gap] = []
        self._reading: Reading | None = None
        self._rearm()

    # what happens

    def on_state(self, value: bool | Undecided, moment: Moment, reading: Reading | None) -> None:
        """The state from this moment on."""
        if self.outcome is not None:
            return
        before, self._reading = self._reading, reading
        self.seen += 1
        self._note(moment)
        if isinstance(value, Undecided) or self._is_excused(moment):
            self._on_undecided(moment)
        else:
            self._on_value(value, moment, _went(before, reading, value))
        self._rearm()

    def on_change(self, side: int, value: bool | Undecided, moment: Moment, entry_total: int = 1) -> None:
        """One change; `side` tells first from then of `before`."""
        if self.outcome is not None:
            return
        self.seen += 1
        if isinstance(value, Undecided) or self._is_excused(moment):
            self.undecided = True
        else:
            self._on_event(side, value, moment, entry_total)
        self._rearm()

    def on_time(self, seq: int) -> None:
        """`deadline` has passed."""
        at = self.deadline
        if self.outcome is None:
            moment = Moment(seq, at, at)
            if at >= min(self.end, self._limit()):
                self.close(moment)
            else:
                self._on_deadline(moment)
        self._rearm()

    def close_at(self, at: float) -> None:
        """The window's end is now known."""
        self.end = min(self.end, at)
        self._rearm()

    def close(self, moment: Moment) -> None:
        """The window ends here: what is decided now rests on nothing more having come."""
        if self.outcome is None:
            self._by_time = True
            self._on_close(moment)
        self._rearm()

    def give_up(self, moment: Moment, why: str) -> None:
        """It cannot be graded, for reasons of ours."""
        if self.outcome is None:
            self._decide("could-not-grade", moment, why)
        self._rearm()

    def fail(self, moment: Moment, why: str) -> None:
        """It is over without an end, and not for reasons of ours."""
        if self.outcome is None:
            self._decide("fail", moment, why)
        self._rearm()

    def on_gap(self, gap: Gap) -> None:
        """News was late or lost; it matters when it touches this window."""
        if gap.end < self.opened.at:
            return
        if self.outcome is not None:
            if self._by_time:
                self._take_back(gap)
            return
        if gap.lost:
            self.lost = True
            self._extension += gap.end - max(gap.start, self.opened.at)
            self._on_lost()
        self._rearm()

    def excuse(self, gap: Gap) -> None:
        """Trouble of ours, which may last beyond now: what comes until its end speaks for us, not for the student."""
        self._excused.append(gap)

    def _is_excused(self, moment: Moment) -> bool:
        return any(gap.start <= moment.at <= gap.end for gap in self._excused)

    def was_seen_in(self, gap: Gap) -> None:
        """Kinds come back one after another: a state put together meanwhile may never have been, and fails nobody.

        What was decided at the gap's first moment was decided before it: that is the last moment seen whole.
        """
        if self.outcome == "fail" and self.decided_at > gap.start:
            self._take_back(gap)

    def _take_back(self, gap: Gap) -> None:
        if gap.start <= self.decided_at <= gap.end:
            self.outcome, self.points = "could-not-grade", 0
            self.line = f"{gap.end - gap.start:.0f} s of the record are missing or came late"

    # for the operators

    def _on_value(self, value: bool, moment: Moment, why: str) -> None:
        raise NotImplementedError

    def _on_undecided(self, moment: Moment) -> None:
        self.undecided = True

    def _on_event(self, side: int, value: bool, moment: Moment, total: int) -> None:
        raise NotImplementedError

    def _on_deadline(self, moment: Moment) -> None:
        """Only for operators that set a deadline of their own."""

    def _on_close(self, moment: Moment) -> None:
        raise NotImplementedError

    def _on_lost(self) -> None:
        """What was seen before a lost gap proves no unbroken stretch."""

    def _own_deadline(self) -> float:
        return NEVER

    def _note(self, moment: Moment) -> None:
        if self._reading is not None:
            self.facts = {self._reading.label: self._reading.have}
            gone = moment.at - self.opened.at
            self.line = f"{gone:.0f} s gone, {self._reading}" if self._counts_time else str(self._reading)

    @property
    def _counts_time(self) -> bool:
        return bool(self.check.spec.within)

    def _rearm(self) -> None:
        if self.outcome is not None:
            self.deadline = NEVER
        else:
            self.deadline = min(self.end, self._limit(), self._own_deadline())

    def _longest(self) -> float:
        within = self.check.spec.within
        return within[-1][0] if within else NEVER

    def _limit(self) -> float:
        """When `within` is over; longer by what was lost, at most doubled."""
        longest = self._longest()
        return self.opened.at + longest + min(self._extension, longest) if longest < NEVER else NEVER

    def _points_after(self, seconds: float) -> int:
        if not self.check.spec.within:
            return self.check.spec.points
        for limit, points in self.check.spec.within:
            if seconds <= limit + min(self._extension, limit):
                return points
        return 0

    def _pass(self, moment: Moment, why: str, reached: Moment | None = None) -> None:
        """Passed; points by how long it took until `reached`. Late news must give the same at both ends."""
        reached = reached or moment
        slow = self._points_after(reached.at - self.opened.earliest)
        fast = self._points_after(max(0.0, reached.earliest - self.opened.at))
        if slow != fast:
            self._decide("could-not-grade", moment, "the news came late, the time is not known exactly")
            return
        self.points = slow
        self._decide("pass", moment, why)

    def _decide(self, outcome: Outcome, moment: Moment, why: str, seq: int | None = None) -> None:
        self.outcome = outcome
        self.decided_at = moment.at
        self.last_seq = moment.seq
        self.because = (Because(moment.seq if seq is None else seq, why),)
        if outcome != "pass":
            self.points = 0
        self.line = why

    def _blind(self, moment: Moment) -> bool:
        """Decide could-not-grade when something was not seen; tell whether it was so."""
        if self.lost:
            self._decide("could-not-grade", moment, "a part of the record is missing")
        elif self.undecided:
            self._decide("could-not-grade", moment, "the check could not be evaluated at every moment")
        return self.outcome is not None


def _went(before: Reading | None, after: Reading | None, value: bool) -> str:
    if before is not None and after is not None and before.have != after.have:
        return f"{after.label} went {before.have:g} → {after.have:g}"
    if after is not None:
        return str(after)
    return "it became true" if value else "it is not true"


class Now(Trial):
    """P in the state at submit."""

    def __init__(self, check: CompiledCheck, opened: Moment, origin: Occurrence | None = None) -> None:
        self._value: bool | Undecided = Undecided("not seen")
        self._why = ""
        super().__init__(check, opened, origin)

    def _on_value(self, value: bool, moment: Moment, why: str) -> None:
        self._value, self._why = value, why
        self.live = "holding" if value else "waiting"

    def _on_undecided(self, moment: Moment) -> None:
        self._value = Undecided("undecided")
        self.live = "waiting"

    def _on_close(self, moment: Moment) -> None:
        if isinstance(self._value, Undecided):
            self.undecided = True
            self._blind(moment)
        elif self._value:
            self._pass(moment, self._why)
        else:
            self._decide("fail", moment, self._why)


class Eventually(Trial):
    """P in some state, or some change with P, inside the window."""

    def _is_excused(self, moment: Moment) -> bool:
        return False  # a witness is a witness

    def _on_value(self, value: bool, moment: Moment, why: str) -> None:
        if value:
            self._pass(moment, why)

    def _on_undecided(self, moment: Moment) -> None:
        """Skipped: another state may be the witness."""

    def _on_event(self, side: int, value: bool, moment: Moment, total: int) -> None:
        if value:
            self._pass(moment, "it happened")

    def _on_close(self, moment: Moment) -> None:
        if self.lost:
            self._blind(moment)
        else:
            shown = f": {self._reading}" if self._reading else ""
            self._decide("fail", moment, f"not in time{shown}")


class Always(Trial):
    """P in every state of the window; false for at most `grace` at a time. `never` is the same of not P."""

    live = "holding"
    wanted = True

    def __init__(self, check: CompiledCheck, opened: Moment, origin: Occurrence | None = None) -> None:
        self._bad: Moment | None = None
        self._why = ""
        self._lowest: Reading | None = None
        self._lowest_seq = 0
        super().__init__(check, opened, origin)
        self.line = "true so far"

    def _on_value(self, value: bool, moment: Moment, why: str) -> None:
        if value is self.wanted:
            self._recovered(moment)
        elif self._bad is None:
            self._bad, self._why = moment, why
            if self.check.spec.grace == 0:
                self._fail(moment)

    def _recovered(self, moment: Moment) -> None:
        if self._bad is not None and moment.at - self._bad.earliest > self.check.spec.grace:
            self.undecided = True  # only late news can have made this stretch longer than seen
        self._bad = None

    def _on_undecided(self, moment: Moment) -> None:
        self.undecided = True
        self._bad = None

    def _on_event(self, side: int, value: bool, moment: Moment, total: int) -> None:
        if value is not self.wanted:
            self._why = "it happened" if value else "a change without it"
            self._fail(moment)

    def _fail(self, moment: Moment) -> None:
        bad = self._bad or moment
        self._decide("fail", moment, self._why, bad.seq)

    def _own_deadline(self) -> float:
        return NEVER if self._bad is None else self._bad.at + self.check.spec.grace

    def _on_deadline(self, moment: Moment) -> None:
        self._by_time = True
        self._fail(moment)

    def _on_lost(self) -> None:
        self._bad = None

    def _note(self, moment: Moment) -> None:
        reading = self._reading
        if reading is None:
            return
        worse = self._lowest is None or (reading.have < self._lowest.have) is self.wanted
        if worse and (self._lowest is None or reading.have != self._lowest.have):
            self._lowest, self._lowest_seq = reading, moment.seq
        extreme = self._lowest or reading
        word = "lowest" if self.wanted else "highest"
        self.line = f"{word} so far: {extreme.have:g} {extreme.label}"
        self.facts = {extreme.label: extreme.have}

    def _on_close(self, moment: Moment) -> None:
        if self._blind(moment):
            return
        if self._lowest is None:
            self._pass(moment, "held to the end")
            self.because = (Because(self.opened.seq, "held from here to the end"),)
            return
        word = "lowest" if self.wanted else "highest"
        self._pass(moment, f"held to the end, {word} {self._lowest.have:g}")
        self.because = (Because(self._lowest_seq, f"{word} {self._lowest.have:g}"),)


class Never(Always):
    """No state and no change with P."""

    wanted = False


class Before(Trial):
    """The first E1 came earlier than the first E2."""

    def __init__(self, check: CompiledCheck, opened: Moment, origin: Occurrence | None = None) -> None:
        self._first: Moment | None = None
        super().__init__(check, opened, origin)

    def on_state_of(self, side: int, value: bool | Undecided, moment: Moment) -> None:
        """For a side that is about a state."""
        if self.outcome is None and value is True:
            self._on_event(side, True, moment, 1)
            self._rearm()

    def on_change(self, side: int, value: bool | Undecided, moment: Moment, entry_total: int = 1) -> None:
        if self.outcome is None and value is True:  # an undecided change is no witness
            self._on_event(side, True, moment, 1)
            self._rearm()

    def _on_event(self, side: int, value: bool, moment: Moment, total: int) -> None:
        if side == 0:
            self._first = self._first or moment
        elif self._first is not None and self._first.seq < moment.seq:
            self._pass(moment, "in this order")
            self.because = (Because(self._first.seq, "first"), Because(moment.seq, "then"))
        elif not (self.lost and self._blind(moment)):
            self._decide("fail", moment, "it came without the other before it")

    def _on_close(self, moment: Moment) -> None:
        if not (self.lost and self._blind(moment)):
            self._decide("fail", moment, "it did not come to this")


class Count(Trial):
    """How many changes, within bounds; or their share of all."""

    def __init__(self, check: CompiledCheck, opened: Moment, origin: Occurrence | None = None) -> None:
        self.count = self.total = 0
        self._last = opened
        self._added: list[tuple[float, int, int]] = []  # when, how many matched, of how many
        self.live = "waiting" if check.spec.minimum is not None else "holding"
        super().__init__(check, opened, origin)
        self.line = self._shown()

    def on_total(self, matching: int, total: int, moment: Moment) -> None:
        """A summary: `matching` more of `total` more."""
        if self.outcome is None:
            if self._is_excused(moment):
                self.undecided = True
            else:
                self._add(matching, total, moment)
            self._rearm()

    def _on_event(self, side: int, value: bool, moment: Moment, total: int) -> None:
        self._add(1 if value else 0, total, moment)

    def excuse(self, gap: Gap) -> None:
        super().excuse(gap)
        kept = [each for each in self._added if not gap.start <= each[0] <= gap.end]
        if len(kept) < len(self._added):
            self.undecided, self._added = True, kept
            self.count, self.total = sum(each[1] for each in kept), sum(each[2] for each in kept)

    def _add(self, number: int, total: int, moment: Moment) -> None:
        spec = self.check.spec
        self._added.append((moment.at, number, total))
        self.total += total
        if number:
            self.count += number
            self._last = moment
        self.facts = (
            {"count": self.count, "of": self.total} if spec.share is not None else {"count": self.count}
        )
        self.line = self._shown()
        if spec.maximum is not None and self.count > spec.maximum:
            self._decide("fail", moment, self.line)
        elif self._only_minimum and self.count >= (spec.minimum or 0):
            self._pass(moment, self.line)

    @property
    def _only_minimum(self) -> bool:
        spec = self.check.spec
        return spec.minimum is not None and spec.maximum is None and spec.share is None

    def _shown(self) -> str:
        spec = self.check.spec
        if spec.share is not None:
            return f"{self.count} of {self.total}, at least {spec.share:.0%} wanted"
        bounds = [f"at most {spec.maximum:g}" if spec.maximum is not None else ""]
        bounds += [f"at least {spec.minimum:g}" if spec.minimum is not None else ""]
        return f"{self.count} so far, {' and '.join(each for each in bounds if each)}"

    def _on_close(self, moment: Moment) -> None:
        spec = self.check.spec
        if spec.share is not None and self.total == 0:
            self.lost = True  # nothing was asked: that is ours
        if self.lost and self._blind(moment):
            return
        few = spec.minimum is not None and self.count < spec.minimum
        if (spec.maximum is not None or spec.share is not None) and self._blind(moment):
            return
        small = spec.share is not None and self.count < spec.share * self.total
        why = self._shown().replace(" so far", "")
        if few or small:
            self._decide("fail", moment, why)
        else:
            self._pass(moment, why)
            self.because = (Because(self._last.seq, why),)


class Recovered(Trial):
    """P broke at or after the anchor, came back within the limit, and stayed."""

    def __init__(self, check: CompiledCheck, opened: Moment, origin: Occurrence | None = None) -> None:
        self._broken: Moment | None = None
        self._back: Moment | None = None
        lasting = check.spec.lasting
        self._lasting = _HELD_BY_DEFAULT if lasting is None else lasting
        super().__init__(check, opened, origin)

    def _on_value(self, value: bool, moment: Moment, why: str) -> None:
        if not value:
            self._broken = self._broken or moment
            self._back = None
            if moment.at > self._limit():
                self._give_verdict(moment)
        elif self._broken is not None and self._back is None:
            self._back = moment

    def _on_undecided(self, moment: Moment) -> None:
        self.undecided = True
        self._back = None

    def _rearm(self) -> None:
        if self.outcome is not None:
            self.deadline = NEVER
        elif self._back is not None:
            self.deadline = min(self.end, self._back.at + self._lasting)
        else:
            self.deadline = min(self.end, self._limit())

    def _on_deadline(self, moment: Moment) -> None:
        self._by_time = True
        self._give_verdict(moment)

    def _on_lost(self) -> None:
        self._back = None

    def _give_verdict(self, moment: Moment) -> None:
        back = self._back
        held = back is not None and moment.at >= back.at + self._lasting
        if self._broken is not None and not held:
            if not (self.undecided and self._blind(moment)):
                shown = f": {self._reading}" if self._reading else ""
                self._decide("fail", moment, f"not back in time{shown}", self._broken.seq)
        elif self._blind(moment):
            return
        elif back is not None and self._broken is not None:
            seconds = back.at - self.opened.at
            self._pass(moment, f"back after {seconds:.1f} s", back)
            self.because = (
                Because(self._broken.seq, "it broke"),
                Because(back.seq, f"back after {seconds:.1f} s"),
            )
        elif self.check.spec.must_break:
            self._decide("fail", moment, "it was never interrupted")
        else:
            self._pass(moment, "not interrupted", self.opened)

    def _on_close(self, moment: Moment) -> None:
        self._give_verdict(moment)


class Stays(Trial):
    """An unbroken stretch of P."""

    def __init__(self, check: CompiledCheck, opened: Moment, origin: Occurrence | None = None) -> None:
        self._since: Moment | None = None
        self._lasting = check.spec.lasting or 0.0
        super().__init__(check, opened, origin)

    def _on_value(self, value: bool, moment: Moment, why: str) -> None:
        self._since = (self._since or moment) if value else None

    def _on_undecided(self, moment: Moment) -> None:
        self._since = None

    def _own_deadline(self) -> float:
        return NEVER if self._since is None else self._since.at + self._lasting

    def on_time(self, seq: int) -> None:
        if self.outcome is None and self.deadline == self._own_deadline():
            moment = Moment(seq, self.deadline, self.deadline)
            self._by_time = True
            self._stayed(moment)
            self._rearm()
        else:
            super().on_time(seq)

    def _stayed(self, moment: Moment) -> None:
        since = self._since or moment
        self._pass(moment, f"{self._lasting:g} s without a break")
        self.because = (Because(since.seq, "from here on"),)

    def _on_lost(self) -> None:
        self._since = None

    def _on_close(self, moment: Moment) -> None:
        if self._since is not None and moment.at >= self._since.at + self._lasting:
            self._stayed(moment)
        elif not (self.lost and self._blind(moment)):
            self._decide("fail", moment, f"no unbroken stretch of {self._lasting:g} s")


TRIALS: dict[str, type[Trial]] = {
    "now": Now,
    "eventually": Eventually,
    "always": Always,
    "never": Never,
    "before": Before,
    "count": Count,
    "recovered": Recovered,
    "stays": Stays,
}

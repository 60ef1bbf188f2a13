"""Predicates about states, evaluated only when something they read has changed."""

from __future__ import annotations

from sandbox.record.cel import Predicate, Undecided, View
from sandbox.record.checks.compiling import Expression
from sandbox.record.checks.measuring import Measure, Reading


class Tracker:
    """The value of one predicate in the present state."""

    def __init__(self, expression: Expression) -> None:
        self.predicate: Predicate = expression.predicate
        self._measure: Measure | None = expression.measure
        self._value: bool | Undecided = Undecided("not evaluated yet")
        self._reading: Reading | None = None
        self._stale = True
        self._by_clock = "clock" in self.predicate.kinds

    def touch(self, changed: frozenset[str]) -> bool:
        """Something changed; tell whether the value may have changed with it."""
        if self._by_clock or not self.predicate.kinds.isdisjoint(changed):
            self._stale = True
        return self._stale

    def forget(self) -> None:
        self._stale = True

    def read(self, view: View) -> tuple[bool | Undecided, Reading | None]:
        if self._stale:
            self._value = self.predicate.evaluate(view)
            self._reading = self._measure.read(view) if self._measure is not None else None
            self._stale = False
        return self._value, self._reading

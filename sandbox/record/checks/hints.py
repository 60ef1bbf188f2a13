"""Which hint fits what is wrong now, and when to offer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.record.cel import View
from sandbox.record.checks.compiling import CompiledHint
from sandbox.record.checks.trials import NEVER
from sandbox.record.checks.verdict import Finding

HELD = 2.0  # seconds a condition holds before its hint is valid
PATIENCE = 90.0  # seconds without progress after which a hint is offered unasked


@dataclass(eq=False, slots=True)
class _Run:
    hint: CompiledHint
    since: float | None = None


class HintBook:
    """All hints of an exercise. First match wins; a condition must hold for a while."""

    def __init__(self, hints: tuple[CompiledHint, ...]) -> None:
        self._runs = [_Run(hint) for hint in hints]
        self._kinds = frozenset(kind for hint in hints if hint.when for kind in hint.when.kinds)
        self._progress = NEVER
        self._offered: str | None = None
        self._valid: str | None = None
        self.seen: list[str] = []  # ids that were ever valid in this attempt, in order

    def begin(self, at: float) -> None:
        for run in self._runs:
            run.since = None
        self._progress, self._offered, self._valid, self.seen = at, None, None, []

    def progressed(self, at: float) -> None:
        self._progress = at

    def reads(self, changed: frozenset[str]) -> bool:
        return not self._kinds.isdisjoint(changed)

    def look(self, view: View, at: float, changed: frozenset[str] | None) -> None:
        """Evaluate the conditions that read what changed; None = all."""
        for run in self._runs:
            when = run.hint.when
            if when is not None and changed is not None and when.kinds.isdisjoint(changed):
                continue
            holds = when is None or when.evaluate(view) is True
            if not holds:
                run.since = None
            elif run.since is None:
                run.since = at

    def judge(self, at: float) -> list[Finding]:
        """What there is to tell at this moment."""
        valid = self._current(at)
        self._valid = valid.spec.id if valid else None
        if self._valid is not None and self._valid not in self.seen:
            self.seen.append(self._valid)
        if valid is None:
            return self._gone()
        if self._offered == self._valid:
            return []
        if self._offered is None and at - self._progress < PATIENCE:
            return []
        self._offered = self._valid
        change = {"id": valid.spec.id, "phase": "offered", "n": 0, "most": len(valid.strengths)}
        return [Finding(kind="hint", uid=valid.spec.id, change=change)]

    def opened(self, id_: str) -> None:
        """The student asked for it: it is shown until it no longer fits."""
        self._offered = id_

    def text(self, n: int, view: View) -> str | None:
        """The n-th strength of the valid hint, from 1; None when there is none."""
        run = next((each for each in self._runs if each.hint.spec.id == self._valid), None)
        if run is None or not 1 <= n <= len(run.hint.strengths):
            return None
        return run.hint.strengths[n - 1].render(view)

    @property
    def current(self) -> tuple[str, int] | None:
        """Id of the valid hint and how many strengths it has."""
        for run in self._runs:
            if run.hint.spec.id == self._valid:
                return run.hint.spec.id, len(run.hint.strengths)
        return None

    def _current(self, at: float) -> CompiledHint | None:
        for run in self._runs:
            if run.since is not None and at - run.since >= HELD:
                return run.hint
        return None

    def _gone(self) -> list[Finding]:
        if self._offered is None:
            return []
        gone, self._offered = self._offered, None
        change: dict[str, Any] = {"id": gone, "phase": "gone", "n": 0, "most": 0}
        return [Finding(kind="hint", uid=gone, change=change)]

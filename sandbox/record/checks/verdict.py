"""What the engine says: verdicts, and findings to be written into the record."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

State: TypeAlias = Literal["pass", "fail", "could-not-grade", "holding", "waiting", "your-turn"]
Outcome: TypeAlias = Literal["pass", "fail", "could-not-grade"]

FINAL: frozenset[str] = frozenset({"pass", "fail", "could-not-grade"})


class Moment(NamedTuple):
    """A place in the record. `earliest` < `at` for news that came late: it happened between the two.

    `unseen`: it was read again after a lost gap, and what followed it at first nobody saw.
    """

    seq: int
    at: float
    earliest: float
    unseen: bool = False


class Because(msgspec.Struct, frozen=True):
    """An entry that decided a verdict, and why in words."""

    seq: int
    why: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One check now. `window` = first and last seq of the window that counts (None while open).

    `points` of `of`; could-not-grade leaves both sides of the score.
    """

    check: str
    say: str
    state: State
    outcome: Outcome | None = None  # the state once it is final
    points: int
    of: int
    line: str = ""
    window: tuple[int, int | None] | None = None
    decided_by: tuple[Because, ...] = ()
    facts: dict[str, Any] = {}
    at: float = 0.0

    @property
    def final(self) -> bool:
        return self.state in FINAL

    def as_change(self) -> dict[str, Any]:
        """The content of a `verdict` entry."""
        change: dict[str, Any] = msgspec.to_builtins(self)
        return change


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """To be appended as an entry of this kind by the observer; "ready" is no entry but a sign to it."""

    kind: Literal["verdict", "prediction", "answer", "hint", "fault", "ready"]
    uid: str
    change: dict[str, Any]

"""A mark is a replay: the verdicts of one attempt, worked out from its record alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from sandbox.record.checks.engine import Engine
from sandbox.record.checks.state import SandboxFacts
from sandbox.record.checks.verdict import Verdict
from sandbox.record.entry import Entry
from sandbox.record.exercise import Exercise

_OURS = frozenset({"verdict", "hint", "mark"})


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """`points` of `of` gradable ones. `provisional`: something could not be graded and may be yet."""

    points: int
    of: int
    provisional: bool
    verdicts: tuple[Verdict, ...]
    hints: tuple[str, ...] = ()  # ids of hints that were valid at some time
    undecided: dict[str, str] = {}  # check id -> why it could not be evaluated at some moment


def work_out(
    exercise: Exercise,
    params: Mapping[str, Any],
    entries: Iterable[Entry],
    images: Mapping[str, str] | None = None,
    *,
    sandbox: SandboxFacts | None = None,
) -> Result:
    """Verdicts of the last attempt in `entries`, which reach from the sandbox's first entry to its hand-over.

    What the record says of earlier verdicts is not believed but worked out again. A hole in `seq` is a
    part of the record that is missing: what was not decided before it cannot be graded, and is no fail.
    Raises ExerciseInvalid.
    """
    engine = Engine(exercise, params=params, sandbox=sandbox, images=images)
    last: Entry | None = None
    for entry in _with_gaps(entries):
        last = entry
        engine.feed(entry)
    if last is not None and last.kind != "handover":
        engine.feed(_after(last, "handover", {}))
    points, _, gradable = engine.summary()
    verdicts = tuple(engine.verdicts)
    return Result(
        points=points,
        of=gradable,
        provisional=any(each.state == "could-not-grade" for each in verdicts),
        verdicts=verdicts,
        hints=tuple(engine.hints_seen),
        undecided=engine.undecided,
    )


def _with_gaps(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries, with every hole named; what comes twice or too late is left out."""
    before: Entry | None = None
    for entry in entries:
        if before is not None and entry.seq <= before.seq:
            continue
        if before is not None and entry.seq > before.seq + 1:
            change = {"from": before.at, "until": entry.at, "how": "hole"}
            yield _after(before, "gap", change, at=entry.at)
        before = entry
        if entry.kind not in _OURS:
            yield entry


def _after(entry: Entry, kind: str, change: dict[str, Any], at: float | None = None) -> Entry:
    return msgspec.structs.replace(
        entry,
        seq=entry.seq + 1,
        at=entry.at if at is None else at,
        kind=kind,
        uid="",
        change=change,
        source="marking",
    )

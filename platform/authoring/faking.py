"""P09: a record that lost something must cost nobody anything, and give nobody anything. Pure.

Each fake is the record of a real run with one thing wrong; what is worked out from it may be the same verdict or
could-not-grade, never a pass that was not earned and never a zero for what we did not see.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from sandbox.record.entry import Entry
from sandbox.record.exercise import Exercise
from sandbox.record.marking import work_out

DROPPED, LOST = "dropped entry", "lost gap"
FAKES_A_RUN = 6  # of each kind
LOST_SECONDS = 5.0
_ENDS = frozenset({"submit", "handover"})
_SEEN = frozenset({"object", "probe", "load", "action", "measure"})  # what comes from outside


@dataclass(frozen=True, slots=True)
class Faked:
    """One faked record. `lies`: check -> (what the whole record says, what the faked one says)."""

    run: str
    how: str
    seq: int
    lies: Mapping[str, tuple[str, str]]

    def __str__(self) -> str:
        said = ", ".join(f"{check} {true} became {false}" for check, (true, false) in self.lies.items())
        return f"{self.run}, {self.how} at entry {self.seq}: {said}"


def fakes_of(entries: Sequence[Entry], seed: str) -> Iterator[tuple[str, int, list[Entry]]]:
    """(how, seq, the faked record); the same seed gives the same ones."""
    chance = random.Random(seed)  # noqa: S311  (places to look at, not a secret)
    begun = next((index for index, entry in enumerate(entries) if entry.kind == "start"), None)
    ended = next((index for index, entry in enumerate(entries) if entry.kind == "submit"), len(entries))
    if begun is None or ended - begun < 4:
        return
    places = range(begun + 1, ended - 1)
    seen = [index for index in places if entries[index].kind in ("object", "probe", "load", "action")]
    for index in sorted(chance.sample(seen, min(FAKES_A_RUN, len(seen)))):
        yield DROPPED, entries[index].seq, [*entries[:index], *entries[index + 1 :]]
    for index in sorted(chance.sample(places, min(FAKES_A_RUN, len(places)))):
        yield LOST, entries[index].seq, _without_stretch(entries, index)


def _without_stretch(entries: Sequence[Entry], index: int) -> list[Entry]:
    """Some seconds go unseen, as when a watch is refused its resumption: then the gap, and objects listed again.

    It is over before the hand-in: what is handed over ends with what was seen.
    """
    since, latest = entries[index].at, entries[index].at + LOST_SECONDS
    later = range(index, len(entries))
    end = next((n for n in later if entries[n].at > latest or entries[n].kind in _ENDS), len(entries))
    within, until = entries[index:end], entries[end - 1].at
    known = {entry.uid for entry in entries[:index] if entry.kind == "object"}
    ours = [entry for entry in within if entry.kind not in _SEEN]
    last = {entry.uid: entry for entry in within if entry.kind == "object"}
    gap = msgspec.structs.replace(
        entries[index],
        kind="gap",
        uid="",
        source="watch",
        at=until,
        change={"from": since, "until": until, "how": "lost"},
    )
    listed = [
        msgspec.structs.replace(entry, at=until, change={**entry.change, "synthetic": True})
        for entry in last.values()
        if entry.uid in known or entry.change["op"] != "DELETED"
    ]
    faked = [*entries[:index], *ours, gap, *listed, *entries[end:]]
    return [msgspec.structs.replace(entry, seq=entries[0].seq + number) for number, entry in enumerate(faked)]


def fake(
    exercise: Exercise,
    params: Mapping[str, Any],
    entries: Sequence[Entry],
    images: Mapping[str, str],
    run: str,
) -> list[Faked]:
    """Every fake of one run, judged."""
    true = _outcomes(exercise, params, entries, images)
    found: list[Faked] = []
    for how, seq, faked in fakes_of(entries, run):
        now = _outcomes(exercise, params, faked, images)
        lies = {check: (true[check], now[check]) for check in true if is_lie(true[check], now[check])}
        found.append(Faked(run, how, seq, lies))
    return found


def is_lie(true: str, faked: str) -> bool:
    return faked not in (true, "could-not-grade")


def _outcomes(
    exercise: Exercise, params: Mapping[str, Any], entries: Sequence[Entry], images: Mapping[str, str]
) -> dict[str, str]:
    result = work_out(exercise, params, entries, images)
    return {verdict.check: str(verdict.outcome) for verdict in result.verdicts}

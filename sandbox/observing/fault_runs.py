"""Faults under way, as the record tells them: whoever continues a record knows what is to be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.faults.injecting import undo_of
from sandbox.record.entry import Entry

FREE = "free-"  # ids of faults from the picture's menu that belong to no fault of the lesson
_OVER = frozenset({"ended", "reverted", "failed"})


@dataclass(frozen=True, slots=True)
class Run:
    """One fault that has begun and is not over.

    `until`: unix seconds of its end, None for what happens at once. `n` of `times`: how often it was done; the
    next is due at `next_at`. `since`: when it was last done. `is_void`: it counts for nothing (any more).
    """

    id: str
    kind: str
    by: str
    since: float
    until: float | None
    undo: Mapping[str, Any]
    uids: tuple[str, ...]
    change: Mapping[str, Any]
    n: int = 1
    times: int = 1
    next_at: float | None = None
    is_void: bool = False


class FaultRuns:
    """Fed every entry of a record, in order."""

    def __init__(self) -> None:
        self.open: dict[str, Run] = {}
        self.free = 0  # the last number given to a fault of the menu

    def feed(self, entry: Entry) -> None:
        if entry.kind in ("reset", "start"):
            self.open = {id_: replace(run, is_void=True) for id_, run in self.open.items()}
        if entry.kind != "fault":
            return
        phase = entry.change.get("phase")
        if phase in ("started", "repeated"):
            self._begun(entry)
        elif phase in _OVER:
            known = self.open.pop(entry.uid, None)
            if known is not None and phase == "failed" and entry.change.get("left"):
                self.open[entry.uid] = replace(
                    known, is_void=True
                )  # it counts for nothing, and is taken back

    def _begun(self, entry: Entry) -> None:
        change = entry.change
        number = entry.uid.removeprefix(FREE)
        if entry.uid.startswith(FREE) and number.isdigit():
            self.free = max(self.free, int(number))
        n, times, every = (
            int(change.get("n", 1)),
            int(change.get("times", 1)),
            float(change.get("every", 0.0)),
        )
        self.open[entry.uid] = Run(
            id=entry.uid,
            kind=str(change.get("kind") or "kill-pod"),
            by=str(change.get("by", "student")),
            since=entry.at,
            until=change.get("until"),
            undo=undo_of(change),
            uids=tuple(each["uid"] for each in targets_of(change)),
            change=change,
            n=n,
            times=times,
            next_at=entry.at + every if n < times else None,
        )


def targets_of(change: Mapping[str, Any]) -> list[dict[str, str]]:
    """What a fault's entry says is hit: all of `targets`, or `target` alone."""
    found = change.get("targets") or [change.get("target")]
    return [each for each in found if isinstance(each, dict) and each.get("uid")]

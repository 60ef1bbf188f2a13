"""What has to happen to which sandbox now. Pure: rows and a clock in, steps out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from classroom.workspaces.models import RUNNING, Phase, Sandbox

Verb = Literal["queue", "prepare", "keep", "remove"]


@dataclass(frozen=True, slots=True)
class Step:
    """`place` is the position in the queue, from 1; 0 for everything but `queue`."""

    sandbox: str
    verb: Verb
    place: int = 0


def decide(rows: Iterable[Sandbox], now: datetime, limit: int) -> list[Step]:
    """One step per row that is not removed. First come, first served; nobody loses a running sandbox for it."""
    ordered = sorted(rows, key=lambda row: (row.created, str(row.pk)))
    running = sum(row.phase in RUNNING for row in ordered)
    steps: list[Step] = []
    place = 0
    for row in ordered:
        if is_over(row, now):
            steps.append(Step(str(row.pk), "remove"))
        elif row.phase == Phase.REQUESTED:
            if running < limit and not place:
                running += 1
                steps.append(Step(str(row.pk), "prepare"))
            else:
                place += 1
                steps.append(Step(str(row.pk), "queue", place))
        elif row.phase == Phase.PREPARING:
            steps.append(Step(str(row.pk), "prepare"))
        else:
            steps.append(Step(str(row.pk), "keep"))
    return steps


def is_over(row: Sandbox, now: datetime) -> bool:
    """Asked to end, out of time, or an end that was begun and not finished."""
    return row.ends or row.phase == Phase.EXPIRING or (row.expires is not None and row.expires <= now)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Where database and cluster disagree: rows to remove again, rows that lost their namespace, strangers."""

    remains: list[Sandbox]
    lost: list[Sandbox]
    strangers: list[str]


def compare(rows: Iterable[Sandbox], namespaces: Mapping[str, str]) -> Sweep:
    """`namespaces`: name -> uid of those in the cluster that carry our label.

    Only what has a recorded uid is ever removed; a namespace nobody recorded is for the operator's eye. A row
    that is still being prepared is nobody's business yet.
    """
    found = Sweep([], [], [])
    known = set()
    for row in rows:
        known.add(row.namespace)
        there = namespaces.get(row.namespace)
        if row.phase == Phase.REMOVED:
            if there is not None and there == row.namespace_uid:
                found.remains.append(row)
        elif row.phase in (Phase.READY, Phase.OPEN) and there != row.namespace_uid:
            found.lost.append(row)
    found.strangers.extend(sorted(set(namespaces) - known))
    return found


def retry_pause(tries: int) -> float:
    """Seconds before a failed preparation is tried again: 1, 2, 4 ... 60."""
    return float(min(2 ** max(tries - 1, 0), 60))


def sandboxes_that_fit(allocatable: int, taken: int, each: int) -> int:
    """How many sandboxes of `each` bytes fit beside what others request. At least one: a tiny machine may try.

    `allocatable` and `taken` are sums over the nodes, in bytes; a tenth stays free, because Pods do not pack
    perfectly onto nodes.
    """
    return max(1, int(allocatable * 0.9 - taken) // max(each, 1))

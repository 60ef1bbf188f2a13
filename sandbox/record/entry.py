"""The record's only unit, and what a store of it must promise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

Kind: TypeAlias = Literal[
    "object",  # {op: ADDED|MODIFIED|DELETED, kind, resourceVersion, object, synthetic?}; uid = the object's
    "probe",  # {id, ok, status, ms, body, json, podUid, error} or {id, summary: true, sent, failed, pods}
    # {id, phase: started|ended, rate, until, by, why?, stopped?}, per second {id, sent, failed, p95, distinctPods,
    # lost, pods, untold?}, or one failure {id, ok: false, status, ms, error, podUid}
    "load",
    "measure",  # uid = "memory": {pods: {podUid: resident bytes}}
    "fault",  # {id, phase: armed|started|ended|reverted|failed, target: {kind, name, uid}, by, text?}
    "verdict",  # a Verdict as a map
    "hint",  # {id, phase: offered|opened|gone, say?, n, most}
    "action",  # {verb, resource, name, code, through: terminal|editor|picture|page, subresource}
    "prediction",  # {id, value, why} committed; {id, observed, right, pairs?} once settled
    "answer",  # the same of a question
    "start",  # {attempt, params, until, feedback?}: a new attempt (or its reset) begins here
    "submit",  # {attempt, by: student|checks|time}
    "handover",  # {attempt, first, by}: windows are closed, tests done; `first` = seq of its start
    "mark",  # {attempt, points, of, provisional}
    "reset",  # {attempt}
    "phase",  # {phase, phases: [{name, ms}], expires, place, text}: the sandbox's life cycle
    "gap",  # {from, until, how: late|lost}
    "trouble",  # {text, from, until, kinds?}: ours, not the student's
    "beat",  # reserved; never stored
]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a sandbox's record.

    `seq` has no holes within a sandbox, over all epochs. `at` is the observer's time at append, Unix
    seconds, never smaller than the entry before it. `uid` names what changed: an object's uid, or the id
    of a check, probe, fault, prediction.
    """

    epoch: int
    seq: int
    at: float
    source: str
    kind: Kind
    uid: str
    change: dict[str, Any]


class RecordStore(Protocol):
    """Append-only storage. Implementations live outside `sandbox.record`."""

    def append(self, sandbox: str, entries: Iterable[Entry]) -> None:
        """Commit all of them in one transaction, or none. Raises RecordUnavailable."""

    def read(self, sandbox: str, *, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        """Entries with after < seq <= until, in order of seq."""

    def last_seq(self, sandbox: str) -> int:
        """0 for an unknown sandbox."""

    def next_epoch(self) -> int:
        """A number larger than every one given out before, also by other processes."""


class RecordUnavailable(Exception):
    """The store refused; nothing of the batch was kept. Retry, and tell nobody it happened."""

"""A record sorted by what its entries are about: one walk over it, then every question is a look-up."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import NamedTuple

from sandbox.record.causes import facts
from sandbox.record.entry import Entry
from sandbox.record.feedback import LIVE, Feedback, feedback_of
from sandbox.record.markers import kind_of as kind_named
from sandbox.record.projecting import service
from sandbox.record.projecting.reading import name

EARLY, LATE = 5.0, 2.0  # seconds by which a request may precede what it made, or reach the record after it
_MAKING, _CHANGING = frozenset({"create"}), frozenset({"update", "patch", "apply", "scale"})
_REMOVING = frozenset({"delete", "deletecollection"})


class Reason(NamedTuple):
    """Why a controller made a Pod: the entry that opened the place it took.

    `others` counts places that stood open beside it: with any, which Pod took which is not written down.
    """

    entry: Entry
    others: int


class Valve(NamedTuple):
    """One Pod's state in one entry of an EndpointSlice, None = not listed."""

    pod: str
    before: str | None
    after: str | None


class Index:
    """Entries by what they are about. Entries that are no newer than the one before them are passed over."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.by_seq: dict[int, Entry] = {}
        self.states: dict[str, list[Entry]] = defaultdict(list)  # uid -> its `object` entries
        self.before: dict[int, Entry] = {}  # seq -> the entry before it about the same object
        self.events: dict[str, list[Entry]] = defaultdict(list)  # uid spoken of -> Events
        self.faults: dict[str, list[Entry]] = defaultdict(list)  # uid of the target -> started faults
        self.requests: dict[int, Entry] = {}  # seq of an `object` entry -> the action that asked for it
        self.reasons: dict[str, Reason] = {}  # uid of a Pod
        self.valves: dict[int, list[Valve]] = {}  # seq of an EndpointSlice's entry -> what changed in it
        self._listed: dict[str, dict[str, str]] = {}
        self._rosters: dict[str, _Roster] = defaultdict(_Roster)
        self._asked = _Asked()
        self.untold: dict[str, list[Entry]] = defaultdict(
            list
        )  # id -> entries of a fault that is not told yet
        self._feedback = LIVE
        self.held_since = math.inf  # seq after which verdicts are not told yet
        last = 0
        for entry in entries:
            if entry.seq <= last:
                continue
            last = entry.seq
            self.by_seq[entry.seq] = entry
            self._take(entry)
        self.requests.update(self._asked.matched())

    def latest(self, uid: str, until: Entry) -> Entry | None:
        """The newest entry about an object that is not after `until`."""
        found = None
        for entry in self.states.get(uid, ()):
            if facts.not_after(entry, until):
                found = entry
        return found

    def _take(self, entry: Entry) -> None:
        if entry.kind == "action":
            self._asked.request(entry)
        elif entry.kind == "fault":
            self._fault(entry)
        elif entry.kind == "object":
            self._object(entry)
        elif entry.kind == "start":
            self._hold(entry, feedback_of(entry))
        elif entry.kind == "submit":
            self._hold(entry, self._feedback.after_submit())

    def _hold(self, entry: Entry, feedback: Feedback) -> None:
        self._feedback = feedback
        self.held_since = min(self.held_since, entry.seq) if feedback.holds else math.inf

    def _fault(self, entry: Entry) -> None:
        """What the clock broke is to be found out: it is told once it is over, as in the picture."""
        over = entry.change.get("phase") in facts.OVER
        if entry.change.get("by") == "timeline" and not over:
            self.untold[entry.uid].append(entry)
            return
        for known in (*self.untold.pop(entry.uid, ()), entry):
            if known.change.get("phase") in facts.BEGUN:
                for target in facts.targets(known):
                    self.faults[str(target.get("uid", ""))].append(known)

    def is_told(self, entry: Entry) -> bool:
        """False for a fault that is still to be found out, and for a verdict that is told later."""
        if entry.kind == "verdict" and entry.seq > self.held_since:
            return False
        return entry.kind != "fault" or all(entry.seq != each.seq for each in self.untold.get(entry.uid, ()))

    def _object(self, entry: Entry) -> None:
        object_, kind = facts.object_of(entry), facts.kind_of(entry)
        if kind == "Event":
            if not facts.is_deleted(entry):
                self.events[facts.about(object_)].append(entry)
            return
        known = self.states[entry.uid]
        before = known[-1] if known else None
        if before is not None:
            self.before[entry.seq] = before
        known.append(entry)
        self._asked.change(entry, before)
        if kind == "Pod":
            self._pod(entry, before)
        elif kind == "EndpointSlice":
            self._slice(entry)
        elif kind in facts.WITH_COPIES:
            wanted = 0 if facts.is_deleted(entry) else facts.copies(object_)
            self._rosters[entry.uid].wants(entry, 1 if wanted is None else wanted)

    def _pod(self, entry: Entry, before: Entry | None) -> None:
        pod = facts.object_of(entry)
        owner = facts.owner_uid(pod)
        if not owner:
            return
        roster = self._rosters[owner]
        lost = facts.is_deleted(entry) or facts.is_leaving(pod) or facts.is_over(pod)
        if before is None and not lost and (reason := roster.has(entry)) is not None:
            self.reasons[entry.uid] = reason
        if lost:
            roster.lost(entry)

    def _slice(self, entry: Entry) -> None:
        now = {} if facts.is_deleted(entry) else service.states([facts.object_of(entry)])
        before = self._listed.get(entry.uid, {})
        self._listed[entry.uid] = now
        changed = [pod for pod in {**before, **now} if before.get(pod) != now.get(pod)]
        if changed:
            self.valves[entry.seq] = [Valve(pod, before.get(pod), now.get(pod)) for pod in changed]


class _Roster:
    """Whom one controller keeps: how many it wants, whom it has, and what opened each free place."""

    def __init__(self) -> None:
        self._wanted = 0
        self._there: set[str] = set()
        self._free: deque[tuple[Entry, int]] = deque()  # what opened them, how many; oldest first
        self._count = 0

    def wants(self, entry: Entry, copies: int) -> None:
        self._wanted = copies
        self._balance(entry)

    def has(self, entry: Entry) -> Reason | None:
        """A Pod was made: it takes the place that is free longest."""
        reason = None
        if self._free:
            others = len({opened.seq for opened, _ in self._free}) - 1
            opened, count = self._free.popleft()
            if count > 1:
                self._free.appendleft((opened, count - 1))
            self._count -= 1
            reason = Reason(opened, others)
        self._there.add(entry.uid)
        return reason

    def lost(self, entry: Entry) -> None:
        if entry.uid in self._there:
            self._there.discard(entry.uid)
            self._balance(entry)

    def _balance(self, entry: Entry) -> None:
        free = max(0, self._wanted - len(self._there))
        if free > self._count:
            self._free.append((entry, free - self._count))
        while self._count > free and self._free:
            opened, count = self._free.pop()
            kept = max(0, count - (self._count - free))
            self._count -= count - kept
            if kept:
                self._free.append((opened, kept))
        self._count = free


class _Asked:
    """Requests of the audit log beside the changes that they made, both in the order they came in."""

    def __init__(self) -> None:
        self._requests: list[Entry] = []
        self._changes: dict[tuple[str, str, str], deque[Entry]] = defaultdict(deque)
        self._leaving: set[str] = set()

    def request(self, entry: Entry) -> None:
        code = entry.change.get("code")
        refused = isinstance(code, int) and code >= 400
        if not refused and entry.change.get("subresource") in (None, "", "scale"):
            self._requests.append(entry)

    def change(self, entry: Entry, before: Entry | None) -> None:
        object_, kind = facts.object_of(entry), facts.kind_of(entry)
        if entry.change.get("synthetic"):
            return  # found by reading the list again: nobody asked for it just now
        if facts.is_deleted(entry) or facts.is_leaving(object_):
            if entry.uid not in self._leaving:
                self._leaving.add(entry.uid)
                self._changes["remove", kind, name(object_)].append(entry)
                self._changes["remove", kind, ""].append(entry)
        elif before is None:
            self._changes["make", kind, name(object_)].append(entry)
        elif facts.wish(facts.object_of(before)) != facts.wish(object_):
            self._changes["change", kind, name(object_)].append(entry)

    def matched(self) -> dict[int, Entry]:
        """seq of a change -> the request that asked for it."""
        found: dict[int, Entry] = {}
        for request in self._requests:
            kind = kind_named(str(request.change.get("resource", "")))
            # A collection cut down to one by a field selector names that one.
            wanted = str(request.change.get("name") or "")
            for change in self._of(request, kind, wanted):
                found.setdefault(change.seq, request)
        return found

    def _of(self, request: Entry, kind: str, wanted: str) -> list[Entry]:
        verb = request.change.get("verb")
        everything = verb == "deletecollection"
        for word, verbs in (("remove", _REMOVING), ("make", _MAKING), ("change", _CHANGING)):
            waiting = self._changes.get((word, kind, wanted))
            if verb not in verbs or not waiting:
                continue
            taken: list[Entry] = []
            while waiting and waiting[0].at < request.at - LATE:
                waiting.popleft()
            while waiting and waiting[0].at <= request.at + EARLY and (everything or not taken):
                taken.append(waiting.popleft())
            if taken:
                return taken
        return []

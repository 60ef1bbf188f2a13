"""When a fault's window opens and ends: by the platform's entry, or by the student's own kubectl."""

from __future__ import annotations

from typing import Any

from sandbox.record.checks.anchors import Occurrence
from sandbox.record.checks.state import Change
from sandbox.record.checks.trials import NEVER
from sandbox.record.checks.verdict import Finding, Moment
from sandbox.record.entry import Entry
from sandbox.record.exercise import Fault
from sandbox.record.projecting.reading import name, part
from sandbox.record.selectors import SelectorInvalid, read_selector

CONFIRMED_WITHIN = 2.0  # seconds between a deletion and the audit entry that says whose it was


class FaultRun:
    """One fault in this attempt. `deadline` = when an unconfirmed deletion is no fault after all."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.current: Occurrence | None = None
        self.deadline = NEVER
        self.missing: tuple[str, ...] | None = None
        self._candidates: list[Occurrence] = []  # oldest first
        self._left = 0  # times that it is still to be done, in the same window

    @property
    def happened(self) -> bool:
        return self.current is not None

    @property
    def in_doubt(self) -> bool:
        """A Pod has begun to go, and whose doing that is has not come yet."""
        return bool(self._candidates)

    @property
    def running(self) -> bool:
        return self.current is not None and self.current.end is None

    @property
    def by_kubectl(self) -> bool:
        """A Pod deleted by the student's own command opens its window too."""
        return self.fault.kind == "kill-pod" and self.fault.by == "student"

    def started(self, entry: Entry, moment: Moment) -> Occurrence | None:
        """The platform says it began. None when it is the one already under way."""
        targets = _targets(entry.change)
        if self._is_under_way(targets):
            return None
        self._left = int(entry.change.get("times", 1)) - 1
        first = next(iter(targets), "")
        self.current = Occurrence(
            self.fault.id, moment, targets=targets, first_target=first, pod=targets.get(first, "")
        )
        return self.current

    def _is_under_way(self, targets: dict[str, str]) -> bool:
        """A Pod is deleted once; anything else may be done to it again once it is over."""
        if self.current is None or not targets or self.current.first_target not in targets:
            return False
        return self.fault.kind == "kill-pod" or self.current.end is None

    def repeated(self, entry: Entry) -> None:
        """The platform did it once more, in the same window."""
        if self.current is not None and self.current.end is None:
            self.current.targets |= _targets(entry.change)
            self._left = int(entry.change.get("times", 1)) - int(entry.change.get("n", 1))

    def ended(self, moment: Moment) -> Occurrence | None:
        """The platform says it is over."""
        if self.current is None or self.current.end is not None:
            return None
        self.current.end = moment
        return self.current

    def failed(self) -> Occurrence | None:
        """It could not be injected: what was under way counts for nothing."""
        dropped, self.current = self.current, None
        return dropped

    def on_pod(self, entry: Entry, change: Change, moment: Moment) -> Occurrence | None:
        """A Pod began to go: perhaps the student's own doing. Gives a tentative occurrence."""
        if not self.by_kubectl or self.running:
            return None
        if not _begins_to_go(change) or not _matches(self.fault.target, change.object):
            return None
        if self.current is not None and self.current.first_target == entry.uid:
            return None
        pod = name(change.object)
        found = Occurrence(
            self.fault.id, moment, tentative=True, targets={entry.uid: pod}, first_target=entry.uid, pod=pod
        )
        self._candidates.append(found)
        self._rearm()
        return found

    def confirm(self, deed: str, at: float) -> Occurrence | None:
        """The student's own request to delete this Pod ("" = many at once) was seen."""
        for found in self._candidates:
            first, last = found.start.earliest - CONFIRMED_WITHIN, found.start.at + CONFIRMED_WITHIN
            if deed in ("", found.pod) and first <= at <= last:
                return self._make_firm(found)
        return None

    def confirm_by(self, entry: Entry) -> Occurrence | None:
        """The platform says that it began, of a deletion already seen."""
        targets = _targets(entry.change)
        for found in self._candidates:
            if found.first_target in targets:
                return self._make_firm(found)
        return None

    def _make_firm(self, found: Occurrence) -> Occurrence:
        found.tentative = False
        self.current = found
        self._candidates.remove(found)
        self._rearm()
        return found

    def give_up(self) -> Occurrence | None:
        """Nobody confirmed the oldest one: a controller's doing, or ours."""
        found = self._candidates.pop(0) if self._candidates else None
        self._rearm()
        return found

    def _rearm(self) -> None:
        first = self._candidates[0].start.at if self._candidates else NEVER
        self.deadline = first + CONFIRMED_WITHIN

    def on_deleted(self, uid: str, moment: Moment) -> Occurrence | None:
        """A Pod is gone; the fault has ended when it was the last of its targets."""
        known = [self.current, *self._candidates] if self.fault.kind == "kill-pod" else []
        for occurrence in known:
            if occurrence is None or occurrence.end is not None:
                continue
            gone = occurrence.targets.pop(uid, None) is not None and not occurrence.targets
            if gone and (occurrence is not self.current or self._left <= 0):
                occurrence.end = moment
                return occurrence
        return None

    def finding(self, phase: str, occurrence: Occurrence | None = None) -> Finding:
        """For the record: it began or ended by what was seen, or waits for other things first."""
        fault = self.fault
        change: dict[str, Any] = {"id": fault.id, "phase": phase, "by": fault.by, "settle": fault.settle}
        if occurrence is not None and occurrence.first_target:
            change["target"] = {"kind": "Pod", "name": occurrence.pod, "uid": occurrence.first_target}
        if phase == "armed":
            change["needs"] = list(self.missing or ())
        return Finding(kind="fault", uid=fault.id, change=change)


def _targets(change: dict[str, Any]) -> dict[str, str]:
    """uid -> name of what the entry says is hit."""
    found = change.get("targets") or [change.get("target")]
    return {
        str(each["uid"]): str(each.get("name", ""))
        for each in found
        if isinstance(each, dict) and each.get("uid")
    }


def _begins_to_go(change: Change) -> bool:
    going = part(change.object, "metadata").get("deletionTimestamp") is not None or change.op == "DELETED"
    before = change.old is not None and part(change.old, "metadata").get("deletionTimestamp") is not None
    return going and not before and change.old is not None


def _matches(target: str, pod: dict[str, Any]) -> bool:
    """Does a target such as `pod:app=storefront` or `pod/storefront` mean this Pod?"""
    if target.startswith("pod/"):
        return name(pod) == target[len("pod/") :]
    if not target.startswith("pod:"):
        return False
    try:
        selector = read_selector(target[len("pod:") :])
    except SelectorInvalid:
        return False
    return selector.matches(part(pod, "metadata", "labels"))

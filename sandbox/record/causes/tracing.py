"""Any entry's chain back to what a person, or the platform, began."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from sandbox.record.causes import facts
from sandbox.record.causes.asking import alone, fault_hop, request_for
from sandbox.record.causes.hop import Hop, in_order
from sandbox.record.causes.index import Index, Valve
from sandbox.record.causes.living import life_of
from sandbox.record.causes.losing import removed
from sandbox.record.causes.making import origin_of, wish_behind
from sandbox.record.causes.serving import closed, noted, opened
from sandbox.record.causes.shown import revised
from sandbox.record.entry import Entry
from sandbox.record.projecting.reading import name, number, part

_LATER = "What is written here is told when it is over."
_COUNTING = "Which Pod made it count again is not written down; the numbers are."


class Causes:
    """Chains of causes in one record. Building it walks the record once; a chain walks its objects' entries."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._index = Index(entries)

    def trace(self, seq: int) -> list[Hop]:
        """The hops that led to entry `seq`, oldest first, ending with what it shows.

        Empty for a seq that the record does not hold. What is later in the record may serve as evidence
        (an Event that came after its deed), never as a hop.
        """
        entry = self._index.by_seq.get(seq)
        if entry is None:
            return []
        if not self._index.is_told(entry):
            return in_order(_ours(self, msgspec.structs.replace(entry, change={"text": _LATER})))
        if entry.kind != "object":
            return in_order(_TOLD.get(entry.kind, _ours)(self, entry))
        follow = _FOLLOWED.get(facts.kind_of(entry), _thing)
        return in_order(follow(self._index, entry))

    def latest(self) -> int | None:
        """seq to ask for to see the newest Pod come to serve; None before any was ready.

        A Pod that somebody wished for is preferred to one that stands in for another. The entry is the one
        in which a Service first sends to it, or in which it became ready where none does.
        """
        index = self._index
        readied = {
            pod: entry
            for pod, entries in index.states.items()
            if facts.kind_of(entries[0]) == "Pod"
            and (entry := next((one for one in entries if facts.is_ready(facts.object_of(one))), None))
        }
        if not readied:
            return None
        newest = max(readied, key=lambda pod: (not self._stands_in(pod), readied[pod].seq))
        for seq, valves in index.valves.items():
            if any(valve.pod == newest and valve.after == "ready" for valve in valves):
                return seq
        return readied[newest].seq

    def _stands_in(self, pod: str) -> bool:
        reason = self._index.reasons.get(pod)
        return reason is not None and facts.kind_of(reason.entry) == "Pod"

    # entries that are not objects

    def _verdict(self, entry: Entry) -> list[Hop]:
        decided: list[dict[str, Any]] = entry.change.get("decided_by") or []
        seq = number(decided[-1].get("seq")) if decided else 0
        before = self.trace(seq) if 0 < seq < entry.seq else []
        text = f"The check “{entry.change.get('say') or entry.uid}” says {entry.change.get('state')}."
        return [*before, _told(entry, "checks", text, str(entry.change.get("line") or "no evidence yet"))]

    def _fault(self, entry: Entry) -> list[Hop]:
        phase = entry.change.get("phase")
        if phase in facts.BEGUN:
            return [fault_hop(entry)]
        uids = [str(target.get("uid", "")) for target in facts.targets(entry)]
        begun = [each for uid in uids for each in self._index.faults.get(uid, ())]
        own = [each for each in begun if each.uid == entry.uid and each.seq < entry.seq]
        last = _told(
            entry,
            "platform",
            f"The fault {entry.uid} is {phase}.",
            str(entry.change.get("text") or f"entry {entry.seq}"),
        )
        return [*(fault_hop(each) for each in own[-1:]), last]

    def _action(self, entry: Entry) -> list[Hop]:
        return alone(entry)

    def _probe(self, entry: Entry) -> list[Hop]:
        change = entry.change
        if change.get("summary"):
            said = f"{change.get('failed', 0)} of {change.get('sent', 0)} requests failed in that second"
        else:
            said = f"status {change.get('status')}" if change.get("ok") else str(change.get("error") or "no")
        text = f"The prober asked “{entry.uid}” and noted the answer."
        return [_told(entry, "prober", text, said)]

    def _student(self, entry: Entry) -> list[Hop]:
        if "observed" in entry.change and "value" not in entry.change:
            return self._platform(entry)
        if entry.kind == "submit" and entry.change.get("by") != "student":
            return self._platform(entry)
        return [_told(entry, "student", _DID[entry.kind], f"entry {entry.seq}")]

    def _platform(self, entry: Entry) -> list[Hop]:
        text = str(entry.change.get("text") or f"The platform wrote a {entry.kind}.")
        return [_told(entry, "platform", text, f"entry {entry.seq}")]


def trace(entries: Iterable[Entry], seq: int) -> list[Hop]:
    """One chain; who wants several of one record builds `Causes` once."""
    return Causes(entries).trace(seq)


# --- entries about objects ----------------------------------------------------------------------------
def _pod(index: Index, entry: Entry) -> list[Hop]:
    pod = facts.object_of(entry)
    if facts.is_deleted(entry) or facts.is_leaving(pod):
        return removed(index, entry, wish_behind)
    first = index.states[entry.uid][0]
    if entry.seq != first.seq and entry.seq in index.requests:
        return request_for(index, entry)
    return [*origin_of(index, first), *life_of(index, entry.uid, entry)]


def _slice(index: Index, entry: Entry) -> list[Hop]:
    """What a Service's list of addresses says of the one Pod that changed in it."""
    valve = _loudest(index.valves.get(entry.seq, []))
    if valve is None or not index.states.get(valve.pod):
        return _thing(index, entry)
    known = index.latest(valve.pod, entry) or index.states[valve.pod][0]
    last = opened if valve.after == "ready" else noted if valve.before is None else closed
    return [*_pod(index, known), last(index, entry, valve.pod)]


def _loudest(valves: list[Valve]) -> Valve | None:
    """Of several changes in one entry the one a customer feels: opened, then closed, then the rest."""
    felt = sorted(valves, key=lambda valve: (valve.after != "ready", valve.before != "ready"))
    return felt[0] if felt else None


def _event(index: Index, entry: Entry) -> list[Hop]:
    """What an Event tells, after the chain of the object it speaks of."""
    event = facts.object_of(entry)
    subject = [each for each in index.states.get(facts.about(event), ()) if each.seq < entry.seq]
    before = _FOLLOWED.get(facts.kind_of(subject[-1]), _thing)(index, subject[-1]) if subject else []
    involved = part(event, "involvedObject")
    return [
        *before,
        Hop(
            actor=facts.reporter(event) or "api-server",
            text=f"An Event says of {involved.get('kind')} {involved.get('name')}: {event.get('reason')}.",
            evidence=str(event.get("message") or "no message"),
            at=entry.at,
            seq=entry.seq,
            of=facts.key_of(str(involved.get("kind")), str(involved.get("uid"))),
            cites=(entry.seq,),
        ),
    ]


def _thing(index: Index, entry: Entry) -> list[Hop]:
    """Any other object: made, changed, counted or gone."""
    if facts.is_deleted(entry) or facts.is_leaving(facts.object_of(entry)):
        return removed(index, entry, wish_behind)
    before = index.before.get(entry.seq)
    if before is None or facts.wish(facts.object_of(before)) != facts.wish(facts.object_of(entry)):
        return wish_behind(index, entry)
    return [*wish_behind(index, _wish_of(index, entry)), _counted(entry)]


def _wish_of(index: Index, entry: Entry) -> Entry:
    """The entry that shows the wish which `entry` only reports on."""
    found = entry
    while (before := index.before.get(found.seq)) is not None:
        if facts.wish(facts.object_of(before)) != facts.wish(facts.object_of(found)):
            break
        found = before
    return found


def _counted(entry: Entry) -> Hop:
    object_, kind = facts.object_of(entry), facts.kind_of(entry)
    numbers = part(object_, "status")
    ready, wanted = number(numbers.get("readyReplicas")), facts.copies(object_)
    what = f": {ready} of {wanted} ready" if wanted is not None else ""
    by = ", ".join(sorted(facts.writers(object_, "status") | facts.writers(object_))) or "unknown"
    return Hop(
        actor=facts.keeper_of(kind) if kind in facts.WORKLOADS else "api-server",
        stage="controller",
        text=f"{kind} {name(object_)} is written anew{what}.",
        evidence=f"field managers {by}, {revised(entry)}",
        at=entry.at,
        seq=entry.seq,
        of=facts.key(entry),
        missing=_COUNTING,
        cites=(entry.seq,),
    )


# --- entries that tell of themselves --------------------------------------------------------------------
def _told(entry: Entry, actor: str, text: str, evidence: str) -> Hop:
    return Hop(
        actor=actor,
        text=text,
        evidence=evidence,
        at=entry.at,
        seq=entry.seq,
        cites=(entry.seq,),
    )


def _ours(causes: Causes, entry: Entry) -> list[Hop]:
    return causes._platform(entry)


_FOLLOWED: dict[str, Callable[[Index, Entry], list[Hop]]] = {
    "Pod": _pod,
    "EndpointSlice": _slice,
    "Event": _event,
}
_TOLD: dict[str, Callable[[Causes, Entry], list[Hop]]] = {
    "verdict": Causes._verdict,
    "fault": Causes._fault,
    "action": Causes._action,
    "probe": Causes._probe,
    "prediction": Causes._student,
    "answer": Causes._student,
    "submit": Causes._student,
    "reset": Causes._student,
}
_DID = {
    "prediction": "You said what you expect.",
    "answer": "You answered.",
    "submit": "You handed in.",
    "reset": "You went back to the start.",
}

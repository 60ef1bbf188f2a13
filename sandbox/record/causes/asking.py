"""From an object's change back to the request for it: who asked, who took it, where it was written."""

from __future__ import annotations

from typing import Any

from sandbox.record.causes import facts
from sandbox.record.causes.hop import Hop
from sandbox.record.causes.index import Index
from sandbox.record.causes.shown import revised, unseen
from sandbox.record.entry import Entry
from sandbox.record.markers import kind_of as kind_named

_KILL = "kill-pod"
_TAKES_HOLD = 10.0  # seconds within which a deletion that was called for shows
_ASKED = {"create": "asked for", "delete": "asked to delete", "deletecollection": "asked to delete"}
_THROUGH = {
    "terminal": "in the terminal",
    "editor": "in the editor",
    "picture": "in the picture",
    "page": "on the page",
}
_NO_AUDIT = "The audit log in this record holds only your own requests, and none of them asked for this."


def request_for(index: Index, entry: Entry) -> list[Hop]:
    """Who asked for what `entry` shows (a thing made or changed), up to its being written down."""
    asked = index.requests.get(entry.seq)
    if asked is not None:
        return [*_yours(asked, entry), stored(entry)]
    if facts.OURS in facts.writers(facts.object_of(entry)):
        return [_ours(entry), _taken(entry), stored(entry)]
    return [_taken(entry), stored(entry)]


def removal_of(index: Index, entry: Entry) -> list[Hop]:
    """Who asked for the deletion that `entry` shows first; empty when the record names nobody."""
    asked, fault = index.requests.get(entry.seq), _fault_on(index, entry)
    if fault is not None:
        took = _taking(asked, entry) if asked is not None else _taken(entry, "The API server took DELETE.")
        return [fault_hop(fault, entry), took, deletion(entry)]
    if asked is not None:
        return [*_yours(asked, entry), deletion(entry)]
    return []


def alone(entry: Entry) -> list[Hop]:
    """An action by itself: what was asked, and the API server's answer."""
    kind = kind_named(str(entry.change.get("resource", "")))
    return [_student(entry, f"{kind} {entry.change.get('name') or ''}".strip(), None), _taking(entry, entry)]


def stored(entry: Entry) -> Hop:
    """The object as it was written. Its revision is etcd's, so the writing is observed."""
    new = entry.change.get("op") == "ADDED"
    return Hop(
        actor="etcd",
        stage="object",
        text=f"{'' if new else 'The new wish for '}{facts.called(entry)} is written down in etcd.",
        evidence=f"{revised(entry)}, uid {entry.uid[:8]}",
        at=entry.at,
        seq=entry.seq,
        of=facts.key(entry),
        missing=unseen(entry),
        cites=(entry.seq,),
    )


def fault_hop(fault: Entry, effect: Entry | None = None) -> Hop:
    """A fault that was started, by the student's click or by us; on what `effect` shows, or all its targets."""
    change, targets = fault.change, facts.targets(fault)
    named = [f"{each.get('kind', 'Pod')} {each.get('name', '')}".strip() for each in targets]
    whom = facts.called(effect) if effect is not None else ", ".join(named) or "nothing"
    keys = [facts.key_of(str(each.get("kind") or "Pod"), str(each.get("uid"))) for each in targets]
    mine = change.get("by") == "student"
    did = "killed" if _kills(fault) else f"started the fault {change.get('id')} on"
    return Hop(
        actor="student" if mine else "platform",
        stage="request",
        text=f"{'You' if mine else 'We'} {did} {whom}.",
        evidence=f"fault {change.get('id')}, entry {fault.seq}, written before the call went out",
        at=fault.at,
        seq=fault.seq,
        of=facts.key(effect) if effect is not None else next(iter(keys), None),
        cites=(fault.seq,),
    )


def _fault_on(index: Index, entry: Entry) -> Entry | None:
    """The fault that took this object away: started before it was marked, the newest of them."""
    earlier = [
        fault
        for fault in index.faults.get(entry.uid, ())
        if _kills(fault) and fault.seq < entry.seq and entry.at - fault.at <= _TAKES_HOLD
    ]
    return earlier[-1] if earlier else None


def _kills(fault: Entry) -> bool:
    return str(fault.change.get("kind") or _KILL) == _KILL


def _yours(asked: Entry, effect: Entry) -> list[Hop]:
    return [_student(asked, facts.called(effect), facts.key(effect)), _taking(asked, effect)]


def _student(asked: Entry, what: str, of: str | None) -> Hop:
    change = asked.change
    said = _ASKED.get(str(change.get("verb")), "asked to change")
    return Hop(
        actor="student",
        stage="request",
        text=f"You {said} {what} {_THROUGH.get(str(change.get('through')), '')}".strip() + ".",
        evidence=f"audit log, entry {asked.seq}: {change.get('verb')} {_path(change)}",
        at=asked.at,
        seq=asked.seq,
        of=of,
        cites=(asked.seq,),
    )


def _taking(asked: Entry, effect: Entry) -> Hop:
    code = asked.change.get("code")
    refused = isinstance(code, int) and code >= 400
    return Hop(
        actor="api-server",
        stage="request",
        text=f"The API server {'refused' if refused else 'took'} the request.",
        evidence=f"audit log, entry {asked.seq}: answered {code}",
        at=asked.at,
        seq=asked.seq,
        of=facts.key(effect) if effect.kind == "object" else None,
        cites=(asked.seq,),
    )


def _taken(entry: Entry, text: str = "The API server took a request for it.") -> Hop:
    return Hop(
        actor="api-server",
        stage="request",
        text=text,
        evidence="what it wrote is in the record",
        at=entry.at,
        seq=None,
        of=facts.key(entry),
        missing=_NO_AUDIT,
    )


def _ours(entry: Entry) -> Hop:
    return Hop(
        actor="platform",
        stage="request",
        text=f"The lesson began with {facts.called(entry)}.",
        evidence=f"field manager {facts.OURS}",
        at=entry.at,
        seq=entry.seq,
        of=facts.key(entry),
        cites=(entry.seq,),
    )


def deletion(entry: Entry) -> Hop:
    gone = facts.is_deleted(entry)
    what = "is removed from etcd" if gone else "is marked for deletion in etcd"
    return Hop(
        actor="etcd",
        stage="object",
        text=f"{facts.called(entry)} {what}.",
        evidence=f"{'deleted' if gone else 'deletionTimestamp set'}, {revised(entry)}",
        at=entry.at,
        seq=entry.seq,
        of=facts.key(entry),
        cites=(entry.seq,),
    )


def _path(change: dict[str, Any]) -> str:
    subresource = change.get("subresource")
    path = f"{change.get('resource', '')}/{change.get('name') or ''}".rstrip("/")
    return f"{path}/{subresource}" if subresource else path

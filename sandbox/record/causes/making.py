"""Why a Pod or a workload exists: the wish behind it, and the controllers that carried it out."""

from __future__ import annotations

from sandbox.record.causes import facts
from sandbox.record.causes.asking import request_for
from sandbox.record.causes.hop import Hop
from sandbox.record.causes.index import Index
from sandbox.record.causes.living import finished, life_of
from sandbox.record.causes.losing import DEEPEST, marked
from sandbox.record.causes.shown import revised, shown
from sandbox.record.entry import Entry
from sandbox.record.projecting.pod import suffix
from sandbox.record.projecting.reading import Object, controller, name

_NO_WRITER = "The record does not hold who wrote it: neither a field manager nor an Event names a controller."
_UNWATCHED = (
    "A controller writes no log of its counting. Owner and time fit; nothing else in the record does."
)
_CROWD = " Another place was free at that time, so it may stand in for another one."


def wish_behind(index: Index, entry: Entry, deep: int = DEEPEST) -> list[Hop]:
    """Why a workload is as `entry` shows it: the student's own request, or its owner's wish."""
    if entry.seq in index.requests:
        return request_for(index, entry)
    owner = facts.owner_uid(facts.object_of(entry))
    origin = _newest_wish(index, owner, entry) if owner else None
    if origin is None or not deep:
        return request_for(index, entry)
    return [*wish_behind(index, origin, deep - 1), _by_controller(index, entry, origin)]


def origin_of(index: Index, made: Entry) -> list[Hop]:
    """Why a Pod exists, up to its being written down; `made` is the first entry about it."""
    owner = facts.owner_uid(facts.object_of(made))
    if made.seq in index.requests or not index.states.get(owner):
        return request_for(index, made)
    reason = index.reasons.get(made.uid)
    if reason is not None and facts.kind_of(reason.entry) == "Pod":
        return [*_loss_behind(index, reason.entry), _counted(made, reason.others), _pod_made(index, made)]
    opened = reason.entry if reason is not None else _newest_wish(index, owner, made)
    if opened is None:
        return [_pod_made(index, made)]
    unsure = [_counted(made, reason.others)] if reason is not None and reason.others else []
    return [*wish_behind(index, opened), *unsure, _pod_made(index, made)]


# --- controllers --------------------------------------------------------------------------------------
def _newest_wish(index: Index, owner: str, entry: Entry) -> Entry | None:
    """The owner's newest change of wish that is not after `entry`."""
    found: Entry | None = None
    for each in index.states.get(owner, ()):
        if not facts.not_after(each, entry):
            continue
        before = index.before.get(each.seq)
        if before is None or facts.wish(facts.object_of(before)) != facts.wish(facts.object_of(each)):
            found = each
    return found


def _loss_behind(index: Index, lost: Entry) -> list[Hop]:
    """Up to the loss that opened a place, not further back."""
    pod = facts.object_of(lost)
    if facts.is_leaving(pod) or facts.is_deleted(lost):
        return marked(index, lost, wish_behind)
    return [*life_of(index, lost.uid, lost)[-1:], finished(lost)]


def _by_controller(index: Index, entry: Entry, origin: Entry) -> Hop:
    """A workload that another one's controller made or changed."""
    object_ = facts.object_of(entry)
    kind, owner = facts.kind_of(origin), name(facts.object_of(origin))
    new = index.before.get(entry.seq) is None
    actor, what = facts.keeper_of(kind), f"{facts.kind_of(entry)} {name(object_)}"
    who = "EndpointSlice" if kind == "Service" else kind
    text = f"The {who} controller {'made' if new else 'changed'} {what}{_for(object_)}."
    evidence, missing, cites = _written_by(index, entry, origin.uid, actor, name(object_))
    return shown(
        entry, actor, "controller", text, f"owner {kind} {owner}, {evidence}", missing=missing, cites=cites
    )


def _for(object_: Object) -> str:
    copies = facts.copies(object_)
    return "" if copies is None else f", for {copies} {'Pod' if copies == 1 else 'Pods'}"


def _counted(made: Entry, others: int) -> Hop:
    owner = controller(facts.object_of(made))
    kind = str(owner.get("kind"))
    missing = _UNWATCHED + (_CROWD if others else "")
    return Hop(
        actor=facts.keeper_of(kind),
        stage="controller",
        text=f"The {kind} controller counted one Pod too few.",
        evidence=f"owner {kind} {owner.get('name')}",
        at=made.at,
        seq=None,
        of=facts.key_of(kind, str(owner.get("uid"))),
        missing=missing,
    )


def _pod_made(index: Index, made: Entry) -> Hop:
    pod = facts.object_of(made)
    owner = controller(pod)
    kind = str(owner.get("kind"))
    actor = facts.keeper_of(kind)
    evidence, missing, cites = _written_by(index, made, str(owner.get("uid")), actor, name(pod))
    text = f"The {kind} controller made Pod {suffix(pod)}."
    evidence = f"owner {kind} {owner.get('name')}, {evidence}"
    return shown(made, actor, "controller", text, evidence, missing=missing, cites=cites)


def _written_by(
    index: Index, entry: Entry, owner: str, actor: str, named: str
) -> tuple[str, str | None, tuple[int, ...]]:
    """Evidence, what is missing, and further entries cited, for something a controller wrote."""
    for event in index.events.get(owner, ()):
        object_ = facts.object_of(event)
        if facts.reporter(object_) == actor and named in str(object_.get("message", "")).split():
            said = f"Event {object_.get('reason')} from {actor}, {revised(entry)}"
            return said, None, (event.seq,)
    if facts.CONTROLLERS in facts.writers(facts.object_of(entry)):
        return f"field manager {facts.CONTROLLERS}, {revised(entry)}", None, ()
    return revised(entry), _NO_WRITER, ()

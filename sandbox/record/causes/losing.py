"""How an object went: who wanted it gone, and who carried it out."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.record.causes import facts
from sandbox.record.causes.asking import deletion, removal_of
from sandbox.record.causes.hop import Hop
from sandbox.record.causes.index import Index
from sandbox.record.causes.shown import revised
from sandbox.record.entry import Entry
from sandbox.record.projecting.pod import suffix
from sandbox.record.projecting.reading import controller, name

Behind = Callable[[Index, Entry], list[Hop]]  # wish_behind of `making`, which stands above this module

DEEPEST = 4  # owners above an object; more, or a ring of them, only a person can have written
_SOON = 30.0  # seconds in which a controller lets Pods go once fewer are wanted
_NOBODY = "Nothing that may be told by now says who asked for the deletion."
_UNWATCHED = "The order fits and nothing else in the record does: the collector writes no log of its work."
_NO_EVENT = "No Event in the record says that the controller deleted it; its wish fits."


def first_sign(index: Index, entry: Entry) -> Entry:
    """The first entry that shows the object leaving, from any entry of its leaving."""
    for each in index.states.get(entry.uid, ()):
        if facts.is_deleted(each) or facts.is_leaving(facts.object_of(each)):
            return each
    return entry


def marked(index: Index, entry: Entry, behind: Behind, deep: int = DEEPEST) -> list[Hop]:
    """Why an object leaves, up to its deletion being written down."""
    sign = first_sign(index, entry)
    asked = removal_of(index, sign)
    if asked:
        return asked
    owner = facts.owner_uid(facts.object_of(sign))
    gone = _owner_gone(index, owner, sign)
    if gone is not None and deep:
        return [*marked(index, gone, behind, deep - 1), _collected(sign), deletion(sign)]
    fewer = _fewer_wanted(index, owner, sign)
    if fewer is not None:
        return [*behind(index, fewer), _let_go(index, sign, fewer), deletion(sign)]
    return [_somebody(sign), deletion(sign)]


def removed(index: Index, entry: Entry, behind: Behind) -> list[Hop]:
    """As `marked`, and on to what `entry` shows: the kubelet's stopping it, its being gone."""
    hops = marked(index, entry, behind)
    sign = first_sign(index, entry)
    stopping = _stopping(index, entry, sign)
    if stopping is not None:
        hops.append(stopping)
    if facts.is_deleted(entry) and entry.seq != sign.seq:
        hops.append(deletion(entry))
    return hops


def _stopping(index: Index, entry: Entry, sign: Entry) -> Hop | None:
    """The entry in which no container of a leaving Pod runs any more."""
    if facts.kind_of(entry) != "Pod":
        return None
    ran = bool(facts.running(facts.object_of(sign)))
    for each in index.states.get(entry.uid, ()):
        pod = facts.object_of(each)
        if each.seq <= sign.seq or each.seq > entry.seq or facts.running(pod) or not ran:
            continue
        by_kubelet = "kubelet" in facts.writers(pod, "status")
        return Hop(
            actor="kubelet",
            stage="kubelet",
            text=f"The kubelet on {facts.node_of(pod)} stopped {suffix(pod)}.",
            evidence=f"no container runs, {revised(each)}",
            at=each.at,
            seq=each.seq,
            of=facts.key(each),
            missing=None if by_kubelet else "No field manager says that a kubelet wrote this status.",
            cites=(each.seq,),
        )
    return None


def _owner_gone(index: Index, owner: str, sign: Entry) -> Entry | None:
    """The first sign of an owner's leaving, if it left before."""
    for each in index.states.get(owner, ()):
        if facts.is_deleted(each) or facts.is_leaving(facts.object_of(each)):
            return each if facts.not_after(each, sign) else None
    return None


def _fewer_wanted(index: Index, owner: str, sign: Entry) -> Entry | None:
    """The owner's newest lowering of copies that is not after the sign."""
    found: Entry | None = None
    for each in index.states.get(owner, ()):
        before = index.before.get(each.seq)
        if before is None or not facts.not_after(each, sign) or sign.at - each.at > _SOON:
            continue
        was, now = facts.copies(facts.object_of(before)), facts.copies(facts.object_of(each))
        if was is not None and now is not None and now < was:
            found = each
    return found


def _collected(sign: Entry) -> Hop:
    owner = controller(facts.object_of(sign))
    return Hop(
        actor="garbage-collector",
        stage="controller",
        text=f"The garbage collector found {facts.called(sign)} without its owner.",
        evidence=f"its owner {owner.get('kind')} {owner.get('name')} is gone",
        at=sign.at,
        seq=None,
        of=facts.key(sign),
        missing=_UNWATCHED,
    )


def _let_go(index: Index, sign: Entry, fewer: Entry) -> Hop:
    pod, kind = facts.object_of(sign), facts.kind_of(fewer)
    actor = facts.keeper_of(kind)
    said = next(
        (
            event.seq
            for event in index.events.get(fewer.uid, ())
            if facts.reporter(facts.object_of(event)) == actor
            and name(pod) in str(facts.object_of(event).get("message", "")).split()
            and facts.object_of(event).get("reason") == "SuccessfulDelete"
        ),
        None,
    )
    return Hop(
        actor=actor,
        stage="controller",
        text=f"The {kind} controller let {suffix(pod)} go: one Pod too many.",
        evidence=f"Event SuccessfulDelete from {actor}" if said else f"{kind} {name(facts.object_of(fewer))}",
        at=sign.at,
        seq=sign.seq if said else None,
        of=facts.key(sign),
        missing=None if said else _NO_EVENT,
        cites=(sign.seq, said) if said else (),
    )


def _somebody(sign: Entry) -> Hop:
    return Hop(
        actor="api-server",
        stage="request",
        text=f"The API server took DELETE for {facts.called(sign)}.",
        evidence="what it wrote is in the record",
        at=sign.at,
        seq=None,
        of=facts.key(sign),
        missing=_NOBODY,
    )

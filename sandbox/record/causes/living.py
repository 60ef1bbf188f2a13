"""What becomes of a Pod after it was made: bound, taken over, started, ready; ended and started again."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.record.causes import facts
from sandbox.record.causes.asking import fault_hop
from sandbox.record.causes.hop import Hop
from sandbox.record.causes.index import Index
from sandbox.record.causes.shown import revised, shown
from sandbox.record.entry import Entry
from sandbox.record.projecting.pod import suffix
from sandbox.record.projecting.reading import Object, part

_NO_EVENT = "The record shows the {what}, but no Event {reason} from the {who} that says who did it."


def life_of(index: Index, uid: str, until: Entry) -> list[Hop]:
    """What became of a Pod after it was made, up to `until`; of a repeated step only the last time."""
    hops: list[Hop] = []
    before: Object = {}
    for entry in index.states.get(uid, ()):
        if not facts.not_after(entry, until):
            break
        pod = facts.object_of(entry)
        if facts.is_deleted(entry) or facts.is_leaving(pod):
            break
        for step in _STEPS:
            hops += step(index, entry, before)
        before = pod
    return _last_times(hops)


def _bound(index: Index, entry: Entry, before: Object) -> list[Hop]:
    pod = facts.object_of(entry)
    node = facts.node_of(pod)
    if not node or facts.node_of(before):
        return []
    who = str(part(pod, "spec").get("schedulerName") or "default-scheduler")
    said = _event(index, entry.uid, "Scheduled", {who})
    evidence = f"nodeName {node}, {revised(entry)}" + (f", Event Scheduled from {who}" if said else "")
    missing = None if said else _NO_EVENT.format(what="binding", reason="Scheduled", who="scheduler")
    text = f"The scheduler chose {node} for {suffix(pod)}."
    return [shown(entry, "scheduler", "scheduler", text, evidence, missing=missing, cites=said)]


def _taken(index: Index, entry: Entry, before: Object) -> list[Hop]:
    pod = facts.object_of(entry)
    if not facts.is_taken(pod) or facts.is_taken(before):
        return []
    reason = next((one for one in ("Pulled", "Pulling") if _event(index, entry.uid, one, {"kubelet"})), "")
    said = _event(index, entry.uid, reason, {"kubelet"})
    evidence = f"first status, {revised(entry)}" + (f", Event {reason} from kubelet" if said else "")
    text = f"The kubelet on {facts.node_of(pod)} took {suffix(pod)} over."
    return [shown(entry, "kubelet", "kubelet", text, evidence, missing=_kubelet(pod, said), cites=said)]


def _started(index: Index, entry: Entry, before: Object) -> list[Hop]:
    pod = facts.object_of(entry)
    new = sorted(facts.running(pod) - facts.running(before))
    if not new:
        return []
    said = _event(index, entry.uid, "Started", {"kubelet"})
    evidence = f"state running, {revised(entry)}" + (", Event Started from kubelet" if said else "")
    text = f"Container {', '.join(new)} of {suffix(pod)} runs."
    return [shown(entry, "container", "container", text, evidence, missing=_kubelet(pod, said), cites=said)]


def _ended(index: Index, entry: Entry, before: Object) -> list[Hop]:
    pod = facts.object_of(entry)
    known = facts.endings(before)
    new = {each: said for each, said in facts.endings(pod).items() if known.get(each, (0, ""))[0] < said[0]}
    hops: list[Hop] = []
    for container, (_, said) in sorted(new.items()):
        faults = [each for each in index.faults.get(entry.uid, ()) if 0 <= entry.at - each.at <= _ENDS_WITHIN]
        hops += [fault_hop(faults[-1], entry)] if faults else []
        text = f"Container {container} of {suffix(pod)} ended."
        missing = _kubelet(pod, ())
        hops.append(
            shown(entry, "container", "container", text, f"{said}, {revised(entry)}", missing=missing)
        )
    return hops


def _readied(index: Index, entry: Entry, before: Object) -> list[Hop]:
    pod = facts.object_of(entry)
    was, ready = facts.is_ready(before), facts.is_ready(pod)
    if was == ready or not (was or ready):
        return []
    said = () if ready else _event(index, entry.uid, "Unhealthy", {"kubelet"})
    evidence = f"condition Ready {ready}, {revised(entry)}" + (
        ", Event Unhealthy from kubelet" if said else ""
    )
    if facts.has_probe(pod):
        answer = "got a good answer" if ready else "got no good answer"
        actor, text = "probe", f"The readiness probe of {suffix(pod)} {answer}."
    else:
        rule = "it has no readiness probe, so running is enough" if ready else "its container runs no more"
        actor, text = "kubelet", f"{suffix(pod)} is {'' if ready else 'not '}ready: {rule}."
    return [shown(entry, actor, "probe", text, evidence, missing=_kubelet(pod, said), cites=said)]


_STEPS: tuple[Callable[[Index, Entry, Object], list[Hop]], ...] = (
    _bound,
    _taken,
    _ended,
    _started,
    _readied,
)
_ENDS_WITHIN = 10.0  # seconds in which a fault's blow shows


def _last_times(hops: list[Hop]) -> list[Hop]:
    """Of Pods that came and went, the last going and the last coming."""
    newest = {(hop.actor, hop.stage, hop.text): n for n, hop in enumerate(hops)}
    return [hop for n, hop in enumerate(hops) if newest[hop.actor, hop.stage, hop.text] == n]


def _kubelet(pod: Object, said: tuple[int, ...]) -> str | None:
    """What is missing for "the kubelet says so"."""
    if said or "kubelet" in facts.writers(pod, "status"):
        return None
    return "No field manager in the record says that a kubelet wrote this status."


def finished(lost: Entry) -> Hop:
    pod = facts.object_of(lost)
    text = f"{suffix(pod)} came to its end by itself."
    phase = part(pod, "status").get("phase")
    return shown(
        lost, "kubelet", "kubelet", text, f"phase {phase}, {revised(lost)}", missing=_kubelet(pod, ())
    )


def _event(index: Index, uid: str, reason: str, reporters: set[str]) -> tuple[int, ...]:
    """The newest Event about `uid` with this reason, as a citation; empty if there is none."""
    for event in reversed(index.events.get(uid, [])):
        object_ = facts.object_of(event)
        if object_.get("reason") == reason and facts.reporter(object_) in reporters:
            return (event.seq,)
    return ()

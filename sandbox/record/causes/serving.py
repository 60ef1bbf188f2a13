"""How a Service came to send to a Pod, or stopped: what its EndpointSlices say."""

from __future__ import annotations

from sandbox.record.causes import facts
from sandbox.record.causes.hop import Hop
from sandbox.record.causes.index import Index
from sandbox.record.causes.shown import revised
from sandbox.record.entry import Entry
from sandbox.record.projecting import service
from sandbox.record.projecting.pod import suffix
from sandbox.record.projecting.reading import controller, name, part


def opened(index: Index, slice_: Entry, pod: str) -> Hop:
    """The Service sends to a Pod from here on."""
    object_ = facts.object_of(slice_)
    return _valve(index, slice_, pod, f"Service {service.service_of(object_)} sends to {{pod}}.", "ready")


def noted(index: Index, slice_: Entry, pod: str) -> Hop:
    """The Service knows a Pod that is not ready."""
    text = f"Service {service.service_of(facts.object_of(slice_))} knows {{pod}} and does not send to it."
    return _valve(index, slice_, pod, text, "not ready")


def closed(index: Index, slice_: Entry, pod: str) -> Hop:
    """The Service stopped sending to a Pod."""
    text = f"Service {service.service_of(facts.object_of(slice_))} no longer sends to {{pod}}."
    return _valve(index, slice_, pod, text, "not ready, or listed no more")


def _valve(index: Index, slice_: Entry, pod: str, text: str, state: str) -> Hop:
    object_ = facts.object_of(slice_)
    known = index.latest(pod, slice_) or next(iter(index.states.get(pod, ())), None)
    owner = controller(object_)
    label = "endpointslice.kubernetes.io/managed-by"
    manager = str(part(object_, "metadata", "labels").get(label) or "")
    missing = None if manager else "The EndpointSlice does not say who keeps it."
    return Hop(
        actor="endpointslice-controller",
        stage="endpoints",
        text=text.format(pod=suffix(facts.object_of(known)) if known else "a Pod"),
        evidence=f"EndpointSlice {name(object_)}: {state}, {revised(slice_)}, kept by {manager or 'somebody'}",
        at=slice_.at,
        seq=slice_.seq,
        of=facts.key_of("Service", str(owner["uid"])) if owner.get("uid") else facts.key_of("Pod", pod),
        missing=missing,
        cites=(slice_.seq,),
    )

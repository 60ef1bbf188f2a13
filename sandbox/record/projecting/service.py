"""Services, and which Pods stand behind them according to their EndpointSlices."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.record.delta import Item
from sandbox.record.projecting.reading import Object, name, number, part, parts

SERVICE_NAME = "kubernetes.io/service-name"


def project(service: Object, slices: Iterable[Object]) -> Item:
    """The item `service/<uid>`; `slices` are the EndpointSlices of this Service."""
    spec = part(service, "spec")
    ports = parts(spec, "ports")
    return {
        "t": "service",
        "name": name(service),
        "port": number(ports[0].get("port")) if ports else 0,
        "selector": dict(part(spec, "selector")),
        "endpoints": states(slices),
    }


def service_of(slice_: Object) -> str:
    """Name of the Service an EndpointSlice belongs to, "" for none."""
    return str(part(slice_, "metadata", "labels").get(SERVICE_NAME, ""))


def states(slices: Iterable[Object]) -> dict[str, str]:
    """Pod uid -> "ready", "not-ready" or "terminating", in order of uid so that equal sets are equal."""
    found: dict[str, str] = {}
    for slice_ in slices:
        for endpoint in parts(slice_, "endpoints"):
            target = part(endpoint, "targetRef")
            if target.get("kind") == "Pod" and target.get("uid"):
                found[str(target["uid"])] = _state(part(endpoint, "conditions"))
    return dict(sorted(found.items()))


def _state(conditions: Object) -> str:
    # An absent `ready` means true: that is how consumers must read an EndpointSlice.
    if conditions.get("ready") is not False:
        return "ready"
    return "terminating" if conditions.get("terminating") else "not-ready"

"""What helpers say of an object, worked out once when it enters the state, kept beside its fields.

Keys start with "~", which no Kubernetes field does. The CEL port reads them in place of calling back
into Python, which costs more than a whole predicate.
"""

from __future__ import annotations

from typing import Any

from sandbox.record.projecting.reading import Object, condition, controller, number, part, parts

READY, OWNER, CONDITIONS, RESTARTS, DIGESTS = "~ready", "~owner", "~conditions", "~restarts", "~digests"


def derive(kind: str, object_: Object) -> Object:
    """The object with what `ready owner cond restarts imageDigest` say of it."""
    return {
        **object_,
        READY: is_ready(kind, object_),
        OWNER: owner(object_),
        CONDITIONS: {
            str(each.get("type")): str(each.get("status", "Unknown"))
            for each in parts(object_, "status", "conditions")
        },
        RESTARTS: restarts(object_),
        DIGESTS: digests(object_),
    }


def owner(object_: Object) -> dict[str, str]:
    """The controller as {kind, name, uid}, or an empty map."""
    found = controller(object_)
    return {key: str(found.get(key, "")) for key in ("kind", "name", "uid")} if found else {}


def restarts(pod: Object) -> int:
    return sum(number(each.get("restartCount")) for each in parts(pod, "status", "containerStatuses"))


def digests(pod: Object) -> dict[str, str]:
    """Container name -> digest of the image that really runs, `sha256:…`."""
    return {
        str(each.get("name")): str(each.get("imageID") or "").rpartition("@")[2]
        for key in ("containerStatuses", "initContainerStatuses")
        for each in parts(pod, "status", key)
    }


def is_ready(kind: str, object_: Object) -> bool:
    """A Pod or Node: condition Ready. A workload: seen by its controller, updated = available = wanted."""
    status, spec = part(object_, "status"), part(object_, "spec")
    if kind == "Job":
        return condition(object_, "Complete") == "True"
    if kind not in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"):
        return condition(object_, "Ready") == "True"
    if number(status.get("observedGeneration")) < number(part(object_, "metadata").get("generation")):
        return False
    if kind == "DaemonSet":
        counts: tuple[Any, ...] = (status.get("desiredNumberScheduled"),)
        counts += (status.get("updatedNumberScheduled"), status.get("numberAvailable"))
    else:
        updated = "replicas" if kind == "ReplicaSet" else "updatedReplicas"
        counts = (number(spec.get("replicas"), 1), status.get(updated), status.get("availableReplicas"))
    return len({number(each) for each in counts}) == 1

"""What single entries say: revisions, writers, and what changed in an object from one entry to the next."""

from __future__ import annotations

from sandbox.record.entry import Entry
from sandbox.record.projecting.pod import suffix
from sandbox.record.projecting.reading import Object, condition, controller, name, number, part, parts

WITH_COPIES = frozenset({"ReplicaSet", "StatefulSet"})
WORKLOADS = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"})
CONTROLLERS = "kube-controller-manager"  # the field manager of every controller inside it
OURS = "glasshull-start"  # the field manager of what a lesson begins with


def object_of(entry: Entry) -> Object:
    found = entry.change.get("object")
    return found if isinstance(found, dict) else {}


def kind_of(entry: Entry) -> str:
    return str(entry.change.get("kind", ""))


def is_deleted(entry: Entry) -> bool:
    return entry.change.get("op") == "DELETED"


def revision(entry: Entry) -> str:
    """The resourceVersion the entry was written under, "" if it has none."""
    known = part(object_of(entry), "metadata").get("resourceVersion")
    return str(entry.change.get("resourceVersion") or known or "")


def not_after(entry: Entry, other: Entry) -> bool:
    """Whether `entry` came first in the cluster.

    By revision, since the watches of two kinds are not ordered with each other; by place in the record
    where one of them has none.
    """
    mine, its = revision(entry), revision(other)
    if mine.isdigit() and its.isdigit():
        return int(mine) <= int(its)
    return entry.seq <= other.seq


def writers(object_: Object, subresource: str = "") -> set[str]:
    """Field managers of the object, or of one of its subresources."""
    return {
        str(each.get("manager", ""))
        for each in parts(object_, "metadata", "managedFields")
        if str(each.get("subresource") or "") == subresource
    }


def key_of(kind: str, uid: str) -> str:
    """The picture's key of an object."""
    if kind == "Pod":
        return f"pod/{uid}"
    if kind in WORKLOADS:
        return f"workload/{uid}"
    return f"{'service' if kind == 'Service' else 'object'}/{uid}"


def key(entry: Entry) -> str:
    return key_of(kind_of(entry), entry.uid)


def called(entry: Entry) -> str:
    """`Deployment storefront`, or for a Pod of a controller `Pod h6wvd`."""
    object_, kind = object_of(entry), kind_of(entry)
    return f"{kind} {suffix(object_) if kind == 'Pod' else name(object_)}"


def keeper_of(kind: str) -> str:
    """The controller that looks after what objects of this kind own, by the name its Events carry."""
    return "endpointslice-controller" if kind == "Service" else f"{kind.lower()}-controller"


def owner_uid(object_: Object) -> str:
    return str(controller(object_).get("uid", ""))


# --- a Pod ------------------------------------------------------------------------------------------
def node_of(pod: Object) -> str:
    return str(part(pod, "spec").get("nodeName") or "")


def is_leaving(object_: Object) -> bool:
    return bool(part(object_, "metadata").get("deletionTimestamp"))


def is_over(pod: Object) -> bool:
    """Finished by itself; its controller no longer counts it."""
    return part(pod, "status").get("phase") in ("Succeeded", "Failed")


def is_taken(pod: Object) -> bool:
    """A kubelet has answered for it."""
    return bool(part(pod, "status").get("containerStatuses")) or "kubelet" in writers(pod, "status")


def running(pod: Object) -> set[str]:
    """Names of the containers that run."""
    return {
        str(each.get("name"))
        for each in parts(pod, "status", "containerStatuses")
        if part(each, "state").get("running")
    }


def endings(pod: Object) -> dict[str, tuple[int, str]]:
    """Container -> how often it ended so far, and how the last time, in words."""
    found: dict[str, tuple[int, str]] = {}
    for each in parts(pod, "status", "containerStatuses"):
        restarts = number(each.get("restartCount"))
        now = part(each, "state", "terminated")
        last = now or part(each, "lastState", "terminated")
        if last:
            said = f"{last.get('reason') or 'ended'}, exit code {last.get('exitCode', '?')}"
            found[str(each.get("name"))] = (restarts + bool(now), said)
    return found


def is_ready(pod: Object) -> bool:
    return condition(pod, "Ready") == "True"


def has_probe(pod: Object) -> bool:
    return any(part(each, "readinessProbe") for each in parts(pod, "spec", "containers"))


# --- what is wished for --------------------------------------------------------------------------------------
def copies(object_: Object) -> int | None:
    """Wanted copies; None where the object says none."""
    found = part(object_, "spec").get("replicas")
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def wish(object_: Object) -> tuple[Object, ...]:
    """What somebody asked for, without what the cluster adds while it works on it."""
    spec = {key: value for key, value in part(object_, "spec").items() if key != "nodeName"}
    return spec, part(object_, "data"), part(object_, "metadata", "labels")


# --- faults -------------------------------------------------------------------------------------------
BEGUN = frozenset({"started", "repeated"})
OVER = frozenset({"ended", "reverted", "failed"})


def targets(fault: Entry) -> list[Object]:
    """What a fault was started on: `{kind, name, uid}` each."""
    found = fault.change.get("targets") or [fault.change.get("target")]
    return [each for each in found if isinstance(each, dict)]


# --- Events of the cluster ------------------------------------------------------------------------------
def about(event: Object) -> str:
    """uid of the object an Event speaks of."""
    return str(part(event, "involvedObject").get("uid") or "")


def reporter(event: Object) -> str:
    return str(event.get("reportingComponent") or part(event, "source").get("component") or "")

"""A Pod as the picture shows it."""

from __future__ import annotations

from sandbox.record.delta import Item
from sandbox.record.projecting.reading import (
    Object,
    condition,
    controller,
    moment,
    name,
    number,
    part,
    parts,
    quantity,
)
from sandbox.record.projecting.status import columns

WORKLOADS = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"})
_LONGEST_MESSAGE = 300


def project(pod: Object) -> Item:
    """The item `pod/<uid>` of the live protocol."""
    metadata, shown = part(pod, "metadata"), columns(pod)
    labels = part(metadata, "labels")
    return {
        "t": "pod",
        "name": name(pod),
        "suffix": suffix(pod),
        "node": str(part(pod, "spec").get("nodeName") or ""),
        "status": shown.status,
        "ready": shown.ready,
        "ok": condition(pod, "Ready") == "True",
        "restarts": shown.restarts,
        "created": moment(metadata.get("creationTimestamp")),
        "deleting": moment(metadata.get("deletionTimestamp")),
        "owner": owner_key(pod),
        "app": str(labels.get("app") or labels.get("app.kubernetes.io/name") or ""),
        "containers": _containers(pod),
        "message": _message(pod),
        "ip": str(part(pod, "status").get("podIP") or ""),
        "rv": str(metadata.get("resourceVersion", "")),
    }


def suffix(pod: Object) -> str:
    """The part of a Pod's name that tells it from its siblings: the random end, or the whole name.

    Only a generated name has a random end; `ledger-0` of a StatefulSet stays whole.
    """
    full = name(pod)
    last = full.rpartition("-")[2]
    generated = part(pod, "metadata").get("generateName") and controller(pod).get("kind") != "StatefulSet"
    return last if generated and last else full


def owner_key(object_: Object) -> str | None:
    """The picture's key of the controlling workload, or None."""
    owner = controller(object_)
    return f"workload/{owner.get('uid')}" if owner.get("kind") in WORKLOADS else None


def requested_memory(pod: Object) -> float:
    """Bytes the scheduler counts for this Pod: the containers' sum, or the largest init container."""
    spec = part(pod, "spec")
    asked = [_memory(each) for each in parts(spec, "containers")]
    first = [_memory(each) for each in parts(spec, "initContainers")]
    return max([sum(asked), *first])


def _memory(container: Object) -> float:
    return quantity(part(container, "resources", "requests").get("memory"))


def _containers(pod: Object) -> list[Item]:
    """Init containers first. One that the kubelet has not reported yet is waiting."""
    status = part(pod, "status")
    known = {
        str(each.get("name")): each
        for key in ("initContainerStatuses", "containerStatuses")
        for each in parts(status, key)
    }
    spec = part(pod, "spec")
    return [
        _container(each, known.get(str(each.get("name")), {}), init)
        for key, init in (("initContainers", True), ("containers", False))
        for each in parts(spec, key)
    ]


def _container(container: Object, status: Object, init: bool) -> Item:
    state = next(iter(part(status, "state")), "waiting")
    return {
        "name": str(container.get("name", "")),
        "image": str(container.get("image", "")),
        "state": state,
        "reason": str(part(status, "state", state).get("reason", "")),
        "ready": bool(status.get("ready", False)),
        "restarts": number(status.get("restartCount")),
        "init": init,
    }


def _message(pod: Object) -> str:
    """Why it waits or failed, in the cluster's own words, on one line; "" when nothing is wrong."""
    status = part(pod, "status")
    found = [str(status.get("message") or "")]
    for key in ("initContainerStatuses", "containerStatuses"):
        for container in parts(status, key):
            state = part(container, "state")
            found += [str(part(state, each).get("message") or "") for each in ("waiting", "terminated")]
    found += [
        str(each.get("message") or "")
        for each in parts(status, "conditions")
        if each.get("type") == "PodScheduled" and each.get("status") == "False"
    ]
    first = next((each for each in found if each), "")
    return " ".join(first.split())[:_LONGEST_MESSAGE]

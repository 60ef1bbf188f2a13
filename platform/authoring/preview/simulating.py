"""A lesson's start manifests as a picture: what they would be once all is well. Never applied, labelled so.

Pure. Pods stand on made-up nodes, workloads have their Pods, Services their addresses; nothing else is invented.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.record.entry import Entry

LABEL = "drawn from the lesson's files, not applied"
NODES = ("node-1", "node-2", "node-3")
_OWN_PODS = frozenset({"Deployment", "ReplicaSet", "StatefulSet"})
Object = Mapping[str, Any]


def entries_for(manifests: Sequence[Object], at: float) -> list[Entry]:
    """One `object` entry for each thing that would be there, all at the same moment (Unix seconds)."""
    objects = [*_nodes(), *_standing(manifests, at)]
    return [
        Entry(
            epoch=1,
            seq=number,
            at=at,
            source="preview",
            kind="object",
            uid=str(each["metadata"]["uid"]),
            change={
                "op": "ADDED",
                "kind": each["kind"],
                "resourceVersion": str(number),
                "object": dict(each),
            },
        )
        for number, each in enumerate(objects, start=1)
    ]


def _nodes() -> Iterator[Object]:
    for name in NODES:
        ready = [{"type": "Ready", "status": "True"}]
        status = {"conditions": ready, "allocatable": {"memory": "2Gi"}}
        yield {
            "kind": "Node",
            "metadata": {"name": name, "uid": f"node-{name}"},
            "spec": {},
            "status": status,
        }


def _standing(manifests: Sequence[Object], at: float) -> Iterator[Object]:
    """Every manifest with a uid, and the Pods that workloads would make; Services last, when all Pods are known."""
    created = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    places = itertools.cycle(NODES)
    pods: list[Object] = []
    for number, manifest in enumerate(manifests):
        kind, uid = str(manifest["kind"]), f"drawn-{number}"
        metadata = {**manifest["metadata"], "uid": uid, "creationTimestamp": created}
        if kind == "Pod":
            pods.append(_pod(metadata, manifest.get("spec") or {}, next(places)))
            continue
        if kind in _OWN_PODS:
            made = list(_pods_of(kind, metadata, manifest.get("spec") or {}, places))
            pods += made
            yield {**manifest, "metadata": metadata, "status": _counts(len(made))}
        else:
            yield {**manifest, "metadata": metadata}
            if kind == "Service":
                yield from _addresses(metadata, manifest.get("spec") or {}, manifests)
    yield from pods


def _pods_of(kind: str, owner: Object, spec: Object, places: Iterator[str]) -> Iterator[Object]:
    template = spec.get("template") or {}
    for number in range(_whole(spec.get("replicas"), 1)):
        metadata = {
            "name": f"{owner['name']}-{number}",
            "uid": f"{owner['uid']}-{number}",
            "creationTimestamp": owner["creationTimestamp"],
            "labels": (template.get("metadata") or {}).get("labels") or {},
            "ownerReferences": [
                {"kind": kind, "name": owner["name"], "uid": owner["uid"], "controller": True}
            ],
        }
        yield _pod(metadata, template.get("spec") or {}, next(places))


def _pod(metadata: Object, spec: Object, node: str) -> Object:
    """Running and ready: what its author hopes for."""
    containers = [
        {
            "name": str(each.get("name", "")),
            "image": str(each.get("image", "")),
            "ready": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": metadata["creationTimestamp"]}},
        }
        for each in spec.get("containers") or []
    ]
    conditions = [{"type": kind, "status": "True"} for kind in ("PodScheduled", "ContainersReady", "Ready")]
    status = {"phase": "Running", "conditions": conditions, "containerStatuses": containers}
    return {"kind": "Pod", "metadata": metadata, "spec": {**spec, "nodeName": node}, "status": status}


def _addresses(service: Object, spec: Object, manifests: Sequence[Object]) -> Iterator[Object]:
    """One EndpointSlice with every Pod that the selector finds."""
    selector = spec.get("selector") or {}
    endpoints = [
        {"targetRef": {"kind": "Pod", "uid": uid}, "conditions": {"ready": True}}
        for uid, labels in _labelled(manifests)
        if selector and all(labels.get(key) == value for key, value in selector.items())
    ]
    metadata = {
        "name": f"{service['name']}-drawn",
        "uid": f"{service['uid']}-slice",
        "labels": {"kubernetes.io/service-name": service["name"]},
    }
    yield {"kind": "EndpointSlice", "metadata": metadata, "endpoints": endpoints}


def _labelled(manifests: Sequence[Object]) -> Iterator[tuple[str, Object]]:
    """(uid, labels) of every Pod drawn."""
    for number, manifest in enumerate(manifests):
        spec = manifest.get("spec") or {}
        if manifest["kind"] == "Pod":
            yield f"drawn-{number}", manifest["metadata"].get("labels") or {}
        elif manifest["kind"] in _OWN_PODS:
            labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
            for copy in range(_whole(spec.get("replicas"), 1)):
                yield f"drawn-{number}-{copy}", labels


def _counts(pods: int) -> Object:
    return dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas", "availableReplicas"), pods)


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default

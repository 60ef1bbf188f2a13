"""Makers of entries and objects for the tests of the record."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sandbox.record.entry import Entry

T0 = 1_764_000_000.0


def stamp(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(
    name: str = "storefront-7c9d8-h6wvd",
    uid: str | None = None,
    *,
    app: str | None = "storefront",
    owner: str | None = "ReplicaSet",
    node: str = "",
    ready: bool = False,
    phase: str = "Pending",
    created: float = T0,
    deleting: float | None = None,
    rv: int = 1,
    image: str = "app/storefront:1.0",
    waiting: str = "",
    restarts: int = 0,
) -> dict[str, Any]:
    """A Pod with one container as an API server would show it."""
    metadata: dict[str, Any] = {
        "name": name,
        "uid": uid or f"uid-{name}",
        "namespace": "gh-test",
        "resourceVersion": str(rv),
        "creationTimestamp": stamp(created),
        "labels": {"app": app} if app else {},
    }
    if owner:
        metadata["generateName"] = name.rpartition("-")[0] + "-"
        metadata["ownerReferences"] = [
            {"kind": owner, "name": "storefront-7c9d8", "uid": "uid-owner", "controller": True}
        ]
    if deleting is not None:
        metadata["deletionTimestamp"] = stamp(deleting)
    spec: dict[str, Any] = {
        "containers": [
            {"name": "app", "image": image, "resources": {"requests": {"memory": "24Mi", "cpu": "80m"}}}
        ]
    }
    if node:
        spec["nodeName"] = node
    state: dict[str, Any] = {}
    if phase == "Running":
        state = {"running": {"startedAt": stamp(created)}}
    elif waiting:
        state = {"waiting": {"reason": waiting, "message": f"because of {waiting}"}}
    status: dict[str, Any] = {
        "phase": phase,
        "conditions": [
            {"type": "Ready", "status": "True" if ready else "False"},
            {"type": "PodScheduled", "status": "True" if node else "False"},
        ],
    }
    if state:
        status["containerStatuses"] = [
            {
                "name": "app",
                "state": state,
                "ready": ready,
                "restartCount": restarts,
                "image": f"docker.io/{image}",
                "imageID": "docker.io/app/storefront@sha256:" + "a" * 64,
            }
        ]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def named(kind: str, name: str, *, rv: int = 1, **fields: Any) -> dict[str, Any]:
    metadata = {
        "name": name,
        "uid": f"uid-{kind}-{name}",
        "resourceVersion": str(rv),
        **fields.pop("metadata", {}),
    }
    return {"kind": kind, "metadata": metadata, **fields}


def deployment(
    replicas: int = 3, ready: int = 0, *, app: str = "storefront", rv: int = 1, probe: bool = True
) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "app", "image": "app/storefront:1.0"}
    if probe:
        container["readinessProbe"] = {"httpGet": {"path": "/readyz", "port": 8080}}
    return named(
        "Deployment",
        "storefront",
        rv=rv,
        metadata={"labels": {"app": app}, "generation": 1},
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": {"app": app}},
            "template": {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container]}},
        },
        status={
            "replicas": replicas,
            "readyReplicas": ready,
            "updatedReplicas": replicas,
            "availableReplicas": ready,
            "observedGeneration": 1,
        },
    )


def service(name: str = "storefront", app: str = "storefront") -> dict[str, Any]:
    return named(
        "Service", name, spec={"selector": {"app": app}, "ports": [{"port": 80, "targetPort": 8080}]}
    )


def endpoints(pods: dict[str, str], *, service: str = "storefront", rv: int = 1) -> dict[str, Any]:
    """An EndpointSlice; `pods` = uid -> ready / not-ready / terminating."""
    return named(
        "EndpointSlice",
        f"{service}-x1",
        rv=rv,
        metadata={"labels": {"kubernetes.io/service-name": service}},
        endpoints=[
            {
                "addresses": [f"10.0.0.{n}"],
                "nodeName": "worker-1",
                "conditions": {"ready": state == "ready", "terminating": state == "terminating"},
                "targetRef": {"kind": "Pod", "uid": uid, "name": uid},
            }
            for n, (uid, state) in enumerate(pods.items(), 1)
        ],
    )


def node(name: str = "worker-1", ready: str = "True", memory: str = "512Mi") -> dict[str, Any]:
    return named(
        "Node",
        name,
        spec={},
        status={"allocatable": {"memory": memory}, "conditions": [{"type": "Ready", "status": ready}]},
    )


class Script:
    """Writes a record: each call is one entry; the clock moves by `tick` or by `wait`."""

    def __init__(self, *, at: float = T0, tick: float = 0.01, epoch: int = 1) -> None:
        self.entries: list[Entry] = []
        self.at, self.tick, self.epoch = at, tick, epoch
        self._known: dict[str, dict[str, Any]] = {}
        self._rv = 100

    def add(self, kind: str, uid: str, change: dict[str, Any], source: str = "test") -> Entry:
        self.at += self.tick
        entry = Entry(
            epoch=self.epoch,
            seq=len(self.entries) + 1,
            at=self.at,
            source=source,
            kind=kind,
            uid=uid,
            change=change,
        )
        self.entries.append(entry)
        return entry

    def wait(self, seconds: float) -> None:
        self.at += seconds

    def put(self, object_: dict[str, Any], **extra: Any) -> Entry:
        uid = object_["metadata"]["uid"]
        self._rv += 1
        object_ = {**object_, "metadata": {**object_["metadata"], "resourceVersion": str(self._rv)}}
        op = "MODIFIED" if uid in self._known else "ADDED"
        self._known[uid] = object_
        change = {"op": op, "kind": object_["kind"], "resourceVersion": str(self._rv), "object": object_}
        return self.add("object", uid, {**change, **extra})

    def remove(self, uid: str, **extra: Any) -> Entry:
        object_ = self._known.pop(uid)
        self._rv += 1
        change = {
            "op": "DELETED",
            "kind": object_["kind"],
            "resourceVersion": str(self._rv),
            "object": object_,
        }
        return self.add("object", uid, {**change, **extra})

    def start(self, attempt: int = 1, **params: Any) -> Entry:
        return self.add("start", "", {"attempt": attempt, "params": params, "until": None})

    def probe(self, id_: str = "front", ok: bool = True, **fields: Any) -> Entry:
        return self.add(
            "probe", id_, {"id": id_, "ok": ok, "status": 200 if ok else 503, "ms": 3.0, **fields}
        )

    def summary(self, id_: str = "front", sent: int = 4, failed: int = 0) -> Entry:
        return self.add("probe", id_, {"id": id_, "summary": True, "sent": sent, "failed": failed})

    def action(self, verb: str, resource: str, name: str, **fields: Any) -> Entry:
        change = {
            "verb": verb,
            "resource": resource,
            "name": name,
            "code": 200,
            "through": "terminal",
            **fields,
        }
        return self.add("action", name, change)

    def fault(self, id_: str, phase: str, **fields: Any) -> Entry:
        return self.add("fault", id_, {"id": id_, "phase": phase, **fields})

    def predict(self, id_: str, value: Any) -> Entry:
        return self.add("prediction", id_, {"id": id_, "value": value})

    def submit(self, by: str = "student") -> Entry:
        return self.add("submit", "", {"attempt": 1, "by": by})

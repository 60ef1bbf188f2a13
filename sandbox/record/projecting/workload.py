"""Deployments, ReplicaSets, StatefulSets, DaemonSets and Jobs as the picture shows them."""

from __future__ import annotations

from sandbox.record.delta import Item
from sandbox.record.projecting.pod import owner_key
from sandbox.record.projecting.reading import Object, name, number, part


def project(kind: str, workload: Object) -> Item:
    """The item `workload/<uid>` of the live protocol."""
    counts = {"DaemonSet": _daemon_set, "Job": _job}.get(kind, _replicated)(workload)
    return {
        "t": "workload",
        "kind": kind,
        "name": name(workload),
        **counts,
        "owner": owner_key(workload),
        "rv": str(part(workload, "metadata").get("resourceVersion", "")),
    }


def _replicated(workload: Object) -> Item:
    status = part(workload, "status")
    there = number(status.get("replicas"))
    return {
        "replicas": number(part(workload, "spec").get("replicas"), 1),
        "there": there,
        "ready": number(status.get("readyReplicas")),
        # a ReplicaSet has one template only: all its Pods are of it
        "updated": there if workload.get("kind") == "ReplicaSet" else number(status.get("updatedReplicas")),
        "available": number(status.get("availableReplicas")),
    }


def _daemon_set(workload: Object) -> Item:
    status = part(workload, "status")
    return {
        "replicas": number(status.get("desiredNumberScheduled")),
        "there": number(status.get("currentNumberScheduled")),
        "ready": number(status.get("numberReady")),
        "updated": number(status.get("updatedNumberScheduled")),
        "available": number(status.get("numberAvailable")),
    }


def _job(workload: Object) -> Item:
    spec, status = part(workload, "spec"), part(workload, "status")
    active, done = number(status.get("active")), number(status.get("succeeded"))
    ready = number(status.get("ready"))
    return {
        "replicas": number(spec.get("completions"), number(spec.get("parallelism"), 1)),
        "there": active + done,
        "ready": ready,
        "updated": active + done,
        "available": ready + done,
    }

"""A Node as the picture shows it."""

from __future__ import annotations

from sandbox.record.delta import Item
from sandbox.record.projecting.reading import Object, condition, name, part, quantity


def project(node: Object, requested: float) -> Item:
    """The item `node/<name>`; `requested` = bytes asked for by this sandbox's Pods on it."""
    return {
        "t": "node",
        "name": name(node),
        "ready": condition(node, "Ready"),
        "cordoned": bool(part(node, "spec").get("unschedulable", False)),
        "mem": int(quantity(part(node, "status", "allocatable").get("memory"))),
        "req": int(requested),
    }

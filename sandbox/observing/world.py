"""What the watches last saw, by namespace, so that a sandbox opened later starts from the truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.record.cleaning import clean
from sandbox.record.ours import is_furniture

Key = tuple[str, str]  # kind, uid


# Written anew with every heartbeat of a kubelet.
_BEATING = frozenset({"resourceVersion", "managedFields", "annotations"})


def is_ours(kind: str, obj: dict[str, Any]) -> bool:
    """Guard rails and what every namespace has are no part of a student's record.

    But for what checks read, and for Events, which say who did what (`record.causes`).
    """
    return kind not in ("EndpointSlice", "Event") and is_furniture(kind, obj)


def node_facts(node: dict[str, Any]) -> dict[str, Any]:
    """A Node without what changes every few seconds (heartbeats, image lists)."""
    status = node.get("status") or {}
    conditions = [
        {key: value for key, value in condition.items() if key != "lastHeartbeatTime"}
        for condition in status.get("conditions") or []
    ]
    kept = {key: status[key] for key in ("allocatable", "capacity", "addresses", "nodeInfo") if key in status}
    metadata = {key: value for key, value in (node.get("metadata") or {}).items() if key not in _BEATING}
    return {**node, "metadata": metadata, "status": {**kept, "conditions": conditions}}


class World:
    """Current objects of every namespace of ours, and the nodes."""

    def __init__(self) -> None:
        self._namespaces: dict[str, dict[Key, dict[str, Any]]] = {}
        self.nodes: dict[str, dict[str, Any]] = {}

    def take(self, op: str, kind: str, obj: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """(namespace, cleaned object) when somebody may care, "" for a node; None when nothing changed for us."""
        if kind == "Node":
            return self._take_node(op, obj)
        metadata = obj.get("metadata") or {}
        namespace, uid = metadata.get("namespace", ""), metadata.get("uid", "")
        if not namespace.startswith("gh-") or is_ours(kind, obj):
            return None
        cleaned = clean(obj)
        known = self._namespaces.setdefault(namespace, {})
        told = kind == "Event" and (kind, uid) in known
        if op == "DELETED":
            known.pop((kind, uid), None)
            if not known:
                del self._namespaces[namespace]
        else:
            known[(kind, uid)] = cleaned
        # An Event counts on while its deed repeats, and goes by itself after an hour: told once is enough.
        return None if told else (namespace, cleaned)

    def _take_node(self, op: str, obj: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        facts, name = node_facts(clean(obj)), obj["metadata"]["name"]
        if op == "DELETED":
            self.nodes.pop(name, None)
            return "", facts
        if self.nodes.get(name) == facts:
            return None
        self.nodes[name] = facts
        return "", facts

    def objects(self, namespace: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(kind, object), oldest first."""
        found = self._namespaces.get(namespace, {})
        ordered = sorted(found.items(), key=lambda one: one[1]["metadata"].get("creationTimestamp") or "")
        for (kind, _), obj in ordered:
            yield kind, obj

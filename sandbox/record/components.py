"""One line of fact per control-plane component, read from what the record shows it did."""

from __future__ import annotations

from typing import Any

from sandbox.record import markers
from sandbox.record.delta import Item, Items
from sandbox.record.projecting.pod import suffix
from sandbox.record.projecting.reading import Object, controller, name, part

API, SCHEDULER, CONTROLLERS, STORE = "api-server", "scheduler", "controller-manager", "etcd"
_BY_CONTROLLER = frozenset({"ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Deployment"})


class Components:
    """What each component last did. Nothing is said that no entry shows."""

    def __init__(self) -> None:
        self._items: Items = {
            f"component/{each}": {"t": "component", "name": each, "text": "", "at": 0.0}
            for each in (API, SCHEDULER, CONTROLLERS, STORE)
        }
        self._revision = 0

    def first(self) -> Items:
        """The items before anything happened."""
        return dict(self._items)

    def object(self, kind: str, change: dict[str, Any], before: Item | None, at: float) -> Items:
        """Facts of an `object` entry; `before` = the Pod's item before it."""
        object_: Object = change["object"]
        changed = self._stored(change, at)
        if kind == "Event":
            return changed  # tells of a deed that an object's own entry shows
        if change.get("synthetic"):
            return changed  # found by reading the list again: nobody did it just now
        op = change.get("op")
        shown = suffix(object_) if kind == "Pod" else name(object_)
        if op == "ADDED" and controller(object_).get("kind") in _BY_CONTROLLER:
            changed |= self._acted(CONTROLLERS, f"made {shown}", at)
        if kind == "Pod" and op != "DELETED":
            where = part(object_, "spec").get("nodeName")
            if where and before is not None and not before["node"]:
                changed |= self._acted(SCHEDULER, f"bound {shown}", at)
        if op == "DELETED":
            changed |= self._acted(API, f"{kind} {shown} removed", at)
        return changed

    def action(self, change: dict[str, Any], at: float) -> Items:
        """Facts of an `action` entry: every one passed through the API server."""
        said = markers.of_action(change, None)
        if said is None:
            return {}
        return self._acted(API, said.text, at)

    def view(self, object_: Object, at: float) -> Items:
        """A ComponentView: process state as the platform sees it."""
        wanted, state = str(object_.get("name", "")), str(object_.get("state", ""))
        if f"component/{wanted}" not in self._items:
            return {}
        return self._acted(wanted, state, at)

    def _stored(self, change: dict[str, Any], at: float) -> Items:
        known = part(change["object"], "metadata").get("resourceVersion")
        version = str(change.get("resourceVersion") or known or "")
        if not version.isdigit() or int(version) <= self._revision:
            return {}
        self._revision = int(version)
        return self._acted(STORE, f"rev {self._revision:,}".replace(",", " "), at)

    def _acted(self, component: str, text: str, at: float) -> Items:
        key = f"component/{component}"
        self._items[key] = {"t": "component", "name": component, "text": text, "at": at}
        return {key: self._items[key]}

"""Which entries a beginner should see as marks in time, and in which words."""

from __future__ import annotations

from typing import Any, NamedTuple

from sandbox.record.delta import Item
from sandbox.record.entry import Entry

MOST = 400  # the newest this many stay in the picture

_VERBS = {
    "create": "created",
    "update": "changed",
    "patch": "changed",
    "apply": "changed",
    "delete": "deleted",
    "deletecollection": "deleted all",
    "scale": "scaled",
}
_VERDICTS = {
    "pass": "check passed",
    "fail": "check failed",
    "could-not-grade": "could not grade",
}
_SINGULAR = {
    "pods": "Pod",
    "deployments": "Deployment",
    "replicasets": "ReplicaSet",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "jobs": "Job",
    "services": "Service",
    "configmaps": "ConfigMap",
    "secrets": "Secret",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "networkpolicies": "NetworkPolicy",
    "horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "leases": "Lease",
}


class Said(NamedTuple):
    """A marker without its time."""

    kind: str
    text: str
    of: str | None = None


def marker(entry: Entry, said: Said) -> Item:
    return {
        "t": "marker",
        "kind": said.kind,
        "at": entry.at,
        "seq": entry.seq,
        "text": said.text,
        "of": said.of,
    }


def kind_of(resource: str) -> str:
    """`pods` -> `Pod`; an unknown resource stays as it is."""
    return _SINGULAR.get(resource, resource)


def of_pod(before: Item | None, after: Item | None, key: str) -> Said | None:
    """What happened to a Pod, if it is one of: created, bound, ready, terminating, gone."""
    if after is None:
        return Said("event", f"{before['suffix']} gone", key) if before else None
    suffix = after["suffix"]
    if before is None:
        return Said("event", f"{suffix} created", key)
    if not before["ok"] and after["ok"]:
        return Said("event", f"{suffix} ready", key)
    if before["deleting"] is None and after["deleting"] is not None:
        return Said("event", f"{suffix} terminating", key)
    if not before["node"] and after["node"]:
        return Said("event", f"{suffix} bound to {after['node']}", key)
    return None


def of_action(change: dict[str, Any], key: str | None, suffix: str | None = None) -> Said | None:
    """What the student asked of the cluster, refused or not. Reading and shells are no marks."""
    if change.get("subresource") not in (None, "", "scale"):
        return None
    verb = _VERBS.get(str(change.get("verb")))
    if verb is None:
        return None
    resource = str(change.get("resource", ""))
    what = f"{kind_of(resource)} {suffix or change.get('name') or ''}".strip()
    code = change.get("code")
    if isinstance(code, int) and code >= 400:
        return Said("you", f"Kubernetes refused: {what} not {verb}", key)
    return Said("you", f"you {verb} {what}", key)


def of_fault(change: dict[str, Any], key: str | None) -> Said | None:
    target = change.get("target") or {}
    full = str(target.get("name", ""))
    suffix = str(target.get("suffix") or full)
    phase, by = change.get("phase"), change.get("by")
    if phase == "failed":
        return Said("event", str(change.get("text") or "the fault could not be injected"), key)
    if phase in ("ended", "reverted") and by == "timeline":
        return Said("event", f"this was broken, and is over: {change.get('text') or change.get('id')}", key)
    if phase == "reverted":
        return Said("event", "taken back: it is well again", key)
    if phase != "started":
        return None
    who = "you" if by == "student" else "we"
    if change.get("kind") in (None, "kill-pod") and target.get("kind") == "Pod":
        return Said("fault", f"{who} killed {suffix}", key)
    return Said("fault", f"{who} broke this: {change.get('text') or change.get('id')}", key)


def of_verdict(before: Item | None, after: Item, key: str) -> Said | None:
    said = _VERDICTS.get(after["state"])
    if said is None or (before is not None and before["state"] == after["state"]):
        return None
    return Said("verdict", f"{said}: {after['say']}", key)


def of_prediction(kind: str, change: dict[str, Any], key: str) -> Said | None:
    if kind == "answer":  # a question is marked at once: its outcome needs no place of its own
        return Said("prediction", "you answered a question", key) if "value" in change else None
    if "observed" in change:
        return Said("prediction", "your prediction beside what happened", key)
    return Said("prediction", "your prediction", key)


def of_load(change: dict[str, Any], key: str) -> Said:
    if change.get("phase") == "started":
        pace = f"{float(change.get('rate') or 0):g} requests a second"
        who = "you sent customers" if change.get("by") == "student" else "customers come"
        return Said("you" if change.get("by") == "student" else "event", f"{who}: {pace}", key)
    why = change.get("why")
    return (
        Said("gap", f"the customers stopped: {why}", key)
        if why
        else Said("event", "the customers are gone", key)
    )


def of_gap(change: dict[str, Any]) -> Said:
    seconds = max(0.0, float(change.get("until", 0.0)) - float(change.get("from", 0.0)))
    if change.get("how") == "late":
        return Said("gap", f"news came {seconds:.0f} s late; nothing is lost")
    return Said("gap", f"no record for {seconds:.0f} s")

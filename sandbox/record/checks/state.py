"""What the record says at a moment, as predicates see it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from sandbox.record.cel import Predicate
from sandbox.record.derived import READY, derive
from sandbox.record.entry import Entry
from sandbox.record.ours import is_furniture
from sandbox.record.projecting.reading import Object, name, part, parts
from sandbox.record.projecting.service import service_of
from sandbox.record.selectors import SelectorInvalid, read_selector
from sandbox.record.traffic import LOAD_TIMEOUT_S

_NEVER = "1970-01-01T00:00:00Z"
_NO_RESULT: dict[str, Any] = {
    "ok": False,
    "status": 0,
    "ms": 0.0,
    "body": "",
    "json": {},
    "podUid": "",
    "error": "",
    "at": _NEVER,
}
_NOTHING: frozenset[str] = frozenset()


class SandboxFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What predicates may know of the sandbox itself."""

    namespace: str = ""
    tier: str = "namespace"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What an `each:` predicate is about: the thing now, before, and the operation."""

    object: Object
    old: Object | None = None
    op: str = "ADDED"


class StateView:
    """The current objects by kind, latest probe results, predictions, answers and check states.

    `apply` takes one entry and returns what changed, in the words of `Predicate.kinds`.
    """

    def __init__(
        self,
        *,
        params: Mapping[str, Any] | None = None,
        sandbox: SandboxFacts | None = None,
        images: Mapping[str, str] | None = None,
        probes: frozenset[str] = _NOTHING,
    ) -> None:
        self.params = dict(params or {})
        self.sandbox = sandbox or SandboxFacts()
        self.images = dict(images or {})
        self.at = 0.0
        self.started = 0.0
        self.change: Change | None = None
        self.checks: dict[str, str] = {}
        self.predictions: dict[str, Any] = {}
        self.answers: dict[str, Any] = {}
        self.activation: Any = None
        self.bound: dict[str, tuple[str, ...]] = {}
        self._objects: dict[str, dict[str, Object]] = {}
        self._probes = {each: dict(_NO_RESULT) for each in probes}
        self._good: dict[str, dict[str, Any]] = {}

    def apply(self, entry: Entry) -> frozenset[str]:
        """Fold one entry in; `change` is then what an `each:` predicate is about, or None."""
        self.at = entry.at
        self.activation = None
        self.change = None
        applied = _APPLIED.get(entry.kind)
        return _NOTHING if applied is None else applied(self, entry)

    def move_to(self, at: float) -> None:
        """Let time pass without an entry."""
        if at > self.at:
            self.at = at
            self.activation = None
        self.change = None

    def forget_probes(self) -> None:
        """After a reset an answer of the old shop says nothing."""
        self._probes = {each: dict(_NO_RESULT) for each in self._probes}
        self.activation = None

    def last_good(self, probe: str) -> dict[str, Any]:
        """The newest good answer of a probe, or the plainest one there could be."""
        return self._good.get(probe, {**_NO_RESULT, "ok": True, "status": 200})

    def would_hold(self, predicate: Predicate, object_: Object) -> bool:
        """What an `each:` predicate says of `object_`, were it what just changed."""
        before, self.change, self.activation = self.change, Change(object=object_), None
        held = predicate.evaluate(self) is True
        self.change, self.activation = before, None
        return held

    def set_checks(self, states: Mapping[str, str]) -> None:
        self.checks = dict(states)
        self.activation = None

    def begin(self, at: float, params: Mapping[str, Any]) -> None:
        """A new attempt: what was predicted and answered is void, the objects stay."""
        self.started = at
        self.params = dict(params) or self.params
        self.predictions, self.answers, self.checks = {}, {}, {}
        self.activation = None

    # what the record changes

    def _object(self, entry: Entry) -> frozenset[str]:
        kind, object_ = str(entry.change.get("kind", "")), entry.change.get("object")
        if not isinstance(object_, dict) or (kind != "EndpointSlice" and is_furniture(kind, object_)):
            return _NOTHING
        known = self._objects.setdefault(kind, {})
        op = str(entry.change.get("op", "MODIFIED"))
        old = known.get(entry.uid)
        now = derive(kind, object_)
        if op == "DELETED":
            known.pop(entry.uid, None)
        else:
            known[entry.uid] = now
        self.change = Change(object=now, old=old, op=op)
        return frozenset({kind})

    def _probe(self, entry: Entry) -> frozenset[str]:
        if entry.change.get("summary"):
            return _NOTHING
        known = {key: value for key, value in entry.change.items() if key in _NO_RESULT and value is not None}
        result = {**_NO_RESULT, **known, "at": _time(entry.at).isoformat()}
        self.change = Change(object=result, old=self._probes.get(entry.uid))
        self._probes[entry.uid] = result
        if result["ok"]:
            self._good[entry.uid] = result
        return frozenset({f"probe/{entry.uid}", "probe/*"})

    def _load(self, entry: Entry) -> frozenset[str]:
        """A second in which nobody was answered was no quick one: it counts as the longest wait."""
        object_ = dict(entry.change)
        if object_.get("p95") is None:
            object_["p95"] = LOAD_TIMEOUT_S * 1000
        self.change = Change(object=object_)
        return _NOTHING

    def _other(self, entry: Entry) -> frozenset[str]:
        self.change = Change(object=dict(entry.change))
        return _NOTHING

    def _prediction(self, entry: Entry) -> frozenset[str]:
        if "value" not in entry.change:
            return _NOTHING
        self.predictions[entry.uid] = entry.change["value"]
        return frozenset({"prediction"})

    def _answer(self, entry: Entry) -> frozenset[str]:
        if "value" not in entry.change:
            return _NOTHING
        self.answers[entry.uid] = entry.change["value"]
        self.change = Change(object=dict(entry.change))
        return frozenset({"answer"})

    # what predicates read

    def lookup(self, slot: tuple[str, ...]) -> Any:
        """See `cel.View`. Raises KeyError for an unknown slot."""
        return _LOOKUPS[slot[0]](self, *slot[1:])

    def objects(self, kind: str) -> list[Object]:
        return list(self._objects.get(kind, {}).values())

    def pods(self, selector: str) -> list[Object]:
        """Raises SelectorInvalid, which an evaluation reports as undecided."""
        matches = read_selector(selector).matches
        pods = self._objects.get("Pod", {}).values()
        return [each for each in pods if matches(part(each, "metadata", "labels"))]

    def ready_pods(self, selector: str) -> list[Object]:
        return [each for each in self.pods(selector) if each[READY]]

    def one(self, kind: str, wanted: str) -> Object:
        found = (each for each in self._objects.get(kind, {}).values() if name(each) == wanted)
        return next(found, {})

    def endpoints(self, service: str) -> list[dict[str, str]]:
        """The ready Pods behind a Service, each once: {podUid, ip, node}."""
        found: dict[str, dict[str, str]] = {}
        for slice_ in self._objects.get("EndpointSlice", {}).values():
            if service_of(slice_) != service:
                continue
            for endpoint in parts(slice_, "endpoints"):
                target, addresses = part(endpoint, "targetRef"), endpoint.get("addresses")
                ready = part(endpoint, "conditions").get("ready") is not False
                if ready and target.get("kind") == "Pod" and target.get("uid"):
                    uid = str(target["uid"])
                    ip = str(addresses[0]) if isinstance(addresses, list) and addresses else ""
                    node = str(endpoint.get("nodeName") or "")
                    found[uid] = {"podUid": uid, "ip": ip, "node": node}
        return list(found.values())

    def digest(self, image: str) -> str:
        """Of a catalogue name or any reference; "" when unknown. `app/x:1.0` is short for what nodes call it."""
        if "@" in image:
            return image.rpartition("@")[2]
        return self.images.get(image) or self.images.get(f"docker.io/{image}", "")

    def _facts(self) -> dict[str, Any]:
        return {
            "namespace": self.sandbox.namespace,
            "tier": self.sandbox.tier,
        }

    def _elapsed(self) -> str:
        return f"{max(0.0, self.at - self.started):.6f}s"

    def _what(self, field: str) -> Any:
        return None if self.change is None else getattr(self.change, field)


def _time(at: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(at, dt.UTC)


_APPLIED = {
    "object": StateView._object,
    "probe": StateView._probe,
    "load": StateView._load,
    "action": StateView._other,
    "fault": StateView._other,
    "prediction": StateView._prediction,
    "answer": StateView._answer,
}
_LOOKUPS: dict[str, Any] = {
    "objects": StateView.objects,
    "pods": StateView.pods,
    "readyPods": StateView.ready_pods,
    "one": StateView.one,
    "endpoints": StateView.endpoints,
    "digest": StateView.digest,
    "params": lambda view: view.params,
    "probe": lambda view: view._probes,
    "prediction": lambda view: view.predictions,
    "answer": lambda view: view.answers,
    "check": lambda view: view.checks,
    "sandbox": StateView._facts,
    "elapsed": StateView._elapsed,
    "at": lambda view: _time(view.at),
    "object": lambda view: view._what("object"),
    "old": lambda view: view._what("old"),
    "op": lambda view: view._what("op"),
}

__all__ = ["Change", "SandboxFacts", "SelectorInvalid", "StateView"]

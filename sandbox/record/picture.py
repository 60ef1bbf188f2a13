"""The record folded up to a moment: what the page draws. The only reducer there is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.record import markers
from sandbox.record.components import Components
from sandbox.record.delta import Delta, Item, Items, changed_fields, merge
from sandbox.record.entry import Entry
from sandbox.record.feedback import LIVE, feedback_of
from sandbox.record.ours import is_furniture
from sandbox.record.projecting import node, pod, service, workload
from sandbox.record.projecting.reading import Object, name, part, uid

__all__ = ["Delta", "Picture", "fold", "merge"]

_CLEARED_BY_START = ("load/", "check/", "prediction/", "answer/", "fault/", "probe/", "hint/")
_LOST_AFTER_END = 30.0  # seconds in which a lost request still counts to a fault without `settle`


class Picture:
    """Items by key (live protocol, section 1). Feed it every entry of a sandbox, in order of `seq`.

    Items are replaced, never changed in place: a snapshot taken before stays what it was.
    """

    def __init__(self) -> None:
        self.items: Items = {}
        self.epoch = 0
        self.seq = 0
        self.at = 0.0
        self._set: Items = {}
        self._gone: dict[str, None] = {}
        self._services: dict[str, Object] = {}
        self._slices: dict[str, Object] = {}
        self._nodes: dict[str, Object] = {}
        self._memory: dict[str, tuple[str, float]] = {}  # Pod uid -> node, bytes requested
        self._resident: dict[str, int] = {}  # Pod uid -> bytes its app says it uses
        self._answered: dict[str, set[str]] = {}  # load item -> uids of Pods that answered it
        self._markers: deque[str] = deque()
        self._faults_by: dict[str, _Window] = {}
        self._untold: dict[str, dict[str, Any]] = {}  # faults of the clock, until they are over
        self._feedback = LIVE  # of this attempt: when the student is told what came of things
        self._held: Items = {}  # what is not told yet, as it will be shown
        self._components = Components()
        for key, item in self._components.first().items():
            self._put(key, item)

    def feed(self, entry: Entry) -> Delta | None:
        """Fold one entry in. None only for one that was folded before (its seq is not new).

        An entry that changes nothing still gives an empty delta, so that `seq` has no holes (rule L1).
        """
        if entry.seq <= self.seq:
            return None
        self._set, self._gone = {}, {}
        self.epoch, self.seq, self.at = entry.epoch, entry.seq, entry.at
        reducer = _REDUCERS.get(entry.kind)
        if reducer is not None:
            reducer(self, entry)
        return Delta(
            epoch=entry.epoch,
            seq=entry.seq,
            at=entry.at,
            set=self._set,
            gone=tuple(self._gone),
            first=entry.seq,
        )

    def snapshot(self, sandbox: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The snapshot frame. `sandbox` = fields of `sandbox/self` known outside the record."""
        items = dict(self.items)
        if sandbox:
            items["sandbox/self"] = {**(items.get("sandbox/self") or dict(_SANDBOX)), **sandbox}
        return {"f": "snapshot", "epoch": self.epoch, "seq": self.seq, "at": self.at, "items": items}

    # items

    def _put(self, key: str, item: Item) -> None:
        before = self.items.get(key)
        changed = changed_fields(before, item)
        if not changed:
            return
        self.items[key] = item
        self._gone.pop(key, None)
        known = self._set.get(key)
        self._set[key] = {**known, **changed} if known else changed

    def _remove(self, key: str) -> None:
        if self.items.pop(key, None) is not None:
            self._set.pop(key, None)
            self._gone[key] = None

    def _say(self, entry: Entry, said: markers.Said | None) -> None:
        if said is None:
            return
        key = f"marker/{entry.seq}"
        self._put(key, markers.marker(entry, said))
        self._markers.append(key)
        while len(self._markers) > markers.MOST:
            self._remove(self._markers.popleft())

    def _key_of(self, kind: str, wanted: str) -> str | None:
        """The picture's key of an object by kind and name."""
        for key, item in self.items.items():
            if item.get("name") == wanted and _kind(item) == kind:
                return key
        return None

    # objects

    def _object(self, entry: Entry) -> None:
        change = entry.change
        kind, object_ = str(change.get("kind", "")), change.get("object")
        if not isinstance(object_, dict):
            return
        deleted = change.get("op") == "DELETED"
        before = self.items.get(f"pod/{entry.uid}") if kind == "Pod" else None
        if kind == "Node":
            self._node(object_, deleted)
        elif kind == "EndpointSlice":
            self._slice(object_, deleted)
        elif kind == "ComponentView":
            self._show(self._components.view(object_, entry.at))
            return
        elif not is_furniture(kind, object_):
            self._students_object(kind, object_, deleted)
        self._show(self._components.object(kind, change, before, entry.at))
        if kind == "Pod":
            key = f"pod/{uid(object_)}"
            self._say(entry, markers.of_pod(before, self.items.get(key), key))

    def _students_object(self, kind: str, object_: Object, deleted: bool) -> None:
        key = _key(kind, object_)
        if kind == "Service":
            self._services.pop(uid(object_), None)
            if not deleted:
                self._services[uid(object_)] = object_
        if kind == "Pod":
            self._reserve(object_, deleted)
        if deleted:
            self._remove(key)
            self._resident.pop(uid(object_), None)
        elif kind == "Pod":
            self._put(key, {**pod.project(object_), **self._used_by(uid(object_))})
        elif kind in pod.WORKLOADS:
            self._put(key, workload.project(kind, object_))
        elif kind == "Service":
            self._put(key, service.project(object_, self._slices_of(name(object_))))
        else:
            self._put(key, {"t": "object", "kind": kind, "name": name(object_)})

    def _used_by(self, identity: str) -> Item:
        """Memory as last measured; nothing before that."""
        return {"mem": self._resident[identity]} if identity in self._resident else {}

    def _reserve(self, object_: Object, deleted: bool) -> None:
        """Keep each node's sum of requested memory; a finished Pod requests nothing any more."""
        identity = uid(object_)
        where = str(part(object_, "spec").get("nodeName") or "")
        over = deleted or part(object_, "status").get("phase") in ("Succeeded", "Failed")
        before = self._memory.pop(identity, None)
        if where and not over:
            self._memory[identity] = (where, pod.requested_memory(object_))
        for each in {where, before[0] if before else ""}:
            if each in self._nodes:
                self._put_node(each)

    def _node(self, object_: Object, deleted: bool) -> None:
        if deleted:
            self._nodes.pop(name(object_), None)
            self._remove(f"node/{name(object_)}")
        else:
            self._nodes[name(object_)] = object_
            self._put_node(name(object_))

    def _put_node(self, wanted: str) -> None:
        requested = sum(bytes_ for where, bytes_ in self._memory.values() if where == wanted)
        self._put(f"node/{wanted}", node.project(self._nodes[wanted], requested))

    def _slice(self, object_: Object, deleted: bool) -> None:
        if deleted:
            self._slices.pop(uid(object_), None)
        else:
            self._slices[uid(object_)] = object_
        wanted = service.service_of(object_)
        for key, each in self._services.items():
            if name(each) == wanted:
                self._put(f"service/{key}", service.project(each, self._slices_of(wanted)))

    def _slices_of(self, wanted: str) -> list[Object]:
        return [each for each in self._slices.values() if service.service_of(each) == wanted]

    def _show(self, components: Items) -> None:
        for key, item in components.items():
            self._put(key, item)

    # what people and the platform do

    def _action(self, entry: Entry) -> None:
        self._show(self._components.action(entry.change, entry.at))
        kind = markers.kind_of(str(entry.change.get("resource", "")))
        key = self._key_of(kind, str(entry.change.get("name") or ""))
        suffix = self.items[key].get("suffix") if key else None
        self._say(entry, markers.of_action(entry.change, key, suffix))

    def _probe(self, entry: Entry) -> None:
        key, change = f"probe/{entry.uid}", entry.change
        item = dict(self.items.get(key) or _PROBE)
        if change.get("summary"):
            item["sent"] += int(change.get("sent", 0))
            item["failed"] += int(change.get("failed", 0))
            if change.get("sent") and not change.get("failed"):
                item["ok"] = (
                    True  # said once, before the attempt cleared it; a second without a failure says it too
                )
            pods = {f"pod/{each}": count for each, count in (change.get("pods") or {}).items()}
            item |= {"pods": pods, "pod": self._shown_pod([*pods]), "p95": change.get("p95")}
        else:
            item |= {field: change.get(field) for field in ("ok", "status", "ms", "error")}
            if change.get("ok") is False:
                self._count_lost(1, entry.at)
            else:
                item["pod"] = self._shown_pod([f"pod/{change.get('podUid')}"])
        self._put(key, item)

    def _shown_pod(self, keys: list[str]) -> str | None:
        """The last of them that is in the picture."""
        return next((key for key in reversed(keys) if key in self.items), None)

    def _load(self, entry: Entry) -> None:
        key, change = f"load/{entry.uid}", entry.change
        known, phase = self.items.get(key), change.get("phase")
        if phase == "started":
            self._answered[key] = set()
            about = {"until": change.get("until"), "rate": change.get("rate", 0)}
            self._put(key, {**_LOAD, **about, "phase": "running", "at": entry.at})
            self._say(entry, markers.of_load(change, key))
        elif phase == "ended" and known is not None:
            self._put(key, {**known, "phase": "ended", "until": entry.at})
            self._say(entry, markers.of_load(change, key))
        elif "sent" in change:
            self._load_second(key, change, known or {**_LOAD, "phase": "running", "at": entry.at})
            self._count_lost(int(change.get("failed") or 0) + int(change.get("lost") or 0), entry.at)

    def _load_second(self, key: str, change: dict[str, Any], item: Item) -> None:
        answered = self._answered.setdefault(key, set())
        answered.update(change.get("pods") or ())
        totals = {field: item[field] + int(change.get(field) or 0) for field in ("sent", "failed", "lost")}
        last = {"sent": change["sent"], "failed": change.get("failed", 0), "p95": change.get("p95")}
        self._put(key, {**item, **totals, "p95": last["p95"], "last": last, "distinct": len(answered)})

    def _measure(self, entry: Entry) -> None:
        for identity, used in (entry.change.get("pods") or {}).items():
            key = f"pod/{identity}"
            if key in self.items:
                self._resident[identity] = int(used)
                self._put(key, {**self.items[key], "mem": int(used)})

    def _count_lost(self, lost: int, at: float) -> None:
        for key, window in self._faults_by.items():
            if not lost or not window.holds(at):
                continue
            if key in self._untold:
                untold = self._untold[key]
                self._untold[key] = {**untold, "lost": untold.get("lost", 0) + lost}
            elif (item := self.items.get(key)) is not None:
                self._put(key, {**item, "lost": item["lost"] + lost})

    def _fault(self, entry: Entry) -> None:
        key, change = f"fault/{entry.uid}", entry.change
        before = self.items.get(key) or {**_FAULT, "at": entry.at}
        phase = change.get("phase")
        if change.get("by") == "timeline":
            change = self._incident(key, entry)
            if not change:
                self._open_window(key, phase, entry)
                return
        item: Item = {**before, **{field: change[field] for field in _TOLD if field in change}}
        if phase not in _GOES_ON and ((phase and phase != before["phase"]) or phase == "started"):
            item |= {"phase": phase, "at": entry.at}
        if targets := _targets(change):
            item |= {"target": targets[0], "targets": targets}
        if phase == "started":
            item |= {"lost": 0, "began": entry.at}
            if change.get("by") == "submit":
                self._attempt_state("testing", "Now we test it ourselves.")
        self._open_window(key, phase, entry)
        if phase in _OVER:
            item["until"] = None
        self._put(key, item)
        self._say(entry, markers.of_fault(self._with_suffix(change), item["target"]))

    def _open_window(self, key: str, phase: Any, entry: Entry) -> None:
        """From its start a lost request counts to the fault."""
        if phase == "started":
            settle = float(entry.change.get("settle") or _LOST_AFTER_END)
            self._faults_by[key] = _Window(entry.at, None, settle)
        elif phase in _OVER and key in self._faults_by:
            self._faults_by[key] = self._faults_by[key].ended(entry.at)

    def _incident(self, key: str, entry: Entry) -> dict[str, Any]:
        """What is broken by the clock is to be found out: told once it is over, nothing before."""
        change, phase = entry.change, entry.change.get("phase")
        if phase not in _OVER:
            if phase == "started":
                self._untold[key] = {**change, "began": entry.at}
            return {}
        return {**self._untold.pop(key, {}), **{field: value for field, value in change.items() if value}}

    def _with_suffix(self, change: dict[str, Any]) -> dict[str, Any]:
        target = change.get("target")
        if not isinstance(target, dict):
            return change
        known = self.items.get(f"pod/{target.get('uid')}") or {}
        return {**change, "target": {**target, "suffix": known.get("suffix")}}

    def _verdict(self, entry: Entry) -> None:
        key, change = f"check/{entry.uid}", entry.change
        before = self._held.get(key) or self.items.get(key)
        decided = change.get("decided_by") or []
        item: Item = {
            "t": "check",
            "say": str(change.get("say") or (before or {}).get("say") or entry.uid),
            "state": str(change.get("state", "waiting")),
            "points": change.get("points", 0),
            "of": change.get("of", 0),
            "line": str(change.get("line") or ""),
            "seq": decided[-1]["seq"] if decided else None,
            "at": change.get("at", entry.at),
        }
        if self._is_held(key, item):
            return
        self._put(key, item)
        self._say(entry, markers.of_verdict(before, item, key))
        self._count_points()

    def _is_held(self, key: str, item: Item) -> bool:
        """Keep back what came of it while the exercise does not tell it; the place of it is shown."""
        if not self._feedback.holds:
            return False
        self._held[key] = item
        self._put(key, self._feedback.covered(item))
        return True

    def _tell_held(self) -> None:
        held, self._held = self._held, {}
        for key, item in held.items():
            self._put(key, item)
        self._count_points()

    def _count_points(self) -> None:
        """Points so far, of those that can be graded: could-not-grade leaves both sides."""
        item = self.items.get("attempt/now")
        if item is None or item["state"] in ("marked", "could-not-mark"):
            return
        checks = [each for key, each in self.items.items() if key.startswith("check/")]
        gradable = [each for each in checks if each["state"] != "could-not-grade"]
        points = sum(each["points"] for each in gradable)
        self._put("attempt/now", {**item, "points": points, "of": sum(each["of"] for each in gradable)})

    def _prediction(self, entry: Entry) -> None:
        """A prediction, or the answer to a question: what was said, and later what came of it."""
        key, change = f"{entry.kind}/{entry.uid}", entry.change
        known = self._held.get(key) or self.items.get(key)
        item = dict(known or {"t": entry.kind, **dict.fromkeys(_PREDICTION_FIELDS)})
        if "value" in change:
            item |= {"value": change["value"], "at": change.get("at", entry.at), "why": change.get("why")}
        if "observed" in change:
            item |= {field: change.get(field) for field in ("observed", "right", "pairs")}
        if self._is_held(key, item):
            if "value" not in change:
                return
        else:
            self._put(key, item)
        self._say(entry, markers.of_prediction(entry.kind, change, key))

    def _hint(self, entry: Entry) -> None:
        change = entry.change
        phase = change.get("phase")
        gone = phase == "gone"
        self._put(
            "hint/now",
            {
                "t": "hint",
                "offered": not gone,
                "id": "" if gone else str(change.get("id") or entry.uid),
                "say": change.get("say") if phase == "opened" else None,
                "n": 0 if gone else int(change.get("n") or 0),
                "most": 0 if gone else int(change.get("most") or 0),
            },
        )
        if phase == "opened":
            self._say(entry, markers.Said("hint", "you opened a hint", "hint/now"))

    # the attempt and the sandbox

    def _start(self, entry: Entry) -> None:
        """Counts begin anew; how the shop answered last is as true as before, and may not be said again."""
        probes = {key: item for key, item in self.items.items() if key.startswith("probe/")}
        self._clear()
        for key, item in probes.items():
            self._put(key, {**item, "sent": 0, "failed": 0})
        change = entry.change
        self._feedback = feedback_of(entry)
        item = {**_ATTEMPT, "n": int(change.get("attempt") or 1), "started": entry.at}
        self._put("attempt/now", {**item, "until": change.get("until"), "text": self._feedback.line})

    def _clear(self) -> None:
        for key in [key for key in self.items if key.startswith(_CLEARED_BY_START)]:
            self._remove(key)
        self._faults_by.clear()
        self._untold.clear()
        self._held.clear()
        self._answered.clear()

    def _submit(self, entry: Entry) -> None:
        self._feedback = self._feedback.after_submit()
        by = str(entry.change.get("by"))
        if by == "checks" and self._feedback.holds:
            by = "itself"
        said = _HANDED_IN.get(by, "you handed in")
        self._attempt_state("closing", "Open windows run to their end.")
        if not self._feedback.holds:
            self._tell_held()
        self._say(entry, markers.Said("submit", said, "attempt/now"))

    def _handover(self, entry: Entry) -> None:
        self._attempt_state("handed-in", "The mark is being worked out.")

    def _mark(self, entry: Entry) -> None:
        item, change = self.items.get("attempt/now"), entry.change
        if item is None:
            return
        if change.get("points") is None:
            text = str(change.get("text") or "The mark could not be worked out yet. It is tried again.")
            self._put("attempt/now", {**item, "state": "could-not-mark", "text": text})
            return
        if self._feedback.holds:
            self._attempt_state("handed-in", self._feedback.line)
            return
        text = "Some checks could not be graded; they cost nothing." if change.get("provisional") else ""
        marked = {"state": "marked", "points": change["points"], "of": change.get("of", 0), "text": text}
        self._put("attempt/now", {**item, **marked})
        self._say(entry, markers.Said("submit", f"marked: {change['points']:g} of {change.get('of', 0):g}"))

    def _attempt_state(self, state: str, text: str) -> None:
        item = self.items.get("attempt/now")
        if item is not None:
            self._put("attempt/now", {**item, "state": state, "text": text})

    def _reset(self, entry: Entry) -> None:
        self._clear()
        self._say(entry, markers.Said("reset", "back to the start"))

    def _phase(self, entry: Entry) -> None:
        before = self.items.get("sandbox/self") or _SANDBOX
        known = {field: entry.change[field] for field in _SANDBOX if field in entry.change}
        self._put("sandbox/self", {**before, **known})

    def _gap(self, entry: Entry) -> None:
        self._say(entry, markers.of_gap(entry.change))

    def _trouble(self, entry: Entry) -> None:
        self._say(entry, markers.Said("gap", str(entry.change.get("text") or "trouble on our side")))


class _Window:
    """When a lost request counts to a fault: from its start until some time after its end."""

    def __init__(self, start: float, end: float | None, settle: float) -> None:
        self._start, self._end, self._settle = start, end, settle

    def ended(self, at: float) -> _Window:
        return _Window(self._start, at, self._settle)

    def holds(self, at: float) -> bool:
        return self._start <= at and (self._end is None or at <= self._end + self._settle)


_HANDED_IN = {"checks": "every check passed", "time": "time is up", "itself": "the attempt was handed in"}
_PREDICTION_FIELDS = ("value", "at", "observed", "right", "why", "pairs")
_PROBE: Item = {
    "t": "probe",
    "ok": False,
    "status": None,
    "ms": None,
    "error": None,
    "sent": 0,
    "failed": 0,
    "p95": None,
    "pod": None,
    "pods": {},
}
_LOAD: Item = {
    "t": "load",
    "phase": "idle",
    "at": 0.0,
    "until": None,
    "rate": 0,
    "sent": 0,
    "failed": 0,
    "p95": None,
    "lost": 0,
    "distinct": 0,
    "last": None,
}
_FAULT: Item = {
    "t": "fault",
    "kind": None,
    "how": None,
    "phase": "armed",
    "target": None,
    "targets": [],
    "at": 0.0,
    "began": None,
    "until": None,
    "text": "",
    "needs": [],
    "lost": 0,
}
_TOLD = (
    "kind",
    "how",
    "began",
    "until",
    "text",
    "needs",
    "lost",
)  # fields of a fault's item, as its entry says them
_GOES_ON = ("repeated", "reverting")
_OVER = ("ended", "reverted", "failed")
_ATTEMPT: Item = {
    "t": "attempt",
    "n": 1,
    "state": "running",
    "started": 0.0,
    "until": None,
    "points": 0,
    "of": 0,
    "text": "",
}
_SANDBOX: Item = {
    "t": "sandbox",
    "phase": "requested",
    "phases": [],
    "expires": None,
    "place": 0,
    "text": "",
}

_REDUCERS: dict[str, Callable[[Picture, Entry], None]] = {
    "object": Picture._object,
    "action": Picture._action,
    "probe": Picture._probe,
    "load": Picture._load,
    "measure": Picture._measure,
    "fault": Picture._fault,
    "verdict": Picture._verdict,
    "prediction": Picture._prediction,
    "answer": Picture._prediction,
    "hint": Picture._hint,
    "start": Picture._start,
    "submit": Picture._submit,
    "handover": Picture._handover,
    "mark": Picture._mark,
    "reset": Picture._reset,
    "phase": Picture._phase,
    "gap": Picture._gap,
    "trouble": Picture._trouble,
}


def fold(entries: Iterable[Entry]) -> Picture:
    """The picture after all `entries`."""
    picture = Picture()
    for entry in entries:
        picture.feed(entry)
    return picture


def _targets(change: Mapping[str, Any]) -> list[str]:
    """Keys of what a fault's entry says is hit."""
    found = change.get("targets") or [change.get("target")]
    return [
        f"{str(each.get('kind', 'Pod')).lower()}/{each['uid']}"
        for each in found
        if isinstance(each, dict) and each.get("uid")
    ]


def _key(kind: str, object_: Object) -> str:
    if kind == "Pod":
        return f"pod/{uid(object_)}"
    if kind in pod.WORKLOADS:
        return f"workload/{uid(object_)}"
    return f"{'service' if kind == 'Service' else 'object'}/{uid(object_)}"


def _kind(item: Item) -> str:
    return str(item.get("kind") or {"pod": "Pod", "service": "Service", "node": "Node"}.get(item["t"], ""))

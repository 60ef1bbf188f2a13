"""One fault into one sandbox, and out again: look first, then act, then take it back.

`prepare` only reads; what it gives goes into the record before `apply` sends anything, and is all that `revert` and
`is_over` need. So whoever reads the record can take back what somebody else began. kill-pod alone is elsewhere
(`killing.py`): it goes out with the student's own key and leaves nothing to take back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kinds import POD
from sandbox.errors import ClusterUnavailable, Invalid, NotFound, SandboxError
from sandbox.faults import corrupting
from sandbox.faults.hands import Hands, HandsAway, HandsRefused
from sandbox.faults.switching import Asker, SwitchAway, SwitchRefused, is_off, state_of, switch, words_for
from sandbox.record.exercise import Fault
from sandbox.record.fault_kinds import KINDS, how_of, lasts

Pod = Mapping[str, Any]
Undo = Mapping[str, Any]


class CannotBreak(SandboxError):
    """It was not done, and why, in a sentence for the person. `ours`: an error of ours, which costs nobody."""

    def __init__(self, text: str, *, ours: bool) -> None:
        super().__init__(text)
        self.ours = ours


class NotYetBack(SandboxError):
    """It could not be taken back now; it is tried again."""


@dataclass(frozen=True, slots=True)
class Place:
    """The sandbox: its namespace, the student's values, its objects by (kind, name), its seed."""

    namespace: str
    params: Mapping[str, Any]
    objects: Mapping[tuple[str, str], Mapping[str, Any]]
    seed: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """`targets` and `text` are for everybody, `undo` for us: what to send, and what to send to take it back."""

    targets: list[dict[str, str]]
    undo: dict[str, Any]
    text: str


class Injector:
    """The edge. `runner` reads Pods, `keeper` changes objects in the platform's name."""

    def __init__(self, runner: ClusterClient, keeper: ClusterClient, prober: Asker, hands: Hands) -> None:
        self._runner, self._keeper, self._prober, self._hands = runner, keeper, prober, hands

    # --- before -------------------------------------------------------------------------------------
    async def prepare(self, fault: Fault, place: Place, pods: Sequence[Pod]) -> Prepared:
        """`pods` are the targets chosen. Raises CannotBreak, ApiError, ClusterUnavailable."""
        refused = KINDS[fault.kind].refused
        if refused is not None:
            raise CannotBreak(refused, ours=False)
        if fault.kind == "corrupt-config":
            return self._prepare_corruption(fault, place)
        if fault.kind == "break-dns":
            name = str(fault.parameters.get("name", "all"))
            undo = {"dns": {"names": [] if name == "all" else [name]}}
            return Prepared([], undo, text_for(fault, []))
        fresh = [await self._read(place.namespace, pod) for pod in pods]
        entries = [self._entry(fault, pod) for pod in fresh]
        if "on" in entries[0]:
            for entry in entries:
                await self._state(entry)
        targets = [
            {"kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]} for pod in fresh
        ]
        return Prepared(targets, {"pods": entries}, text_for(fault, fresh))

    async def _read(self, namespace: str, pod: Pod) -> Pod:
        """The Pod as it is now, not as the watch saw it a moment ago."""
        name = pod["metadata"]["name"]
        try:
            fresh: Pod = await self._runner.request("GET", POD.path(namespace, name), timeout=3.0)
        except NotFound:
            raise CannotBreak(f"{name} is gone already.", ours=False) from None
        if fresh["metadata"]["uid"] != pod["metadata"]["uid"]:
            raise CannotBreak(f"{name} is gone already.", ours=False)
        return fresh

    def _entry(self, fault: Fault, pod: Pod) -> dict[str, Any]:
        """What is needed to act on this Pod and to see that it is over. Raises CannotBreak."""
        metadata = pod["metadata"]
        entry = {"uid": metadata["uid"], "name": metadata["name"], "restarts": restarts_of(pod)}
        if fault.kind == "kill-container" and how_of(fault) == "sigkill":
            wanted = str(fault.parameters.get("container", ""))
            return entry | {"container": running_container(pod, wanted)}
        address = (pod.get("status") or {}).get("podIP")
        if not address:
            raise CannotBreak(f"{metadata['name']} does not run yet.", ours=False)
        on, off = words_for(fault, pod)
        return entry | {"ip": address, "on": on, "off": off}

    async def _state(self, entry: Mapping[str, Any]) -> str:
        """Raises CannotBreak when there is nobody to switch."""
        try:
            return await state_of(self._prober, entry["name"], entry["uid"], entry["ip"])
        except SwitchRefused as error:
            raise CannotBreak(f"{error}.", ours=False) from error
        except SwitchAway as error:
            raise CannotBreak(f"It could not be started: {error}.", ours=error.ours) from error

    def _prepare_corruption(self, fault: Fault, place: Place) -> Prepared:
        kind, name = corrupting.object_of(fault)
        obj = place.objects.get((kind, name))
        if obj is None:
            raise CannotBreak(f"There is no {kind} {name} to corrupt.", ours=False)
        try:
            found = corrupting.corruption_for(fault, obj, place.namespace, place.params, place.seed)
        except corrupting.NothingThere as error:
            raise CannotBreak(f"{error}.", ours=False) from error
        undo = {"path": found.path, "pointer": found.pointer, "old": found.old, "new": found.new}
        return Prepared([], {"value": undo}, text_for(fault, []))

    # --- the act ------------------------------------------------------------------------------------
    async def apply(self, place: str, undo: Undo, seconds: float | None, token: str | None = None) -> None:
        """Send what was prepared, to the namespace `place`; doing it twice is the same as once.

        Raises CannotBreak, ApiError, ClusterUnavailable; what was done up to then `revert` takes back.
        """
        try:
            await self._apply(place, undo, seconds, token)
        except (SwitchRefused, HandsRefused) as error:
            raise CannotBreak(f"It could not be done: {error}", ours=False) from error
        except SwitchAway as error:
            raise CannotBreak(f"It could not be done: {error}", ours=error.ours) from error
        except HandsAway as error:
            raise CannotBreak(str(error), ours=True) from error

    async def _apply(self, place: str, undo: Undo, seconds: float | None, token: str | None) -> None:
        if "dns" in undo:
            await self._hands.break_dns(place, list(undo["dns"]["names"]), seconds or 1.0)
        if "value" in undo:
            await self._change(undo["value"], "old", "new", token)
        for each in undo.get("pods", ()):
            if "container" in each:
                await self._hands.kill_container(place, each["name"], each["uid"], each["container"])
            else:
                await switch(self._prober, each["name"], each["uid"], each["ip"], each["on"])

    async def _change(
        self, value: Mapping[str, Any], before: str, after: str, token: str | None = None
    ) -> None:
        client = self._runner if token is not None else self._keeper
        operations = corrupting.patch(value["pointer"], value[before], value[after])
        try:
            await corrupting.send(client, value["path"], operations, token)
        except Invalid as error:
            raise CannotBreak("The value is another one by now.", ours=False) from error

    # --- after --------------------------------------------------------------------------------------
    async def revert(self, place: str, undo: Undo, pods: Mapping[str, Pod]) -> list[str]:
        """Take it back; names of Pods in which somebody else had done so before. `pods` by uid, as they are now.

        What ended by itself (a Pod that is gone, a container started again, a value mended) is left alone. Raises
        NotYetBack.
        """
        try:
            return await self._revert(place, undo, pods)
        except (HandsAway, SwitchAway, ClusterUnavailable) as error:
            raise NotYetBack(str(error)) from error

    async def _revert(self, place: str, undo: Undo, pods: Mapping[str, Pod]) -> list[str]:
        if "dns" in undo:
            await self._hands.mend_dns(place)
        if "value" in undo:
            try:
                await self._change(undo["value"], "new", "old")
            except (CannotBreak, NotFound):
                return []  # mended or removed meanwhile: nothing of ours is left in it
        early: list[str] = []
        for each in undo.get("pods", ()):
            if "off" in each and _is_same(each, pods) and await self._was_off(place, each):
                early.append(each["name"])
            elif "off" in each and _is_same(each, pods):
                await self._switch_off(each)
        return early

    async def _was_off(self, place: str, each: Mapping[str, Any]) -> bool:
        """Switched off by somebody else, in the same process."""
        try:
            state = await state_of(self._prober, each["name"], each["uid"], each["ip"])
            if not is_off(state, each["off"]):
                return False
            fresh: Pod = await self._runner.request("GET", POD.path(place, each["name"]), timeout=3.0)
        except (SwitchRefused, NotFound):
            return False
        return _is_same(each, {fresh["metadata"]["uid"]: fresh})

    async def _switch_off(self, each: Mapping[str, Any]) -> None:
        with contextlib.suppress(SwitchRefused):  # the process is gone, and with it what was switched
            await switch(self._prober, each["name"], each["uid"], each["ip"], each["off"])


def is_over(undo: Undo, pods: Mapping[str, Pod]) -> bool:
    """For what happens at once: every container that was hit has ended. Pure."""
    return not any(_is_same(each, pods) for each in undo.get("pods", ()))


def _is_same(each: Mapping[str, Any], pods: Mapping[str, Pod]) -> bool:
    """The Pod is there, and its containers are those that were hit."""
    pod = pods.get(each["uid"])
    if pod is None:
        return False
    if (count := restarts_of(pod)) != each["restarts"]:
        return count < int(each["restarts"])  # seen before it was hit: the watch is a moment behind
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    if "container" in each:
        return any(
            one.get("containerID") == each["container"] and "running" in (one.get("state") or {})
            for one in statuses
        )
    return all("terminated" not in (one.get("state") or {}) for one in statuses)


def restarts_of(pod: Pod) -> int:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return sum(int(each.get("restartCount") or 0) for each in statuses)


def running_container(pod: Pod, wanted: str) -> str:
    """`containerd://…` of the container named, or of the first. Raises CannotBreak."""
    name = pod["metadata"]["name"]
    for each in (pod.get("status") or {}).get("containerStatuses") or []:
        if (
            wanted in ("", each.get("name"))
            and "running" in (each.get("state") or {})
            and each.get("containerID")
        ):
            return str(each["containerID"])
    raise CannotBreak(f"No container {wanted or ''} of {name} is running.".replace("  ", " "), ours=False)


def text_for(fault: Fault, pods: Sequence[Pod]) -> str:
    """What happens, in one line for the page."""
    who, seconds, how = _who(pods), f"{lasts(fault) or 0:g} s", how_of(fault)
    match fault.kind:
        case "kill-pod":
            return f"{who} is deleted" if len(pods) == 1 else f"{who} are deleted"
        case "kill-container" if how == "oom":
            return f"{who}: grows until the kernel kills it"
        case "kill-container":
            return f"{who}: its process gets SIGKILL"
        case "fail-readiness":
            return f"{who}: says that it is not ready, {seconds}"
        case "slow-app" if how == "delay":
            return f"{who}: each answer comes {fault.parameters.get('ms', 800)} ms late, {seconds}"
        case "slow-app" if how == "spin":
            return f"{who}: burns its CPU, {seconds}"
        case "slow-app":
            return f"{who}: hangs, {seconds}"
        case "break-dns":
            name = str(fault.parameters.get("name", "all"))
            what = "no Service's name resolves" if name == "all" else f"the name {name} does not resolve"
            return f"{what}, {seconds}"
        case _:
            return f"one value is wrong, {seconds}"


def _who(pods: Sequence[Pod]) -> str:
    """Names of the apps, or of Pods without the label; few words."""
    names = [(pod["metadata"].get("labels") or {}).get("app") or pod["metadata"]["name"] for pod in pods]
    return ", ".join(dict.fromkeys(names))


def undo_of(change: Mapping[str, Any]) -> Undo:
    """Of a `started` entry of the record; empty for one that says nothing of it."""
    found = change.get("undo")
    return found if isinstance(found, dict) else {}

"""READY, STATUS and RESTARTS exactly as `kubectl get pods` prints them.

The rules are those of the API server's table printer for Pods (Kubernetes 1.37), which kubectl shows
verbatim.
"""

from __future__ import annotations

from typing import NamedTuple

from sandbox.record.projecting.reading import Object, condition, number, part, parts


class Columns(NamedTuple):
    """Three columns of `kubectl get pods`."""

    ready: str
    status: str
    restarts: int


class _Initialising(NamedTuple):
    reason: str | None  # None: all init containers are through
    ready: int
    restarts: int
    sidecar_restarts: int


class _Running(NamedTuple):
    reason: str
    ready: int
    restarts: int


def columns(pod: Object) -> Columns:
    """What kubectl would print for this Pod."""
    status = part(pod, "status")
    sidecars = {str(each.get("name")) for each in parts(pod, "spec", "initContainers") if _is_sidecar(each)}
    total = len(parts(pod, "spec", "containers")) + len(sidecars)
    reason = _first_reason(status)
    initialising = _read_init(pod, sidecars)
    ready, restarts = initialising.ready, initialising.restarts
    if initialising.reason is not None:
        reason = initialising.reason
    if initialising.reason is None or condition(pod, "Initialized") == "True":
        running = _read_containers(pod, reason)
        reason = running.reason
        ready += running.ready
        restarts = initialising.sidecar_restarts + running.restarts
    return Columns(f"{ready}/{total}", _when_deleted(pod, reason), restarts)


def _first_reason(status: Object) -> str:
    reason = str(status.get("reason") or status.get("phase") or "Unknown")
    for each in parts({"status": status}, "status", "conditions"):
        if each.get("type") == "PodScheduled" and each.get("reason") == "SchedulingGated":
            return "SchedulingGated"
    return reason


def _is_sidecar(container: Object) -> bool:
    return container.get("restartPolicy") == "Always"


def _read_init(pod: Object, sidecars: set[str]) -> _Initialising:
    ready = restarts = sidecar_restarts = 0
    total = len(parts(pod, "spec", "initContainers"))
    for index, container in enumerate(parts(pod, "status", "initContainerStatuses")):
        count = number(container.get("restartCount"))
        restarts += count
        sidecar = str(container.get("name")) in sidecars
        if sidecar:
            sidecar_restarts += count
        terminated = part(container, "state").get("terminated")
        if terminated is not None and number(terminated.get("exitCode")) == 0:
            continue
        if sidecar and container.get("started"):
            ready += 1 if container.get("ready") else 0
            continue
        reason = _init_reason(container, f"{index}/{total}")
        return _Initialising(f"Init:{reason}", ready, restarts, sidecar_restarts)
    return _Initialising(None, ready, restarts, sidecar_restarts)


def _init_reason(container: Object, progress: str) -> str:
    terminated = part(container, "state").get("terminated")
    if terminated is not None:
        return _terminated_reason(terminated)
    waiting = str(part(container, "state", "waiting").get("reason", ""))
    return waiting if waiting and waiting != "PodInitializing" else progress


def _terminated_reason(terminated: Object) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if number(terminated.get("signal")):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{number(terminated.get('exitCode'))}"


def _read_containers(pod: Object, reason: str) -> _Running:
    ready = restarts = 0
    running = False
    for container in reversed(parts(pod, "status", "containerStatuses")):
        restarts += number(container.get("restartCount"))
        state = part(container, "state")
        waiting = str(part(state, "waiting").get("reason", ""))
        if waiting:
            reason = waiting
        elif state.get("terminated") is not None:
            reason = _terminated_reason(state["terminated"])
        elif container.get("ready") and state.get("running") is not None:
            running = True
            ready += 1
    if reason == "Completed" and running:
        reason = "Running" if condition(pod, "Ready") == "True" else "NotReady"
    return _Running(reason, ready, restarts)


def _when_deleted(pod: Object, reason: str) -> str:
    if part(pod, "metadata").get("deletionTimestamp") is None:
        return reason
    status = part(pod, "status")
    if status.get("reason") == "NodeLost":
        return "Unknown"
    return reason if status.get("phase") in ("Succeeded", "Failed") else "Terminating"

"""The STATUS column, against the cases of the API server's own printer."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.record.projecting.status import columns


def made(
    *,
    phase: str = "Running",
    containers: list[dict[str, Any]] | None = None,
    init: list[dict[str, Any]] | None = None,
    names: int = 1,
    init_specs: list[dict[str, Any]] | None = None,
    conditions: list[dict[str, Any]] | None = None,
    deleted: bool = False,
    **status: Any,
) -> dict[str, Any]:
    return {
        "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {},
        "spec": {
            "containers": [{"name": f"c{n}"} for n in range(names)],
            "initContainers": init_specs or [],
        },
        "status": {
            "phase": phase,
            "containerStatuses": containers or [],
            "initContainerStatuses": init or [],
            "conditions": conditions or [],
            **status,
        },
    }


RUN = {"state": {"running": {}}, "ready": True, "restartCount": 0}
UNREADY = {"state": {"running": {}}, "ready": False, "restartCount": 0}
DONE = {"name": "i0", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}, "restartCount": 1}


def waiting(reason: str, restarts: int = 0) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason}}, "ready": False, "restartCount": restarts}


def ended(**terminated: Any) -> dict[str, Any]:
    return {"state": {"terminated": terminated}, "ready": False, "restartCount": 2}


INIT = [{"name": "i0"}, {"name": "i1"}]
SIDECAR = [{"name": "i0", "restartPolicy": "Always"}]

CASES = [
    (made(phase="Pending"), ("0/1", "Pending", 0)),
    (made(containers=[RUN]), ("1/1", "Running", 0)),
    (made(containers=[UNREADY]), ("0/1", "Running", 0)),
    (made(containers=[RUN, UNREADY], names=2), ("1/2", "Running", 0)),
    (made(phase="Pending", containers=[waiting("ContainerCreating")]), ("0/1", "ContainerCreating", 0)),
    (made(containers=[waiting("CrashLoopBackOff", 4)]), ("0/1", "CrashLoopBackOff", 4)),
    (made(phase="Pending", containers=[waiting("ImagePullBackOff")]), ("0/1", "ImagePullBackOff", 0)),
    (made(phase="Pending", containers=[waiting("ErrImagePull")]), ("0/1", "ErrImagePull", 0)),
    (made(containers=[ended(reason="OOMKilled", exitCode=137)]), ("0/1", "OOMKilled", 2)),
    (made(containers=[ended(reason="Error", exitCode=1)]), ("0/1", "Error", 2)),
    (made(containers=[ended(exitCode=3)]), ("0/1", "ExitCode:3", 2)),
    (made(containers=[ended(exitCode=137, signal=9)]), ("0/1", "Signal:9", 2)),
    (made(phase="Succeeded", containers=[ended(reason="Completed", exitCode=0)]), ("0/1", "Completed", 2)),
    (
        made(
            containers=[ended(reason="Completed", exitCode=0), RUN],
            names=2,
            conditions=[{"type": "Ready", "status": "True"}],
        ),
        ("1/2", "Running", 2),
    ),
    (made(containers=[ended(reason="Completed", exitCode=0), RUN], names=2), ("1/2", "NotReady", 2)),
    (made(phase="Failed", reason="Evicted"), ("0/1", "Evicted", 0)),
    (made(phase="Unknown"), ("0/1", "Unknown", 0)),
    (made(containers=[RUN], deleted=True), ("1/1", "Terminating", 0)),
    (
        made(phase="Succeeded", containers=[ended(reason="Completed", exitCode=0)], deleted=True),
        ("0/1", "Completed", 2),
    ),
    (made(containers=[RUN], deleted=True, reason="NodeLost"), ("1/1", "Unknown", 0)),
    (
        made(
            phase="Pending",
            init_specs=INIT,
            init=[
                {"name": "i0", "state": {"running": {}}},
                {"name": "i1", "state": {"waiting": {"reason": "PodInitializing"}}},
            ],
            containers=[waiting("PodInitializing")],
        ),
        ("0/1", "Init:0/2", 0),
    ),
    (
        made(
            phase="Pending",
            init_specs=INIT,
            init=[DONE, {"name": "i1", "state": {"running": {}}}],
            containers=[waiting("PodInitializing")],
        ),
        ("0/1", "Init:1/2", 1),
    ),
    (
        made(
            phase="Pending",
            init_specs=INIT,
            init=[
                {"name": "i0", **waiting("CrashLoopBackOff", 3)},
                {"name": "i1", **waiting("PodInitializing")},
            ],
        ),
        ("0/1", "Init:CrashLoopBackOff", 3),
    ),
    (
        made(phase="Pending", init_specs=INIT, init=[{"name": "i0", **ended(reason="Error", exitCode=1)}]),
        ("0/1", "Init:Error", 2),
    ),
    (
        made(phase="Pending", init_specs=INIT, init=[{"name": "i0", **ended(exitCode=7)}]),
        ("0/1", "Init:ExitCode:7", 2),
    ),
    (made(init_specs=INIT, init=[DONE, DONE], containers=[RUN]), ("1/1", "Running", 0)),
    (
        made(init_specs=SIDECAR, init=[{"name": "i0", "started": True, **RUN}], containers=[RUN]),
        ("2/2", "Running", 0),
    ),
    (
        made(
            phase="Pending",
            conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}],
        ),
        ("0/1", "SchedulingGated", 0),
    ),
]


@pytest.mark.parametrize(
    ("pod", "expected"), CASES, ids=[f"{n}-{case[1][1]}" for n, case in enumerate(CASES)]
)
def test_columns(pod: dict[str, Any], expected: tuple[str, str, int]) -> None:
    assert columns(pod) == expected


@pytest.mark.parametrize(
    "pod", [{}, {"status": {}}, {"spec": None, "status": {"containerStatuses": None}}, {"metadata": []}]
)
def test_an_odd_object_never_raises(pod: dict[str, Any]) -> None:
    assert columns(pod).ready == "0/0"

"""A cgroup per node in every hierarchy; version 1, version 2, and both at once."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from sandbox.embedded.mounts import Mount, read_mounts
from sandbox.embedded.plan import NodePlan

_V2_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "pids")


def hierarchies(mounts: list[Mount]) -> tuple[list[Path], list[Path]]:
    """(version 1, version 2) mount points. Pure."""
    first = [mount.path for mount in mounts if mount.kind == "cgroup"]
    second = [mount.path for mount in mounts if mount.kind == "cgroup2"]
    return first, second


def ensure_cgroups(node: NodePlan) -> None:
    """kubelet wants its root to exist; an empty cpuset would let no process in."""
    first, second = hierarchies(read_mounts())
    for hierarchy in first:
        group = hierarchy / node.cgroup
        group.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            parent = hierarchy / name
            if parent.exists() and not (group / name).read_text().strip():
                (group / name).write_text(parent.read_text())
    if not first:
        for hierarchy in second:
            _ensure_v2(hierarchy, hierarchy / node.cgroup)


def _ensure_v2(hierarchy: Path, group: Path) -> None:
    available = (hierarchy / "cgroup.controllers").read_text().split()
    wanted = " ".join(f"+{name}" for name in _V2_CONTROLLERS if name in available)
    (hierarchy / "cgroup.subtree_control").write_text(wanted)
    group.mkdir(exist_ok=True)
    (group / "cgroup.subtree_control").write_text(wanted)


def _groups(node: NodePlan) -> Iterator[Path]:
    """The node's cgroups, children first."""
    first, second = hierarchies(read_mounts())
    for hierarchy in (*first, *second):
        for folder, _, _ in os.walk(hierarchy / node.cgroup, topdown=False):
            yield Path(folder)


def pids_in(node: NodePlan) -> set[int]:
    found: set[int] = set()
    for group in _groups(node):
        with contextlib.suppress(OSError):
            found.update(int(pid) for pid in (group / "cgroup.procs").read_text().split())
    return found


def remove_cgroups(node: NodePlan, *, patience: float = 3.0) -> list[Path]:
    """Remove depth first; the kernel needs a moment after the last process. Gives what stayed."""
    deadline = time.monotonic() + patience
    while True:
        left = []
        for group in _groups(node):
            try:
                group.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                left.append(group)
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)

"""Taking a cluster away. It looks, it does not remember: so it works after any crash.

Everything is found by our marker in the environment of processes, by the names of the plan, and by
the state folder.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.embedded import cgroups, host, network
from sandbox.embedded.commands import try_run
from sandbox.embedded.layout import Layout
from sandbox.embedded.mounts import read_mounts
from sandbox.embedded.plan import MOST_INSTANCES, ClusterPlan
from sandbox.embedded.processes import kill, marked_pids, read_marks, read_start_ticks

_PATIENCE = 10.0


def remove_cluster(layout: Layout, *, after_kill: Callable[[], None] = lambda: None) -> list[str]:
    """Remove all of it but certificates, logs and image stores. Gives what could not be removed.

    `after_kill` lets a parent collect its dead children, who else keep their cgroups.
    """
    shared = host.held_by_another(layout) is None
    left = _kill_all(layout, by_cgroup=shared, after_kill=after_kill)
    left += _unmount(layout.state)
    if shared:
        for node in layout.plan.every_node():
            left += [f"cgroup {group}" for group in cgroups.remove_cgroups(node)]
        left += network.remove_network(layout.plan)
    if not left:
        left += _clear_files(layout)
    if shared and not left:
        left += host.release(layout)
    return left


def _kill_all(layout: Layout, *, by_cgroup: bool, after_kill: Callable[[], None]) -> list[str]:
    """In a loop, because a process may start another before it dies."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        pids = set(marked_pids(layout.id))
        if by_cgroup:
            for node in layout.plan.every_node():
                pids |= {pid for pid in cgroups.pids_in(node) if read_start_ticks(pid) is not None}
        pids.discard(os.getpid())
        if not pids:
            after_kill()
            return []
        if time.monotonic() > deadline:
            return [f"process {pid}" for pid in sorted(pids)]
        for pid in pids:
            kill(pid)
        after_kill()
        time.sleep(0.05)


def _unmount(state: Path) -> list[str]:
    """Everything mounted on or below the state folder, last mounted first."""
    below = [mount.path for mount in read_mounts() if _is_below(mount.path, state)]
    for path in reversed(below):
        try_run(["umount", "-l", path])
    return [f"mount {mount.path}" for mount in read_mounts() if _is_below(mount.path, state)]


def _is_below(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder.resolve()) or path.is_relative_to(folder)


def _clear_files(layout: Layout) -> list[str]:
    """What belongs to the run just ended. Kept: certificates, logs, and each node's image store."""
    for folder in (layout.run, layout.etcd, layout.namespaces, layout.conf):
        shutil.rmtree(folder, ignore_errors=True)
    layout.boot_id.unlink(missing_ok=True)
    for node in layout.plan.every_node():
        own = layout.node(node)
        if not own.folder.exists():
            continue
        for part in own.folder.iterdir():
            if part == own.containerd_root:
                continue
            if part.is_dir() and not part.is_symlink():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink(missing_ok=True)
    still = [layout.run, layout.etcd, layout.namespaces]
    return [f"folder {folder}" for folder in still if folder.exists()]


def down_all(home: Path) -> list[str]:
    """Remove every cluster of this home, whichever there are. Gives what could not be removed."""
    marked = {mark for _, mark in read_marks()}
    left = []
    for instance in range(1, MOST_INSTANCES + 1):
        layout = Layout(home, ClusterPlan(instance))
        holder = host.read_holder(instance)
        ours = holder is not None and holder[1] == layout.id
        if ours or layout.run.exists() or layout.namespaces.exists() or layout.id in marked:
            left += remove_cluster(layout)
    return left

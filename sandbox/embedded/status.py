"""What runs, since when, and what it costs: read from /proc and the state folder."""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sandbox.embedded import control_plane
from sandbox.embedded.api import AdminApi
from sandbox.embedded.layout import Layout
from sandbox.embedded.plan import ClusterPlan
from sandbox.embedded.processes import Processes, marked_pids


@dataclass(frozen=True)
class ComponentStatus:
    """`pss_bytes`: memory with shared pages divided among their users (RSS counts them each time)."""

    name: str
    node: str | None
    alive: bool
    pid: int | None
    pss_bytes: int
    uptime_seconds: float | None
    restarts: int

    def as_text(self) -> str:
        since = "stopped" if self.uptime_seconds is None else f"{self.uptime_seconds:.0f} s"
        return (
            f"{self.name:<25} {self.node or '':<9} {self.pid or '':>7} "
            f"{_mb(self.pss_bytes):>9} {since:>9} {self.restarts:>8}"
        )


@dataclass(frozen=True)
class NodeStatus:
    name: str
    address: str
    ready: bool
    version: str


@dataclass(frozen=True)
class ClusterStatus:
    """`disk_bytes`: part -> bytes. `shims` are containerd's helpers, one a Pod."""

    instance: int
    running: bool
    version: str | None
    api_url: str
    nodes: tuple[NodeStatus, ...]
    components: tuple[ComponentStatus, ...]
    shims: int
    shims_pss_bytes: int
    pss_bytes: int
    disk_bytes: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def as_text(self) -> str:
        """For people, at a terminal."""
        ready = sum(node.ready for node in self.nodes)
        lines = [
            f"Kubernetes {self.version or '(no answer)'} at {self.api_url}",
            f"nodes {ready} of {len(self.nodes)} ready",
            f"memory {_mb(self.pss_bytes)}, of it {_mb(self.shims_pss_bytes)} in {self.shims} Pods' helpers",
            "disk " + ", ".join(f"{part} {_mb(size)}" for part, size in self.disk_bytes.items()),
            "",
            f"{'component':<25} {'node':<9} {'pid':>7} {'memory':>9} {'up':>9} {'restarts':>8}",
        ]
        return "\n".join([*lines, *(component.as_text() for component in self.components)])


def read_status(home: Path, plan: ClusterPlan | None = None) -> ClusterStatus | None:
    """The cluster of this home; None when it does not run. Works from any process of root's.

    Without `plan` it is instance 1 with as many nodes as were started. Raises PermissionError for
    anybody but root.
    """
    layout = Layout(home.resolve(), plan or ClusterPlan())
    if not layout.state.exists():
        return None
    names = sorted((file.stem for file in layout.run.glob("*.json")), key=_in_order)
    if not names and not os.access(layout.state, os.R_OK | os.X_OK):
        raise PermissionError(f"{layout.state} belongs to root")
    if not names:
        return None
    return status_of(layout, Processes(layout), names)


def _in_order(name: str) -> tuple[int, str]:
    """The control plane first, then node by node."""
    known = control_plane.CONTROL_PLANE
    return (known.index(name), "") if name in known else (len(known), name[::-1])


def status_of(layout: Layout, processes: Processes, names: Iterable[str]) -> ClusterStatus:
    """What `names` (components) of this cluster are doing."""
    components = tuple(_component(layout.plan, processes, name) for name in names)
    known = {component.pid for component in components}
    shims = [pid for pid in marked_pids(layout.id) if pid not in known and _is_shim(pid)]
    answering = any(part.name == control_plane.API_SERVER and part.alive for part in components)
    nodes = AdminApi(layout.plan, layout.pki).read_nodes() if answering else []
    shims_pss = sum(_pss(pid) for pid in shims)
    return ClusterStatus(
        instance=layout.plan.instance,
        running=bool(components) and all(component.alive for component in components),
        version=nodes[0]["status"]["nodeInfo"]["kubeletVersion"] if nodes else None,
        api_url=layout.plan.api_url,
        nodes=tuple(_node(item) for item in nodes),
        components=components,
        shims=len(shims),
        shims_pss_bytes=shims_pss,
        pss_bytes=shims_pss + sum(component.pss_bytes for component in components),
        disk_bytes={
            "bin": _disk(layout.home / "bin"),
            "images": _disk(layout.home / "images"),
            "cluster": _disk(layout.state),
        },
    )


def _component(plan: ClusterPlan, processes: Processes, name: str) -> ComponentStatus:
    number = name.rpartition("-")[2]
    trace = processes.read_trace(name)
    alive = processes.is_alive(name)
    return ComponentStatus(
        name=name,
        node=plan.node(int(number)).name if number.isdigit() else None,
        alive=alive,
        pid=trace.pid if trace and alive else None,
        pss_bytes=_pss(trace.pid) if trace and alive else 0,
        uptime_seconds=round(time.time() - trace.started_at, 1) if trace and alive else None,
        restarts=max(0, trace.starts - 1) if trace else 0,
    )


def is_ready(item: dict[str, Any]) -> bool:
    """Whether a Node object says Ready. Pure."""
    conditions = item.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _node(item: dict[str, Any]) -> NodeStatus:
    addresses = item["status"].get("addresses", [])
    return NodeStatus(
        name=item["metadata"]["name"],
        address=next((a["address"] for a in addresses if a["type"] == "InternalIP"), ""),
        ready=is_ready(item),
        version=item["status"]["nodeInfo"]["kubeletVersion"],
    )


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB"


def _pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _is_shim(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("containerd-shim")
    except OSError:
        return False


def _disk(folder: Path) -> int:
    """Bytes on disk; files that vanish meanwhile do not count, links are not followed."""
    return sum(_blocks(folder))


def _blocks(folder: Path) -> Iterator[int]:
    for where, _, files in os.walk(folder):
        for name in files:
            try:
                yield Path(where, name).lstat().st_blocks * 512
            except OSError:
                continue

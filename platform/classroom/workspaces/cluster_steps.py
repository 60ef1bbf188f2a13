"""The reconciler's steps on the real cluster: thin calls into `sandbox`."""

from __future__ import annotations

import time
from typing import Any

from classroom.database import in_database
from classroom.workspaces.deciding import sandboxes_that_fit
from classroom.workspaces.models import Sandbox
from classroom.workspaces.reconciling import Made, OnPhase
from classroom.workspaces.rubric import home_files, plan_of
from sandbox.cluster.client import ClusterClient
from sandbox.errors import NotFound
from sandbox.plan import SANDBOX_LABEL, TOOLBOX_NAMESPACE, SandboxPlan

TOOLBOX_BYTES = 160 * 2**20  # its memory request (design: architecture, section 7)
HOME = "/home/student"
LIMIT_SECONDS = 60.0


class ClusterSteps:
    """Implements `reconciling.Steps`."""

    def __init__(self, keeper: ClusterClient, observer: Any) -> None:
        self.keeper, self.observer = keeper, observer
        self._limit = 0
        self._limit_at = -LIMIT_SECONDS

    async def prepare(self, row: Sandbox, objects: list[dict[str, Any]], on_phase: OnPhase) -> Made:
        from sandbox.preparing import Filling, ensure_sandbox

        filling = Filling(await in_database(home_files, row), objects)
        made = await ensure_sandbox(self.keeper, plan_of(row), on_phase, filling)
        return Made(made.namespace_uid, made.key_expires)

    async def renew_key(self, row: Sandbox) -> float:
        from sandbox.preparing import hand_out_key

        return (await hand_out_key(self.keeper, plan_of(row))).expires

    async def write_file(self, row: Sandbox, name: str, text: str) -> None:
        from sandbox.terminal import write_file

        plan = plan_of(row)
        await write_file(self.keeper, TOOLBOX_NAMESPACE, plan.toolbox, f"{HOME}/{name}", text.encode())

    async def remove(self, row: Sandbox) -> None:
        from sandbox.removing import ensure_removed

        await ensure_removed(self.keeper, plan_of(row), uid=row.namespace_uid or None)

    async def uid_of(self, row: Sandbox) -> str | None:
        try:
            found = await self.keeper.request("GET", f"/api/v1/namespaces/{plan_of(row).namespace}")
        except NotFound:
            return None
        return str(found["metadata"]["uid"])

    async def namespaces(self) -> dict[str, str]:
        found = await self.keeper.request(
            "GET", "/api/v1/namespaces", params={"labelSelector": SANDBOX_LABEL}
        )
        metadata = [item["metadata"] for item in found.get("items") or []]
        return {each["name"]: each["uid"] for each in metadata if each["name"].startswith("gh-")}

    async def limit(self) -> int:
        """Measured once a minute: what the nodes offer, less what the platform's own Pods request."""
        if time.monotonic() - self._limit_at > LIMIT_SECONDS:
            nodes = list(self.observer.world.nodes.values())
            self._limit = limit_for(nodes, bytes_of_sandbox(None))
            self._limit_at = time.monotonic() if nodes else -LIMIT_SECONDS
        return self._limit


def bytes_of_sandbox(plan: SandboxPlan | None) -> int:
    """What one sandbox may request at most: its quota and its toolbox. Default: the first lesson's size."""
    quota = plan.quota_memory if plan else 216 * 2**20
    return quota + TOOLBOX_BYTES


def limit_for(nodes: list[dict[str, Any]], each: int) -> int:
    """From the nodes' allocatable memory (bytes or a quantity such as `3920Mi`)."""
    total = sum(
        memory_bytes(node.get("status", {}).get("allocatable", {}).get("memory", "0")) for node in nodes
    )
    platform = 200 * 2**20  # CoreDNS, prober and what else the platform runs as Pods
    return sandboxes_that_fit(total, platform, each)


_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def memory_bytes(quantity: str | int) -> int:
    """A Kubernetes memory quantity in bytes; 0 for what is none."""
    text = str(quantity)
    for unit, factor in _UNITS.items():
        if text.endswith(unit):
            number = text.removesuffix(unit)
            return int(float(number) * factor) if number.replace(".", "", 1).isdigit() else 0
    return int(text) if text.isdigit() else 0

"""What one sandbox consists of, as numbers and names. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sandbox.naming import key_for, namespace_for, toolbox_for
from sandbox.record.exercise import Exercise

SYSTEM_NAMESPACE = "glasshull-system"
TOOLBOX_NAMESPACE = "glasshull-toolboxes"
SANDBOX_LABEL = "glasshull.dev/sandbox"
STUDENT = "student"

# A lesson app starts in a burst and then idles; what keeps neighbours apart is the request (CPU shares),
# the limit only stops one container from taking a whole core for long.
CPU_LIMIT_CORES = 0.5
# CPU is shared by weight and lesson apps idle, so what nobody asked for is promised only in part: with whole
# shares four sandboxes of the first lesson filled two cores, and the fifth student's Pods stayed Pending
# ("Insufficient cpu", seen on the embedded cluster). Memory cannot be shared so and is promised whole.
CPU_OVERCOMMIT = 10
EPHEMERAL_REQUEST = 8 * 2**20
EPHEMERAL_LIMIT = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Network:
    """Addresses a sandbox needs to know; the defaults are the embedded cluster's (and MicroK8s's)."""

    service_resolver: str = "10.152.183.10"  # what a Pod's resolv.conf names
    resolver: str = "10.2.0.1"  # where those questions really go: the policy must allow this one
    domain: str = "cluster.local"


@dataclass(frozen=True, slots=True)
class SandboxPlan:
    """One sandbox. `pods`, `memory` (bytes) and `cpu` (cores) are the lesson's budget at rest."""

    id: str
    namespace: str
    pods: int
    memory: int
    cpu: float
    capabilities: tuple[str, ...]
    toolbox: str
    network: Network = field(default_factory=Network)

    def __post_init__(self) -> None:
        if self.pods < 1 or self.memory < 1 or self.cpu <= 0:
            raise ValueError("A sandbox needs a budget of at least one Pod, some memory and some CPU.")

    @property
    def key(self) -> str:
        """The ten characters that stand for this sandbox in labels."""
        return key_for(self.id)

    @property
    def quota_pods(self) -> int:
        """Half as much again plus one: room for a roll-out and for Pods still terminating."""
        return math.ceil(self.pods * 1.5) + 1

    @property
    def pod_memory(self) -> int:
        """Bytes a container gets when its author names none."""
        return self.memory // self.pods

    @property
    def pod_millicores(self) -> int:
        """One Pod's share of the lesson's CPU."""
        return max(1, int(self.cpu * 1000) // self.pods)

    @property
    def default_millicores(self) -> int:
        """What is requested for a container whose author names no CPU: a part of its share."""
        return max(1, self.pod_millicores // CPU_OVERCOMMIT)

    @property
    def quota_memory(self) -> int:
        """So many bytes that the Pods of the quota fit with the default, neither more nor fewer."""
        return self.pod_memory * self.quota_pods

    @property
    def quota_millicores(self) -> int:
        """What may be requested in all by manifests that name their CPU."""
        return self.pod_millicores * self.quota_pods

    @property
    def reads_nodes(self) -> bool:
        return "nodes.read" in self.capabilities


def plan_for(
    sandbox_id: str,
    *,
    pods: int,
    memory: int,
    cpu: float,
    capabilities: tuple[str, ...] = (),
    network: Network | None = None,
) -> SandboxPlan:
    """The plan of the sandbox with this id; the same id always gives the same names."""
    return SandboxPlan(
        id=sandbox_id,
        namespace=namespace_for(sandbox_id),
        pods=pods,
        memory=memory,
        cpu=cpu,
        capabilities=tuple(sorted(capabilities)),
        toolbox=toolbox_for(sandbox_id),
        network=network or Network(),
    )


def plan_for_exercise(sandbox_id: str, exercise: Exercise, *, network: Network | None = None) -> SandboxPlan:
    """The plan for one student's run of `exercise`, from its budget and capabilities."""
    return plan_for(
        sandbox_id,
        pods=exercise.pods,
        memory=exercise.memory,
        cpu=exercise.cpu,
        capabilities=exercise.capabilities,
        network=network,
    )

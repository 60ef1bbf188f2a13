"""Everything of a cluster that has a name, a range or a port, from two numbers. Pure.

Instance 1 uses MicroK8s' ports and ranges, so that lessons read as in most books. Every other
instance has its own, so that two clusters run side by side on one machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network

MOST_INSTANCES = 16
MOST_NODES = 9

# Below the ephemeral ports (32768 and up) and beside the API server's 16443.
_FIRST_PORT = 16450
_PORTS_EACH = 20

API_PORT = 16443
DNS_PORT = 53
DOMAIN = "cluster.local"


@dataclass(frozen=True)
class NodePlan:
    """One node: a network namespace with an address of its own, seen by students as `worker-N`."""

    number: int
    name: str
    address: IPv4Address
    pods: IPv4Network
    netns: str
    link: str
    """The root's end of the virtual cable; the node's end is `eth0`."""
    cgroup: str
    """Below every hierarchy of /sys/fs/cgroup."""


@dataclass(frozen=True)
class ClusterPlan:
    """A cluster. Raises ValueError when `instance` is not in 1..16 or `nodes` not in 1..9."""

    instance: int = 1
    nodes: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.instance <= MOST_INSTANCES:
            raise ValueError(f"A cluster's instance is a number from 1 to {MOST_INSTANCES}.")
        if not 1 <= self.nodes <= MOST_NODES:
            raise ValueError(f"A cluster has 1 to {MOST_NODES} nodes.")

    @property
    def name(self) -> str:
        return f"cluster-{self.instance}"

    # --- ranges -----------------------------------------------------------------------------

    @property
    def machines(self) -> IPv4Network:
        """The nodes and the control plane: 10.2.0.0/24 for instance 1."""
        return IPv4Network(f"10.2.{self.instance - 1}.0/24")

    @property
    def pods(self) -> IPv4Network:
        second = 1 if self.instance == 1 else 100 + self.instance
        return IPv4Network(f"10.{second}.0.0/16")

    @property
    def services(self) -> IPv4Network:
        return IPv4Network(f"10.152.{182 + self.instance}.0/24")

    @property
    def root(self) -> IPv4Address:
        """Where the control plane listens; lies on the machine's `lo`."""
        return self.machines[1]

    @property
    def api_service(self) -> IPv4Address:
        return self.services[1]

    @property
    def dns_service(self) -> IPv4Address:
        return self.services[10]

    # --- ports ------------------------------------------------------------------------------

    def _port(self, offset: int) -> int:
        return _FIRST_PORT + _PORTS_EACH * (self.instance - 1) + offset

    @property
    def api_url(self) -> str:
        return f"https://{self.root}:{API_PORT}"

    @property
    def etcd_client_port(self) -> int:
        return self._port(0)

    @property
    def etcd_peer_port(self) -> int:
        return self._port(1)

    @property
    def controller_manager_port(self) -> int:
        return self._port(2)

    @property
    def scheduler_port(self) -> int:
        return self._port(3)

    @property
    def dns_health_port(self) -> int:
        return self._port(4)

    @property
    def dns_ready_port(self) -> int:
        return self._port(5)

    @property
    def dns_metrics_port(self) -> int:
        return self._port(6)

    @property
    def registry_port(self) -> int:
        return self._port(7)

    @property
    def listeners(self) -> tuple[tuple[str, str, int], ...]:
        """Every (protocol, address, port) the control plane takes on the machine itself."""
        root, loopback = str(self.root), "127.0.0.1"
        return (
            ("tcp", root, API_PORT),
            ("tcp", root, DNS_PORT),
            ("udp", root, DNS_PORT),
            ("tcp", root, self.registry_port),
            *(
                ("tcp", loopback, port)
                for port in (
                    self.etcd_client_port,
                    self.etcd_peer_port,
                    self.controller_manager_port,
                    self.scheduler_port,
                    self.dns_health_port,
                    self.dns_ready_port,
                    self.dns_metrics_port,
                )
            ),
        )

    # --- names on the machine ----------------------------------------------------------------

    @property
    def link_prefix(self) -> str:
        return f"gh{self.instance}n"

    @property
    def nft_table(self) -> str:
        return f"glasshull_{self.instance}"

    def node(self, number: int) -> NodePlan:
        return NodePlan(
            number=number,
            name=f"worker-{number}",
            address=self.machines[10 + number],
            pods=IPv4Network(f"{self.pods.network_address + 256 * number}/24"),
            netns=f"gh-{self.instance}-node-{number}",
            link=f"{self.link_prefix}{number}",
            cgroup=f"gh{self.instance}n{number}",
        )

    @cached_property
    def workers(self) -> tuple[NodePlan, ...]:
        return tuple(self.node(number) for number in range(1, self.nodes + 1))

    def every_node(self) -> Iterator[NodePlan]:
        """All nodes this instance could ever have had: what `down` looks for."""
        return (self.node(number) for number in range(1, MOST_NODES + 1))


@dataclass(frozen=True)
class Share:
    """What one node offers to Pods: a slice of the machine, in millicores and bytes."""

    cpu_millis: int
    memory_bytes: int


def shares_of(cpus: int, memory_bytes: int, nodes: int) -> tuple[Share, ...]:
    """The machine divided among its nodes; the shares add up to it exactly."""
    millis = 1000 * cpus
    return tuple(
        Share(
            millis * (n + 1) // nodes - millis * n // nodes,
            memory_bytes * (n + 1) // nodes - memory_bytes * n // nodes,
        )
        for n in range(nodes)
    )

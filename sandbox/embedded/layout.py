"""Where the cluster's files lie. Pure; `docs/operating.md` describes the same tree."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sandbox.embedded.plan import ClusterPlan, NodePlan

MARKER = "GLASSHULL_CLUSTER"
"""The variable in the environment of every process of a cluster; shims and Pods' shims inherit it."""


@dataclass(frozen=True)
class NodeLayout:
    """Files of one node, below `cluster-<instance>/nodes/<number>/`."""

    folder: Path

    @property
    def containerd_root(self) -> Path:
        """The image store: the one part of a node that outlives `down`."""
        return self.folder / "containerd"

    @property
    def own_folders(self) -> dict[str, Path]:
        """Hard-coded folders of containerd and kubelet -> the node's own, bound over them."""
        return {
            "/run/containerd": self.folder / "run-containerd",
            "/var/lib/kubelet": self.folder / "kubelet",
            "/var/lib/cni": self.folder / "cni-results",
            "/var/log/containers": self.folder / "container-logs",
        }

    @property
    def cni_config(self) -> Path:
        return self.folder / "cni.d"

    @property
    def addresses(self) -> Path:
        """Which Pod has which address (host-local)."""
        return self.folder / "addresses"

    @property
    def pod_logs(self) -> Path:
        return self.folder / "pod-logs"

    @property
    def volume_plugins(self) -> Path:
        return self.folder / "volume-plugins"

    def file(self, name: str) -> Path:
        return self.folder / name


@dataclass(frozen=True)
class Layout:
    """Files of one cluster, below the home of the product."""

    home: Path
    plan: ClusterPlan

    @property
    def state(self) -> Path:
        return self.home / self.plan.name

    @property
    def id(self) -> str:
        """Marks our processes. Derived from the place, so `down` works without reading a file."""
        digest = hashlib.sha256(str(self.state.resolve()).encode()).hexdigest()
        return f"{self.plan.instance}-{digest[:12]}"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def etcd(self) -> Path:
        return self.state / "etcd"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def conf(self) -> Path:
        return self.state / "conf"

    @property
    def namespaces(self) -> Path:
        return self.state / "ns"

    @property
    def kube(self) -> Path:
        return self.state / "kube"

    @property
    def admin_kubeconfig(self) -> Path:
        return self.kube / "admin.kubeconfig"

    @property
    def web_kube(self) -> Path:
        """Scoped kubeconfigs for the unprivileged processes. Only instance 1 serves the product."""
        return self.home / "shared" / "kube" if self.plan.instance == 1 else self.kube / "scoped"

    @property
    def audit_log(self) -> Path | None:
        return self.home / "shared" / "audit" / "audit.log" if self.plan.instance == 1 else None

    @property
    def boot_id(self) -> Path:
        return self.state / "boot-id"

    @property
    def supervisor_log(self) -> Path:
        return self.logs / "supervisor.log"

    def node(self, node: NodePlan) -> NodeLayout:
        return NodeLayout(self.state / "nodes" / str(node.number))

    def mount_namespace(self, node: NodePlan) -> Path:
        return self.namespaces / str(node.number)

    def pki_file(self, name: str) -> Path:
        return self.pki / name

    def log(self, component: str) -> Path:
        return self.logs / f"{component}.log"

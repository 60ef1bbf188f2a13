"""One node: its containerd, kubelet and kube-proxy as commands and files. Pure."""

import json
from pathlib import Path
from typing import Any

from sandbox.embedded.layout import Layout
from sandbox.embedded.plan import DOMAIN, NodePlan, Share
from sandbox.embedded.processes import Component

PAUSE_IMAGE = "glasshull.local/pause:1"
CNI_PLUGINS = Path("/usr/lib/cni")
SOCKET = "/run/containerd/containerd.sock"
"""Inside the node's mount namespace, where /run/containerd is the node's own: always short enough."""

_EVICT_BELOW_BYTES = 100 * 1024 * 1024


def containerd_name(node: NodePlan) -> str:
    return f"containerd-{node.number}"


def kubelet_name(node: NodePlan) -> str:
    return f"kubelet-{node.number}"


def proxy_name(node: NodePlan) -> str:
    return f"kube-proxy-{node.number}"


def enter(layout: Layout, node: NodePlan) -> tuple[str, ...]:
    """What to put before a command that is to run on the node.

    Not `ip netns exec`: it mounts /sys anew and hides the cgroups.
    """
    return (
        "nsenter",
        f"--net=/run/netns/{node.netns}",
        f"--mount={layout.mount_namespace(node)}",
        "--",
    )


def containerd_for(layout: Layout, node: NodePlan) -> Component:
    config = layout.node(node).file("containerd.toml")
    argv = (*enter(layout, node), "containerd", "--config", str(config))
    return Component(containerd_name(node), argv, node.number)


def kubelet_for(layout: Layout, node: NodePlan, binaries: Path) -> Component:
    own = layout.node(node)
    argv = (
        *enter(layout, node),
        str(binaries / "kubelet"),
        f"--config={own.file('kubelet.json')}",
        f"--kubeconfig={own.file('kubelet.kubeconfig')}",
        f"--hostname-override={node.name}",
        f"--node-ip={node.address}",
        # The default folder, which is the node's own in there: sockets below it stay short.
        "--root-dir=/var/lib/kubelet",
        f"--cert-dir={own.file('kubelet-pki')}",
    )
    return Component(kubelet_name(node), argv, node.number)


def proxy_for(layout: Layout, node: NodePlan, binaries: Path) -> Component:
    config = layout.node(node).file("kube-proxy.json")
    argv = (*enter(layout, node), str(binaries / "kube-proxy"), f"--config={config}")
    return Component(proxy_name(node), argv, node.number)


def containerd_config(layout: Layout, node: NodePlan) -> str:
    own = layout.node(node)
    return f"""\
version = 2
root = "{own.containerd_root}"
state = "/run/containerd/state"
# "opt" makes /opt/containerd; the others look for file systems no node of ours has.
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "{SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE runc may not lower a score: "can't get final child's PID".
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  # A student's web server listens on port 80 without being root, as on any current cluster.
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{CNI_PLUGINS}"
  conf_dir = "{own.cni_config}"

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "{layout.conf / "registries"}"
"""


def registry_hosts(layout: Layout) -> str:
    """For every registry there is: ask ours, which has nothing."""
    url = f"http://{layout.plan.root}:{layout.plan.registry_port}"
    return f'server = "{url}"\n\n[host."{url}"]\n  capabilities = ["pull", "resolve"]\n'


def cni_config(layout: Layout, node: NodePlan) -> str:
    """ptp sends all traffic of Pods through the node's forward hook, where policies will look at it."""
    document: dict[str, Any] = {
        "cniVersion": "0.4.0",
        "name": "glasshull",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(layout.node(node).addresses),
                    "ranges": [[{"subnet": str(node.pods)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    return json.dumps(document, indent=1)


def reserved_for(share: Share, cpus: int, memory_bytes: int) -> dict[str, str]:
    """What a kubelet must hold back so that the node offers just its share.

    Every kubelet sees the whole machine. It takes its eviction threshold off allocatable as well.
    """
    return {
        "cpu": f"{1000 * cpus - share.cpu_millis}m",
        "memory": str(max(0, memory_bytes - share.memory_bytes - _EVICT_BELOW_BYTES)),
    }


def kubelet_config(layout: Layout, node: NodePlan, reserved: dict[str, str]) -> dict[str, Any]:
    plan, own, pki = layout.plan, layout.node(node), layout.pki
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": str(node.address),
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "podLogsDir": str(own.pod_logs),
        "volumePluginDir": str(own.volume_plugins),
        "clusterDNS": [str(plan.dns_service)],
        "clusterDomain": DOMAIN,
        "resolvConf": str(layout.conf / "resolv.conf"),
        "failCgroupV1": False,
        "failSwapOn": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.cgroup}",
        "enforceNodeAllocatable": [],
        "systemReserved": reserved,
        "evictionHard": {
            "memory.available": str(_EVICT_BELOW_BYTES),
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
            "imagefs.inodesFree": "1%",
        },
        # A collected image could never be pulled again.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(pki / f"kubelet-{node.number}.crt"),
        "tlsPrivateKeyFile": str(pki / f"kubelet-{node.number}.key"),
        "podPidsLimit": 256,
        "serializeImagePulls": False,
        "makeIPTablesUtilChains": False,
        # It would serve the machine's /var/log.
        "enableSystemLogHandler": False,
        "containerLogMaxSize": "5Mi",
        "containerLogMaxFiles": 2,
    }


def proxy_config(layout: Layout, node: NodePlan) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(layout.kube / "kube-proxy.kubeconfig")},
        "hostnameOverride": node.name,
        "mode": "nftables",
        "clusterCIDR": str(layout.plan.pods),
        # The default waits up to a second before a lost address leaves the rules: a second of lost requests.
        "nftables": {"minSyncPeriod": "100ms", "syncPeriod": "30s"},
        # Zero: leave the machine's settings alone.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }

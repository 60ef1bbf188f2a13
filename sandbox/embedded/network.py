"""Network namespaces, cables, routes and the filter between nodes and the machine.

Every step is "replace", so that `ensure_…` is the repair too: a link that was set down loses its
routes.
"""

import contextlib
import threading
from pathlib import Path

from sandbox.embedded.commands import run, try_run
from sandbox.embedded.layout import Layout
from sandbox.embedded.mounts import is_mounted, is_namespace
from sandbox.embedded.plan import API_PORT, DNS_PORT, ClusterPlan, NodePlan

_NETNS = Path("/run/netns")


def filter_rules(plan: ClusterPlan) -> str:
    """The nft table, replaced as a whole. Pure.

    Unfiltered, Pods would reach the machine's own ports and every network behind it; and with
    forwarding on, the machine's neighbours would reach Pods.
    """
    table, links = plan.nft_table, f'"{plan.link_prefix}*"'
    return f"""\
table inet {table}
delete table inet {table}
table inet {table} {{
  chain from_nodes {{
    ct state established,related accept
    ip protocol icmp accept
    ip daddr {plan.root} tcp dport {{ {DNS_PORT}, {API_PORT}, {plan.registry_port} }} accept
    ip daddr {plan.root} udp dport {DNS_PORT} accept
    reject
  }}
  chain input {{
    type filter hook input priority -10; policy accept;
    iifname {links} jump from_nodes
    ip daddr {plan.root} iifname != "lo" reject
  }}
  chain forward {{
    type filter hook forward priority -10; policy accept;
    iifname {links} oifname {links} accept
    iifname {links} reject
    oifname {links} reject
  }}
}}
"""


def node_side(plan: ClusterPlan, node: NodePlan) -> str:
    """`ip -batch` lines inside the node. Pure."""
    return f"""\
link set lo up
link set eth0 up
address replace {node.address}/32 dev eth0
route replace {plan.root}/32 dev eth0
route replace default via {plan.root} dev eth0 onlink
"""


def root_side(plan: ClusterPlan, node: NodePlan) -> str:
    """`ip -batch` lines on the machine. Pure."""
    return f"""\
link set {node.link} up
route replace {node.address}/32 dev {node.link} src {plan.root}
route replace {node.pods} via {node.address} dev {node.link} onlink src {plan.root}
"""


def ensure_root(plan: ClusterPlan) -> None:
    run(["ip", "address", "replace", f"{plan.root}/32", "dev", "lo"])
    run(["nft", "-f", "-"], stdin=filter_rules(plan))


def ensure_node(plan: ClusterPlan, node: NodePlan) -> None:
    pinned = _NETNS / node.netns
    if not is_namespace(pinned):
        # After a crash of the machine only the empty file may be left.
        pinned.unlink(missing_ok=True)
        run(["ip", "netns", "add", node.netns])
    if not Path("/sys/class/net", node.link).exists():
        run(["ip", "link", "add", node.link, "type", "veth", "peer", "name", "eth0", "netns", node.netns])
    run(["ip", "-n", node.netns, "-batch", "-"], stdin=node_side(plan, node))
    run(["ip", "-batch", "-"], stdin=root_side(plan, node))
    run(["nsenter", f"--net={pinned}", "--", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])


def remove_network(plan: ClusterPlan) -> list[str]:
    """Links, namespaces, address, table: whatever is there. Gives what could not be removed."""
    left = []
    for node in plan.every_node():
        if Path("/sys/class/net", node.link).exists():
            try_run(["ip", "link", "delete", node.link])
        pinned = _NETNS / node.netns
        if pinned.exists():
            try_run(["ip", "netns", "delete", node.netns])
            with contextlib.suppress(OSError):
                pinned.unlink(missing_ok=True)
        if pinned.exists() or Path("/sys/class/net", node.link).exists():
            left.append(f"network namespace {node.netns}")
    try_run(["ip", "address", "delete", f"{plan.root}/32", "dev", "lo"])
    if f"inet {plan.root}/" in run(["ip", "-o", "-4", "address", "show", "dev", "lo"]):
        left.append(f"address {plan.root} on lo")
    tables = run(["nft", "list", "tables"]).split()
    delete = ["nft", "delete", "table", "inet", plan.nft_table]
    if plan.nft_table in tables and try_run(delete) is None:
        left.append(f"nft table inet {plan.nft_table}")
    return left


_MOUNT_SCRIPT = """\
# /run/netns of the machine stays outside: its mounts would keep other nodes' namespaces alive.
if mountpoint -q /run/netns; then umount -l /run/netns; fi
while [ $# -gt 0 ]; do
  mount --bind "$1" "$2"
  shift 2
done
mount --make-rshared /
"""


_one_at_a_time = threading.Lock()


def _ensure_private_folder(folder: Path) -> None:
    """The kernel pins a mount namespace only below a private mount.

    Nodes are prepared side by side: a second mount over the first would hide what the first node pinned.
    """
    with _one_at_a_time:
        folder.mkdir(exist_ok=True)
        if not is_mounted(folder):
            run(["mount", "--bind", folder, folder])
            run(["mount", "--make-private", folder])


def ensure_mount_namespace(layout: Layout, node: NodePlan) -> None:
    """A mount namespace for the node, in which the hard-coded folders are its own.

    Without it kubelets delete each other's files.
    """
    pinned = layout.mount_namespace(node)
    if is_namespace(pinned):
        return
    folders = layout.node(node).own_folders
    for hard_coded, own in folders.items():
        own.mkdir(parents=True, exist_ok=True)
        Path(hard_coded).mkdir(parents=True, exist_ok=True)
    _ensure_private_folder(layout.namespaces)
    pinned.touch()
    pairs = [str(part) for hard_coded, own in folders.items() for part in (own, hard_coded)]
    run(["unshare", f"--mount={pinned}", "--propagation", "slave", "sh", "-ec", _MOUNT_SCRIPT, "sh", *pairs])

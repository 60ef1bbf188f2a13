"""Writes the cluster's files: the edge of what `node.py` and `control_plane.py` work out."""

import json
import os
import shutil
from pathlib import Path

from sandbox.embedded import control_plane, host, node, pki
from sandbox.embedded.kubeconfig import kubeconfig_for
from sandbox.embedded.layout import Layout
from sandbox.embedded.pki import SCOPED_ACCOUNTS, write_private
from sandbox.embedded.plan import NodePlan, Share, shares_of


def ensure_files(layout: Layout, group: int | None) -> None:
    """Certificates, kubeconfigs and configuration. Idempotent."""
    _ensure_home(layout, group)
    for folder in (layout.state, layout.run, layout.logs, layout.conf, layout.kube):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    layout.state.chmod(0o700)
    pki.ensure_pki(layout.pki, layout.plan)
    _ensure_kubeconfigs(layout, group)
    _write(layout.conf / "Corefile", control_plane.corefile_for(layout))
    _write(layout.conf / "audit-policy.json", json.dumps(control_plane.audit_policy(), indent=1))
    _write(layout.conf / "resolv.conf", f"nameserver {layout.plan.dns_service}\n")
    hosts = layout.conf / "registries" / "_default"
    hosts.mkdir(parents=True, exist_ok=True)
    _write(hosts / "hosts.toml", node.registry_hosts(layout))
    cpus, memory_bytes = read_machine()
    shares = shares_of(cpus, memory_bytes, layout.plan.nodes)
    for worker, share in zip(layout.plan.workers, shares, strict=True):
        _ensure_node_files(layout, worker, share)
    _ensure_audit_log(layout, group)


def ensure_this_boot(layout: Layout) -> None:
    """After a reboot start from nothing: without fsync etcd may have lost the end of its log."""
    boot = host.read_boot_id()
    if layout.boot_id.exists() and layout.boot_id.read_text() != boot:
        for folder in (layout.etcd, layout.run, layout.namespaces):
            shutil.rmtree(folder, ignore_errors=True)
    layout.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(layout.boot_id, boot)


def read_machine() -> tuple[int, int]:
    """(processors, bytes of memory) of this machine, as kubelet counts them."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return os.cpu_count() or 1, int(line.split()[1]) * 1024
    raise AssertionError("/proc/meminfo has a line MemTotal on every Linux")


def _ensure_home(layout: Layout, group: int | None) -> None:
    if not layout.home.exists():
        layout.home.mkdir(mode=0o700, parents=True)
        if group is not None:
            # The unprivileged processes pass through to `shared/`, and list nothing.
            os.chown(layout.home, -1, group)
            layout.home.chmod(0o710)


def _shared_folder(folder: Path, group: int | None) -> None:
    """A folder of root's that `group` may read. Folders that exist keep their owner."""
    if folder.exists():
        return
    folder.mkdir(mode=0o700, parents=True)
    if group is not None:
        for made in (folder, folder.parent):
            os.chown(made, -1, group)
            made.chmod(0o750)


def _ensure_kubeconfigs(layout: Layout, group: int | None) -> None:
    server = layout.plan.api_url
    for component in ("kube-controller-manager", "kube-scheduler", "kube-proxy", "coredns"):
        content = kubeconfig_for(layout.pki, server, component)
        write_private(layout.kube / f"{component}.kubeconfig", content)
    write_private(layout.admin_kubeconfig, kubeconfig_for(layout.pki, server, "admin"))
    _shared_folder(layout.web_kube, group)
    for account in SCOPED_ACCOUNTS:
        content = kubeconfig_for(layout.pki, server, account)
        path = layout.web_kube / f"{account}.kubeconfig"
        write_private(path, content, mode=0o640, group=group)


def _ensure_node_files(layout: Layout, worker: NodePlan, share: Share) -> None:
    own = layout.node(worker)
    for folder in (own.folder, own.cni_config, own.addresses, own.pod_logs, own.volume_plugins):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    reserved = node.reserved_for(share, *read_machine())
    _write(own.file("containerd.toml"), node.containerd_config(layout, worker))
    _write(own.cni_config / "10-glasshull.conflist", node.cni_config(layout, worker))
    _write(own.file("kubelet.json"), json.dumps(node.kubelet_config(layout, worker, reserved), indent=1))
    _write(own.file("kube-proxy.json"), json.dumps(node.proxy_config(layout, worker), indent=1))
    content = kubeconfig_for(layout.pki, layout.plan.api_url, f"node-{worker.number}")
    write_private(own.file("kubelet.kubeconfig"), content)


def _ensure_audit_log(layout: Layout, group: int | None) -> None:
    """Made before the API server makes it: rotation keeps the mode and group it finds."""
    log = layout.audit_log
    if log is None:
        return
    _shared_folder(log.parent, group)
    if not log.exists():
        write_private(log, b"", mode=0o640, group=group)


def _write(path: Path, text: str) -> None:
    """Only when it differs: kubelet and others watch some of these."""
    content = text.encode()
    if not path.exists() or path.read_bytes() != content:
        write_private(path, content)

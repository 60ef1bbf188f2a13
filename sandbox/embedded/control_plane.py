"""The control plane's commands and files. Pure: from a plan to what has to run."""

from pathlib import Path
from typing import Any

from sandbox.embedded.layout import Layout
from sandbox.embedded.plan import API_PORT, DNS_PORT, DOMAIN
from sandbox.embedded.processes import Component

ETCD = "etcd"
API_SERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
DNS = "coredns"
REGISTRY = "registry"

CONTROL_PLANE = (ETCD, API_SERVER, CONTROLLER_MANAGER, SCHEDULER, DNS, REGISTRY)


def etcd_for(layout: Layout, binaries: Path) -> Component:
    plan, pki = layout.plan, layout.pki
    client = f"https://127.0.0.1:{plan.etcd_client_port}"
    peer = f"http://127.0.0.1:{plan.etcd_peer_port}"
    return Component(
        ETCD,
        (
            str(binaries / ETCD),
            f"--data-dir={layout.etcd}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--client-cert-auth",
            f"--trusted-ca-file={pki / 'etcd-ca.crt'}",
            f"--cert-file={pki / 'etcd.crt'}",
            f"--key-file={pki / 'etcd.key'}",
            # What is in it is made again after a power cut: no need to wait for the disk.
            "--unsafe-no-fsync",
            "--log-level=warn",
        ),
    )


def api_server_for(layout: Layout, binaries: Path) -> Component:
    plan, pki = layout.plan, layout.pki
    audit: tuple[str, ...] = ()
    if layout.audit_log is not None:
        audit = (
            f"--audit-policy-file={layout.conf / 'audit-policy.json'}",
            f"--audit-log-path={layout.audit_log}",
            "--audit-log-maxsize=50",
            "--audit-log-maxbackup=2",
        )
    return Component(
        API_SERVER,
        (
            str(binaries / API_SERVER),
            f"--etcd-servers=https://127.0.0.1:{plan.etcd_client_port}",
            f"--etcd-cafile={pki / 'etcd-ca.crt'}",
            f"--etcd-certfile={pki / 'kube-apiserver-etcd-client.crt'}",
            f"--etcd-keyfile={pki / 'kube-apiserver-etcd-client.key'}",
            f"--bind-address={plan.root}",
            f"--advertise-address={plan.root}",
            f"--secure-port={API_PORT}",
            f"--tls-cert-file={pki / 'kube-apiserver.crt'}",
            f"--tls-private-key-file={pki / 'kube-apiserver.key'}",
            f"--client-ca-file={pki / 'ca.crt'}",
            f"--service-cluster-ip-range={plan.services}",
            "--authorization-mode=Node,RBAC",
            "--anonymous-auth=false",
            "--enable-admission-plugins=NodeRestriction",
            f"--kubelet-client-certificate={pki / 'kube-apiserver-kubelet-client.crt'}",
            f"--kubelet-client-key={pki / 'kube-apiserver-kubelet-client.key'}",
            f"--kubelet-certificate-authority={pki / 'ca.crt'}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-account-issuer=https://kubernetes.default.svc.{DOMAIN}",
            f"--service-account-key-file={pki / 'service-accounts.pub'}",
            f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
            "--allow-privileged",
            f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={pki / 'front-proxy-client.crt'}",
            f"--proxy-client-key-file={pki / 'front-proxy-client.key'}",
            # There is no kube-proxy beside the API server: webhooks are reached by Pod address.
            "--enable-aggregator-routing",
            "--event-ttl=1h",
            "--profiling=false",
            *audit,
        ),
    )


def controller_manager_for(layout: Layout, binaries: Path) -> Component:
    plan, pki = layout.plan, layout.pki
    return Component(
        CONTROLLER_MANAGER,
        (
            str(binaries / CONTROLLER_MANAGER),
            *_own_kubeconfig(layout, CONTROLLER_MANAGER, plan.controller_manager_port),
            f"--service-account-private-key-file={pki / 'service-accounts.key'}",
            f"--root-ca-file={pki / 'ca.crt'}",
            "--use-service-account-credentials",
            f"--cluster-signing-cert-file={pki / 'ca.crt'}",
            f"--cluster-signing-key-file={pki / 'ca.key'}",
            f"--service-cluster-ip-range={plan.services}",
            f"--cluster-cidr={plan.pods}",
            f"--flex-volume-plugin-dir={layout.state / 'volume-plugins'}",
            # With the default of 20 a second no controller runs for the first five seconds.
            "--kube-api-qps=300",
            "--kube-api-burst=600",
        ),
    )


def scheduler_for(layout: Layout, binaries: Path) -> Component:
    return Component(
        SCHEDULER,
        (str(binaries / SCHEDULER), *_own_kubeconfig(layout, SCHEDULER, layout.plan.scheduler_port)),
    )


def _own_kubeconfig(layout: Layout, name: str, port: int) -> tuple[str, ...]:
    kubeconfig = layout.kube / f"{name}.kubeconfig"
    return (
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--leader-elect=false",
        "--profiling=false",
    )


def dns_for(layout: Layout, binaries: Path) -> Component:
    return Component(DNS, (str(binaries / DNS), f"-conf={layout.conf / 'Corefile'}"))


def registry_for(layout: Layout, python: str) -> Component:
    """The registry that has nothing: see `registry.py`."""
    script = Path(__file__).with_name("registry.py")
    return Component(
        REGISTRY,
        (python, "-I", "-S", str(script), str(layout.plan.root), str(layout.plan.registry_port)),
    )


def name_rules_folder(layout: Layout) -> Path:
    return layout.conf / "name-rules"


def corefile_for(layout: Layout) -> str:
    """Names of the cluster; every other name does not exist, at once, because nothing leads outside.

    What is denied for a while comes first (`names_rules.py`).
    """
    plan = layout.plan
    return f"""\
import {name_rules_folder(layout)}/*.rule
{DOMAIN}:{DNS_PORT} in-addr.arpa:{DNS_PORT} {{
    bind {plan.root}
    health 127.0.0.1:{plan.dns_health_port}
    ready 127.0.0.1:{plan.dns_ready_port}
    prometheus 127.0.0.1:{plan.dns_metrics_port}
    errors
    kubernetes {DOMAIN} in-addr.arpa {{
        kubeconfig {layout.kube / "coredns.kubeconfig"} glasshull
        pods insecure
        ttl 5
    }}
}}
.:{DNS_PORT} {{
    bind {plan.root}
    errors
    template ANY ANY . {{
        rcode NXDOMAIN
    }}
}}
"""


def audit_policy() -> dict[str, Any]:
    """Who did what to which object. First match wins; policies cannot match prefixes of names.

    Components (nodes, controllers) are left out: their leases alone are 0.3 MB a minute. What
    ServiceAccounts do (students are ServiceAccounts) is kept with their reads; of people with certificates,
    and of the platform's own accounts, only what changes something.
    """
    drop: list[dict[str, Any]] = [
        {"userGroups": ["system:nodes", "system:serviceaccounts:kube-system"]},
        {
            "users": [
                "system:apiserver",
                "system:coredns",
                "system:kube-controller-manager",
                "system:kube-proxy",
                "system:kube-scheduler",
                "kube-apiserver-kubelet-client",
            ]
        },
        {
            "resources": [
                {"group": "coordination.k8s.io", "resources": ["leases"]},
                {"group": "", "resources": ["events"]},
                {"group": "events.k8s.io", "resources": ["events"]},
            ]
        },
        {"nonResourceURLs": ["*"]},
    ]
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "omitManagedFields": True,
        "rules": [
            *({"level": "None", **rule} for rule in drop),
            {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
            {"level": "None", "verbs": ["get", "list", "watch"]},
            {"level": "Metadata"},
        ],
    }


def dns_objects(layout: Layout) -> tuple[tuple[str, dict[str, Any]], ...]:
    """(path, manifest) of what makes CoreDNS outside the nodes the cluster's DNS.

    The Service has no selector: kube-proxy drops its address unless a slice of ours backs it.
    """
    plan = layout.plan
    ports = [
        {"name": "dns", "port": DNS_PORT, "protocol": "UDP"},
        {"name": "dns-tcp", "port": DNS_PORT, "protocol": "TCP"},
    ]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
        "spec": {"clusterIP": str(plan.dns_service), "ports": ports},
    }
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kube-dns",
            "namespace": "kube-system",
            "labels": {
                "kubernetes.io/service-name": "kube-dns",
                "endpointslice.kubernetes.io/managed-by": "glasshull",
            },
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [str(plan.root)], "conditions": {"ready": True}}],
        "ports": ports,
    }
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "system:coredns"},
        "rules": [
            {
                "apiGroups": [""],
                "resources": ["services", "pods", "namespaces"],
                "verbs": ["list", "watch"],
            },
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
        ],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "system:coredns"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:coredns"},
        "subjects": [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:coredns"},
        ],
    }
    return (
        (f"{rbac}/clusterroles/system:coredns", role),
        (f"{rbac}/clusterrolebindings/system:coredns", binding),
        ("/api/v1/namespaces/kube-system/services/kube-dns", service),
        ("/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kube-dns", endpoints),
    )

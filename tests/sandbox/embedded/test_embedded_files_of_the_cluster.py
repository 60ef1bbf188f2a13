"""Commands and configuration of the components: pure functions of the plan."""

import json
import re
from pathlib import Path

import pytest

from sandbox.embedded import control_plane, network, node
from sandbox.embedded.importing import parse_images
from sandbox.embedded.layout import Layout
from sandbox.embedded.plan import ClusterPlan, shares_of

LAYOUT = Layout(Path("/state"), ClusterPlan())
BINARIES = Path("/bin-of-ours")


def level_for(policy, *, user, groups=(), verb="create", resource=("", "pods"), url=None):
    """A small reading of audit policies: the first rule that matches wins."""
    for rule in policy["rules"]:
        if "users" in rule and user not in rule["users"]:
            continue
        if "userGroups" in rule and not set(groups) & set(rule["userGroups"]):
            continue
        if "verbs" in rule and verb not in rule["verbs"]:
            continue
        if "nonResourceURLs" in rule and url is None:
            continue
        if "resources" in rule and not any(
            url is None and group["group"] == resource[0] and resource[1] in group["resources"]
            for group in rule["resources"]
        ):
            continue
        return rule["level"]
    return "None"


STUDENT = {
    "user": "system:serviceaccount:gh-abc:student",
    "groups": ("system:serviceaccounts", "system:authenticated"),
}
CONTROLLER = {
    "user": "system:serviceaccount:kube-system:replicaset-controller",
    "groups": ("system:serviceaccounts", "system:serviceaccounts:kube-system"),
}


@pytest.mark.parametrize(
    ("who", "what", "level"),
    [
        (STUDENT, {"verb": "delete"}, "Metadata"),
        (STUDENT, {"verb": "get"}, "Metadata"),
        (STUDENT, {"verb": "list", "resource": ("", "events")}, "None"),
        (STUDENT, {"verb": "get", "url": "/openapi/v3"}, "None"),
        (CONTROLLER, {}, "None"),
        ({"user": "system:node:worker-1", "groups": ("system:nodes",)}, {"verb": "patch"}, "None"),
        ({"user": "system:kube-scheduler"}, {}, "None"),
        ({"user": "glasshull:keeper", "groups": ("glasshull",)}, {}, "Metadata"),
        ({"user": "admin", "groups": ("system:masters",)}, {"verb": "delete"}, "Metadata"),
        ({"user": "admin", "groups": ("system:masters",)}, {"verb": "watch"}, "None"),
        ({"user": "admin"}, {"verb": "update", "resource": ("coordination.k8s.io", "leases")}, "None"),
    ],
)
def test_the_audit_log_keeps_what_people_do(who, what, level):
    assert level_for(control_plane.audit_policy(), **who, **what) == level


def test_bodies_never_reach_the_audit_log():
    policy = control_plane.audit_policy()
    assert {rule["level"] for rule in policy["rules"]} == {"None", "Metadata"}
    assert policy["omitStages"] == ["RequestReceived"]


def test_only_instance_1_writes_the_products_audit_log():
    argv = control_plane.api_server_for(LAYOUT, BINARIES).argv
    assert "--audit-log-path=/state/shared/audit/audit.log" in argv
    other = control_plane.api_server_for(Layout(Path("/state"), ClusterPlan(2)), BINARIES).argv
    assert not any("audit" in word for word in other)


def test_every_path_of_a_command_lies_below_the_state_folder():
    commands = [
        control_plane.etcd_for(LAYOUT, BINARIES),
        control_plane.controller_manager_for(LAYOUT, BINARIES),
        control_plane.scheduler_for(LAYOUT, BINARIES),
        control_plane.dns_for(LAYOUT, BINARIES),
        control_plane.api_server_for(LAYOUT, BINARIES),
    ]
    for command in commands:
        for word in command.argv[1:]:
            path = word.partition("=")[2]
            if path.startswith("/"):
                assert path.startswith(("/state/cluster-1/", "/state/shared/")), word


def test_etcd_cannot_be_opened_with_a_nodes_certificate():
    argv = control_plane.etcd_for(LAYOUT, BINARIES).argv
    assert "--client-cert-auth" in argv
    assert "--trusted-ca-file=/state/cluster-1/pki/etcd-ca.crt" in argv


def test_names_outside_the_cluster_do_not_exist():
    corefile = control_plane.corefile_for(LAYOUT)
    assert corefile.count("bind 10.2.0.1") == 2
    assert "rcode NXDOMAIN" in corefile
    assert "forward" not in corefile


def test_dns_objects_back_the_service_by_a_slice_of_ours():
    objects = {manifest["kind"]: manifest for _, manifest in control_plane.dns_objects(LAYOUT)}
    assert objects["Service"]["spec"]["clusterIP"] == "10.152.183.10"
    assert "selector" not in objects["Service"]["spec"]
    endpoints = objects["EndpointSlice"]
    assert endpoints["metadata"]["labels"]["kubernetes.io/service-name"] == "kube-dns"
    assert endpoints["endpoints"][0]["addresses"] == ["10.2.0.1"]
    assert endpoints["ports"] == objects["Service"]["spec"]["ports"]


def test_allocatable_is_exactly_the_nodes_share():
    cpus, memory = 2, 24 * 2**30
    for share in shares_of(cpus, memory, 3):
        reserved = node.reserved_for(share, cpus, memory)
        evicted = int(
            node.kubelet_config(LAYOUT, LAYOUT.plan.node(1), reserved)["evictionHard"]["memory.available"]
        )
        assert 1000 * cpus - int(reserved["cpu"].removesuffix("m")) == share.cpu_millis
        assert memory - int(reserved["memory"]) - evicted == share.memory_bytes


def test_a_kubelet_serves_nobody_without_asking():
    config = node.kubelet_config(LAYOUT, LAYOUT.plan.node(2), {})
    assert config["authentication"]["anonymous"] == {"enabled": False}
    assert config["authorization"] == {"mode": "Webhook"}
    assert config["enableSystemLogHandler"] is False
    assert config["podPidsLimit"] == 256
    assert config["address"] == "10.2.0.12"
    assert config["cgroupRoot"] == "/gh1n2"


def test_each_node_has_a_proxy_of_its_own():
    names = [node.proxy_config(LAYOUT, worker)["hostnameOverride"] for worker in LAYOUT.plan.workers]
    assert names == ["worker-1", "worker-2", "worker-3"]
    assert {node.proxy_config(LAYOUT, w)["mode"] for w in LAYOUT.plan.workers} == {"nftables"}


def test_pods_of_a_node_get_addresses_of_that_node():
    document = json.loads(node.cni_config(LAYOUT, LAYOUT.plan.node(3)))
    assert [plugin["type"] for plugin in document["plugins"]] == ["ptp", "portmap"]
    assert document["plugins"][0]["ipam"]["ranges"] == [[{"subnet": "10.1.3.0/24"}]]
    assert document["plugins"][0]["ipMasq"] is False


def test_every_registry_is_ours():
    hosts = node.registry_hosts(LAYOUT)
    assert re.findall(r"https?://[^\"]+", hosts) == ["http://10.2.0.1:16457"] * 2


def test_pods_reach_the_api_server_and_names_and_nothing_else_of_the_machine():
    rules = network.filter_rules(ClusterPlan())
    accepted = [line.strip() for line in rules.splitlines() if line.strip().endswith("accept")]
    assert accepted == [
        "ct state established,related accept",
        "ip protocol icmp accept",
        "ip daddr 10.2.0.1 tcp dport { 53, 16443, 16457 } accept",
        "ip daddr 10.2.0.1 udp dport 53 accept",
        'iifname "gh1n*" oifname "gh1n*" accept',
    ]


def test_node_processes_enter_the_nodes_namespaces():
    argv = node.kubelet_for(LAYOUT, LAYOUT.plan.node(2), BINARIES).argv
    assert argv[:4] == ("nsenter", "--net=/run/netns/gh-1-node-2", "--mount=/state/cluster-1/ns/2", "--")


def test_images_of_a_node_are_read():
    listing = "REF TYPE DIGEST SIZE PLATFORMS LABELS\na/b:1 application/x sha256:aa 1.2 MiB linux/amd64 -\n"
    assert parse_images(listing) == {"a/b:1": "sha256:aa"}
    assert parse_images("REF TYPE DIGEST\n") == {}


def test_the_marker_differs_by_place_and_instance():
    ids = {Layout(Path(home), ClusterPlan(instance)).id for home in ("/a", "/b") for instance in (1, 2)}
    assert len(ids) == 4

"""Full dicts: what a sandbox is made of must not change by accident."""

import pytest

from sandbox import manifests
from sandbox.plan import plan_for

MI = 2**20
PLAN = plan_for("a", pods=4, memory=128 * MI, cpu=0.4)
NODES = plan_for("a", pods=4, memory=128 * MI, cpu=0.4, capabilities=("nodes.read",))
LABELS = {
    "app.kubernetes.io/managed-by": "glasshull",
    "glasshull.dev/part": "guard-rail",
    "glasshull.dev/sandbox": "acl6pvzhng",
}


def meta(name, namespace="gh-acl6pvzhng"):
    return {"name": name, "namespace": namespace, "labels": LABELS}


def test_namespace():
    assert manifests.namespace(PLAN) == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": "gh-acl6pvzhng",
            "labels": {
                **LABELS,
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/enforce-version": "v1.37",
                "pod-security.kubernetes.io/audit": "restricted",
                "pod-security.kubernetes.io/audit-version": "v1.37",
                "pod-security.kubernetes.io/warn": "privileged",
            },
        },
    }


def test_accounts_mount_no_token():
    for made, name in (
        (manifests.default_account(PLAN), "default"),
        (manifests.student_account(PLAN), "student"),
    ):
        assert made == {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": meta(name),
            "automountServiceAccountToken": False,
        }


def test_student_binding():
    assert manifests.student_binding(PLAN) == {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": meta("student"),
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "glasshull:student",
        },
        "subjects": [{"kind": "ServiceAccount", "name": "student", "namespace": "gh-acl6pvzhng"}],
    }


def test_nodes_only_for_lessons_that_ask():
    assert manifests.node_reader_binding(NODES) == {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "gh-acl6pvzhng-nodes", "labels": LABELS},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "glasshull:node-reader",
        },
        "subjects": [{"kind": "ServiceAccount", "name": "student", "namespace": "gh-acl6pvzhng"}],
    }
    kinds = [one["kind"] for one in manifests.guard_rails(PLAN)]
    assert "ClusterRoleBinding" not in kinds
    assert [one["kind"] for one in manifests.guard_rails(NODES)] == [*kinds, "ClusterRoleBinding"]


def test_quota():
    assert manifests.quota(PLAN) == {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": meta("sandbox"),
        "spec": {
            "hard": {
                "pods": "7",
                "requests.cpu": "700m",
                "limits.cpu": "3500m",
                "requests.memory": str(7 * 32 * MI),
                "limits.memory": str(7 * 32 * MI),
                "requests.ephemeral-storage": str(7 * 8 * MI),
                "limits.ephemeral-storage": str(7 * 64 * MI),
                "requests.storage": "1Gi",
                "persistentvolumeclaims": "4",
                "services": "10",
                "services.nodeports": "0",
                "services.loadbalancers": "0",
                "configmaps": "20",
                "secrets": "20",
                "count/deployments.apps": "10",
                "count/replicasets.apps": "40",
                "count/statefulsets.apps": "6",
                "count/daemonsets.apps": "4",
                "count/jobs.batch": "20",
                "count/cronjobs.batch": "4",
                "count/horizontalpodautoscalers.autoscaling": "4",
                "count/poddisruptionbudgets.policy": "6",
            }
        },
    }


def test_limits():
    assert manifests.limits(PLAN) == {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": meta("sandbox"),
        "spec": {
            "limits": [
                {
                    "type": "Container",
                    "default": {
                        "cpu": "500m",
                        "memory": str(32 * MI),
                        "ephemeral-storage": str(64 * MI),
                    },
                    "defaultRequest": {
                        "cpu": "10m",
                        "memory": str(32 * MI),
                        "ephemeral-storage": str(8 * MI),
                    },
                }
            ]
        },
    }


def test_network_policies():
    deny, each_other, dns, platform = manifests.network_policies(PLAN)
    assert deny == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": meta("default-deny"),
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
    assert each_other["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": {}}]}],
        "egress": [{"to": [{"podSelector": {}}]}],
    }
    assert dns["spec"] == {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [
            {
                "to": [{"ipBlock": {"cidr": "10.2.0.1/32"}}],
                "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
            }
        ],
    }
    assert platform["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [
                    {
                        "namespaceSelector": {
                            "matchLabels": {"kubernetes.io/metadata.name": "glasshull-system"}
                        },
                        "podSelector": {"matchLabels": {"app": "prober"}},
                    },
                    {
                        "namespaceSelector": {
                            "matchLabels": {"kubernetes.io/metadata.name": "glasshull-toolboxes"}
                        },
                        "podSelector": {"matchLabels": {"glasshull.dev/sandbox": "acl6pvzhng"}},
                    },
                ]
            }
        ],
    }


def test_toolbox_policy():
    assert manifests.toolbox_policy(PLAN) == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": meta("toolbox-acl6pvzhng", "glasshull-toolboxes"),
        "spec": {
            "podSelector": {"matchLabels": {"glasshull.dev/sandbox": "acl6pvzhng"}},
            "policyTypes": ["Egress"],
            "egress": [
                {"to": [{"namespaceSelector": {"matchLabels": {"glasshull.dev/sandbox": "acl6pvzhng"}}}]}
            ],
        },
    }


def test_toolbox():
    assert manifests.toolbox(PLAN) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "toolbox-acl6pvzhng",
            "namespace": "glasshull-toolboxes",
            "labels": {**LABELS, "app": "toolbox"},
        },
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "hostname": "toolbox",
            "terminationGracePeriodSeconds": 1,
            "dnsPolicy": "None",
            "dnsConfig": {
                "nameservers": ["10.152.183.10"],
                "searches": ["gh-acl6pvzhng.svc.cluster.local", "svc.cluster.local", "cluster.local"],
                "options": [{"name": "ndots", "value": "5"}],
            },
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "runAsGroup": 1000,
                "fsGroup": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "toolbox",
                    "image": "glasshull.local/toolbox:1",
                    "imagePullPolicy": "IfNotPresent",
                    "env": [
                        {"name": "HOME", "value": "/home/student"},
                        {"name": "KUBECONFIG", "value": "/home/student/.kube/config"},
                    ],
                    "workingDir": "/home/student",
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "160Mi", "ephemeral-storage": "16Mi"},
                        "limits": {"cpu": "1", "memory": "160Mi", "ephemeral-storage": "96Mi"},
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                        "readOnlyRootFilesystem": True,
                    },
                    "volumeMounts": [
                        {"name": "home", "mountPath": "/home/student"},
                        {"name": "tmp", "mountPath": "/tmp"},
                    ],
                }
            ],
            "volumes": [
                {"name": "home", "emptyDir": {"sizeLimit": "64Mi"}},
                {"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}},
            ],
        },
    }


FORBIDDEN_VERBS = {"*", "escalate", "bind", "impersonate", "approve", "sign"}
NEVER_WRITTEN = {
    "roles", "rolebindings", "networkpolicies", "resourcequotas", "limitranges", "namespaces",
    "endpoints", "endpointslices", "serviceaccounts", "events", "leases",
}  # fmt: skip
NEVER_AT_ALL = {"serviceaccounts/token", "nodes/proxy", "pods/proxy", "services/proxy", "nodes", "namespaces"}


@pytest.mark.parametrize("rule", manifests.student_rules(), ids=lambda rule: ",".join(rule["resources"]))
def test_no_rule_of_the_student_leads_up(rule):
    assert not FORBIDDEN_VERBS & set(rule["verbs"])
    assert not NEVER_AT_ALL & set(rule["resources"])
    assert "*" not in rule["resources"]
    assert "*" not in rule["apiGroups"]
    if NEVER_WRITTEN & set(rule["resources"]):
        assert set(rule["verbs"]) <= {"get", "list", "watch"}


def test_the_student_may_do_what_lesson_fourteen_needs():
    allowed = {(r, v) for rule in manifests.student_rules() for r in rule["resources"] for v in rule["verbs"]}
    for resource, verb in [
        ("pods", "delete"), ("pods/log", "get"), ("pods/exec", "create"), ("pods/portforward", "create"),
        ("deployments", "create"), ("deployments/scale", "patch"), ("replicasets", "patch"),
        ("statefulsets", "create"), ("services", "delete"), ("endpointslices", "list"), ("events", "watch"),
        ("pods/ephemeralcontainers", "patch"), ("configmaps", "update"), ("jobs", "create"),
    ]:  # fmt: skip
        assert (resource, verb) in allowed

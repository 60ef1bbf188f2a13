"""Everything a sandbox is made of, as plain objects. Pure: same plan, same dicts.

The order and the content follow the namespace recipe: Pod Security, default-deny network, quota, limits,
no mounted token, one role without a way up.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from sandbox.plan import (
    CPU_LIMIT_CORES,
    EPHEMERAL_LIMIT,
    EPHEMERAL_REQUEST,
    SANDBOX_LABEL,
    STUDENT,
    SYSTEM_NAMESPACE,
    TOOLBOX_NAMESPACE,
    SandboxPlan,
)

Manifest: TypeAlias = dict[str, Any]

POD_SECURITY_VERSION = "v1.37"  # pinned: a new cluster must not change what a lesson may do
# `part` marks what is ours: pictures and records leave it out.
MANAGED_BY = {"app.kubernetes.io/managed-by": "glasshull", "glasshull.dev/part": "guard-rail"}
TOOLBOX_IMAGE = "glasshull.local/toolbox:1"
PROBER_IMAGE = "glasshull.local/prober:1"
TOOLBOX_MEMORY = "160Mi"  # one kubectl takes 46 MB
HOME = "/home/student"
STUDENT_ROLE = "glasshull:student"
NODE_READER_ROLE = "glasshull:node-reader"

READ = ["get", "list", "watch"]
WRITE = ["create", "update", "patch", "delete", "deletecollection"]


def labels_for(plan: SandboxPlan) -> dict[str, str]:
    """On everything of ours in or for this sandbox."""
    return MANAGED_BY | {SANDBOX_LABEL: plan.key}


def pod_security(level: str = "restricted") -> dict[str, str]:
    """Labels that enforce `level`. `warn` is off: the mutating policy mends what it would warn about."""
    return {
        "pod-security.kubernetes.io/enforce": level,
        "pod-security.kubernetes.io/enforce-version": POD_SECURITY_VERSION,
        "pod-security.kubernetes.io/audit": level,
        "pod-security.kubernetes.io/audit-version": POD_SECURITY_VERSION,
        "pod-security.kubernetes.io/warn": "privileged",
    }


def namespace(plan: SandboxPlan) -> Manifest:
    labels = labels_for(plan) | pod_security()
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": plan.namespace, "labels": labels},
    }


def default_account(plan: SandboxPlan) -> Manifest:
    """What Pods run as when they name nothing: no token in any of them."""
    return _object(plan, "v1", "ServiceAccount", "default", automountServiceAccountToken=False)


def student_account(plan: SandboxPlan) -> Manifest:
    return _object(plan, "v1", "ServiceAccount", STUDENT, automountServiceAccountToken=False)


def student_binding(plan: SandboxPlan) -> Manifest:
    """The student's rights, in this namespace only.

    A RoleBinding to one ClusterRole and not a Role per sandbox: whoever creates Roles must hold every right
    in them or `escalate`; with this the keeper needs `bind` on two names and nothing more.
    """
    return _object(
        plan,
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        STUDENT,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": STUDENT_ROLE},
        subjects=[_student(plan)],
    )


def node_reader_binding(plan: SandboxPlan) -> Manifest:
    """For lessons with the capability nodes.read. Cluster-wide, so named after the sandbox."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{plan.namespace}-nodes", "labels": labels_for(plan)},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NODE_READER_ROLE},
        "subjects": [_student(plan)],
    }


def quota(plan: SandboxPlan) -> Manifest:
    """Half as much again as the budget plus one Pod, and a ceiling on every kind a loop could fill."""
    pods = plan.quota_pods
    hard = {
        "pods": str(pods),
        "requests.cpu": f"{plan.quota_millicores}m",
        "limits.cpu": f"{int(CPU_LIMIT_CORES * 1000) * pods}m",
        "requests.memory": str(plan.quota_memory),
        "limits.memory": str(plan.quota_memory),
        "requests.ephemeral-storage": str(EPHEMERAL_REQUEST * pods),
        "limits.ephemeral-storage": str(EPHEMERAL_LIMIT * pods),
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
    return _object(plan, "v1", "ResourceQuota", "sandbox", spec={"hard": hard})


def limits(plan: SandboxPlan) -> Manifest:
    """What a container gets that names nothing: the budget divided by its Pods (of CPU a part is requested).

    Ephemeral storage, too: a Pod that names none slips past a quota on it (kubernetes#110956).
    """
    default = {
        "cpu": f"{max(int(CPU_LIMIT_CORES * 1000), plan.pod_millicores)}m",
        "memory": str(plan.pod_memory),
        "ephemeral-storage": str(EPHEMERAL_LIMIT),
    }
    request = {
        "cpu": f"{plan.default_millicores}m",
        "memory": str(plan.pod_memory),
        "ephemeral-storage": str(EPHEMERAL_REQUEST),
    }
    limit = {"type": "Container", "default": default, "defaultRequest": request}
    return _object(plan, "v1", "LimitRange", "sandbox", spec={"limits": [limit]})


def network_policies(plan: SandboxPlan) -> list[Manifest]:
    """Default-deny both ways, then: each other, DNS, and in from the prober and this sandbox's toolbox."""
    everything: Manifest = {}
    return [
        _policy(plan, "default-deny", podSelector=everything, policyTypes=["Ingress", "Egress"]),
        _policy(
            plan,
            "allow-each-other",
            podSelector=everything,
            policyTypes=["Ingress", "Egress"],
            ingress=[{"from": [{"podSelector": {}}]}],
            egress=[{"to": [{"podSelector": {}}]}],
        ),
        _policy(
            plan,
            "allow-dns",
            podSelector=everything,
            policyTypes=["Egress"],
            egress=[dns_egress(plan.network.resolver)],
        ),
        _policy(
            plan,
            "allow-platform",
            podSelector=everything,
            policyTypes=["Ingress"],
            ingress=[{"from": [_peer(SYSTEM_NAMESPACE, {"app": "prober"}), _toolbox_peer(plan)]}],
        ),
    ]


def dns_egress(resolver: str) -> Manifest:
    """The embedded cluster's DNS is an address of the machine, not a Pod: hence an ipBlock."""
    ports = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    return {"to": [{"ipBlock": {"cidr": f"{resolver}/32"}}], "ports": ports}


def toolbox_policy(plan: SandboxPlan) -> Manifest:
    """Lets this sandbox's toolbox reach this sandbox; what all toolboxes may is a policy of the platform."""
    manifest = _policy(
        plan,
        plan.toolbox,
        podSelector={"matchLabels": {SANDBOX_LABEL: plan.key}},
        policyTypes=["Egress"],
        egress=[{"to": [{"namespaceSelector": {"matchLabels": {SANDBOX_LABEL: plan.key}}}]}],
    )
    manifest["metadata"]["namespace"] = TOOLBOX_NAMESPACE
    return manifest


def guard_rails(plan: SandboxPlan) -> list[Manifest]:
    """All that must be in force before a token is handed out; creating them together is fine."""
    rails = [
        *network_policies(plan),
        quota(plan),
        limits(plan),
        default_account(plan),
        student_account(plan),
        student_binding(plan),
        toolbox_policy(plan),
    ]
    return [*rails, node_reader_binding(plan)] if plan.reads_nodes else rails


def toolbox(plan: SandboxPlan) -> Manifest:
    """The Pod behind the student's terminal: outside the student's namespace, without any token of a Pod."""
    network = plan.network
    searches = [f"{plan.namespace}.svc.{network.domain}", f"svc.{network.domain}", network.domain]
    container = {
        "name": "toolbox",
        "image": TOOLBOX_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": "HOME", "value": HOME}, {"name": "KUBECONFIG", "value": f"{HOME}/.kube/config"}],
        "workingDir": HOME,
        "resources": {
            "requests": {"cpu": "10m", "memory": TOOLBOX_MEMORY, "ephemeral-storage": "16Mi"},
            "limits": {"cpu": "1", "memory": TOOLBOX_MEMORY, "ephemeral-storage": "96Mi"},
        },
        "securityContext": restricted_container() | {"readOnlyRootFilesystem": True},
        "volumeMounts": [{"name": "home", "mountPath": HOME}, {"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": plan.toolbox,
            "namespace": TOOLBOX_NAMESPACE,
            "labels": labels_for(plan) | {"app": "toolbox"},
        },
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "hostname": "toolbox",
            "terminationGracePeriodSeconds": 1,
            "dnsPolicy": "None",
            "dnsConfig": {
                "nameservers": [network.service_resolver],
                "searches": searches,
                "options": [{"name": "ndots", "value": "5"}],
            },
            "securityContext": restricted_pod() | {"fsGroup": 1000},
            "containers": [container],
            "volumes": [
                {"name": "home", "emptyDir": {"sizeLimit": "64Mi"}},
                {"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}},
            ],
        },
    }


def restricted_pod(user: int = 1000) -> Manifest:
    """Pod level of Pod Security `restricted`."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def restricted_container() -> Manifest:
    """Container level of Pod Security `restricted`."""
    return {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def student_rules() -> list[Manifest]:
    """The student's rights: explicit verbs, no way up.

    Never here: roles, bindings, network policies, quotas, limit ranges, namespaces, endpoints, token
    requests, `*/proxy`, `*/status`. Secrets are in: who may create Pods reads them all anyway, so nothing
    of the platform's lies in the namespace.
    """
    return [
        _rule([""], ["pods", "services", "configmaps", "secrets", "persistentvolumeclaims"], READ + WRITE),
        # Nobody makes these any more, but `kubectl get all` and `delete all` ask for them.
        _rule([""], ["replicationcontrollers"], [*READ, "delete", "deletecollection"]),
        _rule([""], ["pods/log", "pods/status"], ["get"]),
        _rule([""], ["pods/exec", "pods/attach", "pods/portforward"], ["get", "create"]),
        _rule([""], ["pods/ephemeralcontainers"], ["get", "patch", "update"]),
        _rule([""], ["events", "endpoints", "serviceaccounts", "resourcequotas", "limitranges"], READ),
        _rule(["events.k8s.io"], ["events"], READ),
        _rule(["discovery.k8s.io"], ["endpointslices"], READ),
        _rule(["apps"], ["deployments", "replicasets", "statefulsets", "daemonsets"], READ + WRITE),
        _rule(
            ["apps"],
            ["deployments/scale", "replicasets/scale", "statefulsets/scale"],
            ["get", "update", "patch"],
        ),
        _rule(["apps"], ["controllerrevisions"], READ),
        _rule(["batch"], ["jobs", "cronjobs"], READ + WRITE),
        _rule(["autoscaling"], ["horizontalpodautoscalers"], READ + WRITE),
        _rule(["policy"], ["poddisruptionbudgets"], READ + WRITE),
        _rule(["networking.k8s.io"], ["networkpolicies", "ingresses"], READ),
        _rule(["coordination.k8s.io"], ["leases"], READ),
        _rule(["rbac.authorization.k8s.io"], ["roles", "rolebindings"], READ),
        _rule(["metrics.k8s.io"], ["pods"], ["get", "list"]),
    ]


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> Manifest:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


def _student(plan: SandboxPlan) -> Manifest:
    return {"kind": "ServiceAccount", "name": STUDENT, "namespace": plan.namespace}


def _peer(in_namespace: str, labels: dict[str, str]) -> Manifest:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": in_namespace}},
        "podSelector": {"matchLabels": labels},
    }


def _toolbox_peer(plan: SandboxPlan) -> Manifest:
    return _peer(TOOLBOX_NAMESPACE, {SANDBOX_LABEL: plan.key})


def _policy(plan: SandboxPlan, name: str, **spec: Any) -> Manifest:
    return _object(plan, "networking.k8s.io/v1", "NetworkPolicy", name, spec=spec)


def _object(plan: SandboxPlan, api_version: str, kind: str, name: str, **rest: Any) -> Manifest:
    metadata = {"name": name, "namespace": plan.namespace, "labels": labels_for(plan)}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}

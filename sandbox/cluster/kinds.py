"""Kinds of the API by their paths: what is watched, what a student may make."""

from __future__ import annotations

from dataclasses import dataclass

METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_ONLY_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@dataclass(frozen=True, slots=True)
class ApiKind:
    """One kind. `root` is `/api/v1` or `/apis/<group>/<version>`."""

    name: str
    plural: str
    api_version: str = "v1"
    namespaced: bool = True
    metadata_only: bool = False  # never read the contents (Secrets)

    @property
    def root(self) -> str:
        return f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"

    @property
    def everywhere(self) -> str:
        """Path of the collection over all namespaces."""
        return f"{self.root}/{self.plural}"

    def collection(self, namespace: str | None = None) -> str:
        """Path of the collection, in a namespace when the kind has them."""
        if self.namespaced and namespace:
            return f"{self.root}/namespaces/{namespace}/{self.plural}"
        return self.everywhere

    def path(self, namespace: str | None, name: str, subresource: str = "") -> str:
        tail = f"/{subresource}" if subresource else ""
        return f"{self.collection(namespace)}/{name}{tail}"


NAMESPACE = ApiKind("Namespace", "namespaces", namespaced=False)
NODE = ApiKind("Node", "nodes", namespaced=False)
POD = ApiKind("Pod", "pods")
SERVICE = ApiKind("Service", "services")
CONFIG_MAP = ApiKind("ConfigMap", "configmaps")
SECRET = ApiKind("Secret", "secrets", metadata_only=True)
VOLUME_CLAIM = ApiKind("PersistentVolumeClaim", "persistentvolumeclaims")
SERVICE_ACCOUNT = ApiKind("ServiceAccount", "serviceaccounts")
RESOURCE_QUOTA = ApiKind("ResourceQuota", "resourcequotas")
LIMIT_RANGE = ApiKind("LimitRange", "limitranges")
EVENT = ApiKind("Event", "events")
DEPLOYMENT = ApiKind("Deployment", "deployments", "apps/v1")
REPLICA_SET = ApiKind("ReplicaSet", "replicasets", "apps/v1")
STATEFUL_SET = ApiKind("StatefulSet", "statefulsets", "apps/v1")
DAEMON_SET = ApiKind("DaemonSet", "daemonsets", "apps/v1")
JOB = ApiKind("Job", "jobs", "batch/v1")
CRON_JOB = ApiKind("CronJob", "cronjobs", "batch/v1")
AUTOSCALER = ApiKind("HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaling/v2")
DISRUPTION_BUDGET = ApiKind("PodDisruptionBudget", "poddisruptionbudgets", "policy/v1")
ENDPOINT_SLICE = ApiKind("EndpointSlice", "endpointslices", "discovery.k8s.io/v1")
NETWORK_POLICY = ApiKind("NetworkPolicy", "networkpolicies", "networking.k8s.io/v1")
LEASE = ApiKind("Lease", "leases", "coordination.k8s.io/v1")
ROLE_BINDING = ApiKind("RoleBinding", "rolebindings", "rbac.authorization.k8s.io/v1")
CLUSTER_ROLE = ApiKind("ClusterRole", "clusterroles", "rbac.authorization.k8s.io/v1", namespaced=False)
CLUSTER_ROLE_BINDING = ApiKind(
    "ClusterRoleBinding", "clusterrolebindings", "rbac.authorization.k8s.io/v1", namespaced=False
)
ROLE = ApiKind("Role", "roles", "rbac.authorization.k8s.io/v1")
MUTATING_POLICY = ApiKind(
    "MutatingAdmissionPolicy",
    "mutatingadmissionpolicies",
    "admissionregistration.k8s.io/v1",
    namespaced=False,
)
MUTATING_BINDING = ApiKind(
    "MutatingAdmissionPolicyBinding",
    "mutatingadmissionpolicybindings",
    "admissionregistration.k8s.io/v1",
    namespaced=False,
)
VALIDATING_POLICY = ApiKind(
    "ValidatingAdmissionPolicy",
    "validatingadmissionpolicies",
    "admissionregistration.k8s.io/v1",
    namespaced=False,
)
VALIDATING_BINDING = ApiKind(
    "ValidatingAdmissionPolicyBinding",
    "validatingadmissionpolicybindings",
    "admissionregistration.k8s.io/v1",
    namespaced=False,
)

# Everything the platform itself writes, found by (apiVersion, kind).
OURS: dict[tuple[str, str], ApiKind] = {
    (kind.api_version, kind.name): kind
    for kind in (
        NAMESPACE,
        POD,
        SERVICE,
        CONFIG_MAP,
        SECRET,
        VOLUME_CLAIM,
        SERVICE_ACCOUNT,
        RESOURCE_QUOTA,
        LIMIT_RANGE,
        DEPLOYMENT,
        REPLICA_SET,
        STATEFUL_SET,
        DAEMON_SET,
        JOB,
        CRON_JOB,
        AUTOSCALER,
        DISRUPTION_BUDGET,
        NETWORK_POLICY,
        ROLE,
        ROLE_BINDING,
        CLUSTER_ROLE,
        CLUSTER_ROLE_BINDING,
        MUTATING_POLICY,
        MUTATING_BINDING,
        VALIDATING_POLICY,
        VALIDATING_BINDING,
    )
}

# Makers before what they make, so that emptying does not race with their making it again.
MAKERS = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, CRON_JOB, AUTOSCALER)
MADE = (REPLICA_SET, JOB)
# The other kinds a student may make, Pods apart (they need a grace period of zero).
BELONGINGS = (SERVICE, CONFIG_MAP, SECRET, VOLUME_CLAIM, DISRUPTION_BUDGET)

WATCHED: tuple[ApiKind, ...] = (
    POD,
    DEPLOYMENT,
    REPLICA_SET,
    STATEFUL_SET,
    DAEMON_SET,
    JOB,
    SERVICE,
    ENDPOINT_SLICE,
    CONFIG_MAP,
    VOLUME_CLAIM,
    NETWORK_POLICY,
    LEASE,
    AUTOSCALER,
    NODE,
    SECRET,
    EVENT,
)

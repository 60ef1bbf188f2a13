"""The platform's prober in the cluster: a Deployment, so that a Pod that dies or is lost is made again."""

from __future__ import annotations

from typing import Any, TypeAlias

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.ensuring import ensure_applied, ensure_deleted
from sandbox.cluster.kinds import DEPLOYMENT, POD
from sandbox.cluster.waiting import wait_for
from sandbox.errors import SandboxError
from sandbox.manifests import MANAGED_BY, PROBER_IMAGE, restricted_container, restricted_pod
from sandbox.plan import SYSTEM_NAMESPACE

Manifest: TypeAlias = dict[str, Any]

PROBER = "prober"
# A node that is silent for so long has lost its prober, as far as lessons are concerned (default: 300 s).
LOST_AFTER_S = 5


def prober_deployment() -> Manifest:
    """One static program that waits; commands and results go over an exec stream."""
    container = {
        "name": PROBER,
        "image": PROBER_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["prober"],
        "args": ["wait"],
        "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": restricted_container() | {"readOnlyRootFilesystem": True},
    }
    pod = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": restricted_pod(),
        "tolerations": [_until_lost("not-ready"), _until_lost("unreachable")],
        "containers": [container],
    }
    labels = MANAGED_BY | {"app": PROBER}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": PROBER, "namespace": SYSTEM_NAMESPACE, "labels": labels},
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": {"app": PROBER}},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _until_lost(condition: str) -> Manifest:
    key = f"node.kubernetes.io/{condition}"
    return {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": LOST_AFTER_S}


async def ensure_prober(admin: ClusterClient) -> None:
    """The Deployment as it should be. The bare Pod of earlier versions goes: nobody made that again."""
    await ensure_applied(admin, prober_deployment())
    await ensure_deleted(admin, POD, SYSTEM_NAMESPACE, PROBER, grace=0)


async def wait_for_prober(admin: ClusterClient, *, timeout: float = 60.0) -> None:
    """Until one can be asked. Raises SandboxNotReady."""
    await wait_for(admin, DEPLOYMENT, SYSTEM_NAMESPACE, PROBER, _is_available, timeout=timeout)


async def find_prober(client: ClusterClient) -> tuple[str, str]:
    """Namespace and name of the Pod to ask. Raises SandboxError when none is ready, ApiError, ClusterUnavailable."""
    path, selector = POD.collection(SYSTEM_NAMESPACE), {"labelSelector": f"app={PROBER}"}
    listed = await client.request("GET", path, params=selector)
    name = ready_pod(listed.get("items") or [])
    if name is None:
        raise SandboxError("No prober is ready.")
    return SYSTEM_NAMESPACE, name


def ready_pod(pods: list[Manifest]) -> str | None:
    """Pure. The name of the newest Pod that is Ready and not on its way out."""
    ready = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp") and is_ready(pod)]
    ready.sort(key=lambda pod: str(pod["metadata"].get("creationTimestamp") or ""))
    return str(ready[-1]["metadata"]["name"]) if ready else None


def is_ready(pod: Manifest | None) -> bool:
    conditions = (pod or {}).get("status", {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _is_available(found: Manifest | None) -> bool:
    status = (found or {}).get("status", {})
    seen = status.get("observedGeneration", 0) >= (found or {}).get("metadata", {}).get("generation", 1)
    return bool(seen and status.get("updatedReplicas") and status.get("availableReplicas"))

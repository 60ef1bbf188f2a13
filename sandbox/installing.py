"""What the platform needs once per cluster; run by the supervisor at every start, idempotent."""

from __future__ import annotations

import asyncio
from typing import Any, TypeAlias

from sandbox import admission
from sandbox.cluster.client import ClusterClient
from sandbox.cluster.ensuring import ensure_all_applied
from sandbox.cluster.kinds import DEPLOYMENT, POD
from sandbox.errors import ApiError, Forbidden, PolicyNotInForce
from sandbox.manifests import MANAGED_BY, dns_egress, pod_security
from sandbox.plan import SANDBOX_LABEL, SYSTEM_NAMESPACE, TOOLBOX_NAMESPACE, Network
from sandbox.prober_pod import ensure_prober
from sandbox.rights import roles_and_bindings

Manifest: TypeAlias = dict[str, Any]

# An empty namespace with the sandbox label, in which the policies are tried by dry runs.
TRIAL_NAMESPACE = "glasshull-trial"
# Policies take about two seconds to be live (measured); a loaded machine more.
POLICIES_TIMEOUT_S = 60.0
POLICIES_RETRY_S = 0.1
MOST_TOOLBOXES = 200
_DRY_RUN = {"dryRun": "All"}


async def ensure_platform(admin: ClusterClient, network: Network | None = None) -> None:
    """Namespaces, rights, policies and the prober; returns when the policies are in force.

    The prober may still be starting. Raises PolicyNotInForce, ApiError, ClusterUnavailable.
    """
    await ensure_all_applied(admin, namespaces())
    await ensure_all_applied(
        admin, [*accounts(), *roles_and_bindings(), *toolbox_rails(network or Network())]
    )
    await ensure_all_applied(admin, admission.policies())
    await asyncio.gather(ensure_prober(admin), wait_for_policies(admin))


def namespaces() -> list[Manifest]:
    """Ours, under Pod Security `restricted` like everybody's."""
    return [
        _namespace(SYSTEM_NAMESPACE, {}),
        _namespace(TOOLBOX_NAMESPACE, {}),
        _namespace(TRIAL_NAMESPACE, {SANDBOX_LABEL: "trial"}),
    ]


def _namespace(name: str, labels: dict[str, str]) -> Manifest:
    metadata = {"name": name, "labels": MANAGED_BY | pod_security() | labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def accounts() -> list[Manifest]:
    """What Pods run as there, without a token. Made by us, so that no Pod has to wait for the controller."""
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": namespace, "labels": dict(MANAGED_BY)},
            "automountServiceAccountToken": False,
        }
        for namespace in (SYSTEM_NAMESPACE, TOOLBOX_NAMESPACE, TRIAL_NAMESPACE)
    ]


def toolbox_rails(network: Network) -> list[Manifest]:
    """A bound on toolboxes, and nothing between them: they reach the API server, DNS and their sandbox."""
    to_api = {"to": [{"ipBlock": {"cidr": f"{network.resolver}/32"}}]}
    policy = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    quota = _toolboxes("v1", "ResourceQuota")
    quota["spec"] = {"hard": {"pods": str(MOST_TOOLBOXES), "services": "0", "persistentvolumeclaims": "0"}}
    rails = _toolboxes("networking.k8s.io/v1", "NetworkPolicy")
    rails["spec"] = {**policy, "egress": [to_api, dns_egress(network.resolver)]}
    return [quota, rails]


def _toolboxes(api_version: str, kind: str) -> Manifest:
    metadata = {"name": "toolboxes", "namespace": TOOLBOX_NAMESPACE, "labels": dict(MANAGED_BY)}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


# --- are they in force? -----------------------------------------------------------------------------
async def wait_for_policies(admin: ClusterClient, *, timeout: float = POLICIES_TIMEOUT_S) -> None:
    """Until dry runs in the trial namespace are mended and refused as they should be.

    Asked again and again, because the API server tells nobody when a policy has become live.
    """
    missing = "nothing was tried"
    try:
        async with asyncio.timeout(timeout):
            while missing:
                missing = await _missing_policy(admin)
                if missing:
                    await asyncio.sleep(POLICIES_RETRY_S)
    except TimeoutError as error:
        raise PolicyNotInForce(
            f"The cluster's admission policies do not act after {timeout:g} s ({missing}); "
            "is this Kubernetes 1.36 or newer with admission policies on?"
        ) from error


async def _missing_policy(admin: ClusterClient) -> str:
    """The first policy that does not act yet, "" when all do."""
    trials: list[tuple[str, str, Manifest, str]] = [
        (
            admission.RULES,
            DEPLOYMENT.collection(TRIAL_NAMESPACE),
            _trial_deployment("nginx:1.0"),
            "not one of this",
        ),
        (admission.SERVICES, "/api/v1/namespaces/glasshull-trial/services", _trial_service(), "ClusterIP"),
        (admission.OBJECTS, "/api/v1/namespaces/glasshull-trial/configmaps", _trial_config(), "finalizers"),
        (admission.SECRETS, "/api/v1/namespaces/glasshull-trial/secrets", _trial_secret(), "never expires"),
    ]
    for name, path, body, words in trials:
        if not await _is_refused(admin, path, body, words):
            return name
    return "" if await _is_mended(admin) else admission.FILL


async def _is_refused(admin: ClusterClient, path: str, body: Manifest, words: str) -> bool:
    try:
        await admin.request("POST", path, body=body, params=_DRY_RUN)
    except ApiError as error:
        return words in error.message
    return False


async def _is_mended(admin: ClusterClient) -> bool:
    """A bare Pod, as from a book, must come out restricted."""
    try:
        made = await admin.request(
            "POST", POD.collection(TRIAL_NAMESPACE), body=_trial_pod(), params=_DRY_RUN
        )
    except Forbidden:  # Pod Security refused the unmended one, or the default account is not there yet
        return False
    context = made["spec"]["containers"][0].get("securityContext") or {}
    return bool(context.get("capabilities", {}).get("drop") == ["ALL"])


def _trial_pod() -> Manifest:
    container = {"name": "app", "image": "app/trial:1.0"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "trial"},
        "spec": {"containers": [container]},
    }


def _trial_deployment(image: str) -> Manifest:
    labels = {"app": "trial"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": image}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "trial"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def _trial_service() -> Manifest:
    spec = {"type": "NodePort", "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "trial"}, "spec": spec}


def _trial_config() -> Manifest:
    metadata = {"name": "trial", "finalizers": ["example.com/keep"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def _trial_secret() -> Manifest:
    metadata = {"name": "trial", "annotations": {"kubernetes.io/service-account.name": "default"}}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": metadata,
    }

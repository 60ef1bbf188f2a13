"""What makes sandboxes must not be root on the machine: the keeper is fenced into sandboxes and toolboxes."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cluster.client import ClusterClient, Forbidden, Invalid
from sandbox.plan import SandboxPlan
from sandbox.preparing import ensure_guard_rails, ensure_namespace

pytestmark = pytest.mark.cluster
DRY = {"dryRun": "All"}


def pod(**spec: Any) -> dict[str, Any]:
    container = {"name": "a", "image": "app/storefront:1.0", "securityContext": {"privileged": True}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x"},
        "spec": {"containers": [container], **spec},
    }


@pytest.mark.parametrize("namespace", ["default", "kube-public", "kube-system", "glasshull-system"])
async def test_P_the_keeper_makes_nothing_elsewhere(keeper: ClusterClient, namespace: str) -> None:
    for path, body in (
        (f"/api/v1/namespaces/{namespace}/pods", pod(hostPID=True)),
        (f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "x"}}),
        (
            f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token",
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {"expirationSeconds": 600},
            },
        ),
    ):
        with pytest.raises((Forbidden, Invalid)):
            await keeper.request("POST", path, body=body, params=DRY)


async def test_P_the_keeper_touches_no_other_namespace(keeper: ClusterClient) -> None:
    for name in ("kube-system", "default"):
        with pytest.raises((Forbidden, Invalid)):
            await keeper.request("DELETE", f"/api/v1/namespaces/{name}", params=DRY)
    body = {"metadata": {"name": "gh-unlabelled"}}
    with pytest.raises((Forbidden, Invalid)):
        await keeper.request("POST", "/api/v1/namespaces", body=body, params=DRY)


async def test_the_keeper_works_where_it_should(keeper: ClusterClient, sandbox_plan: Any) -> None:
    """The positive control: the same account, the same requests, inside a sandbox."""
    plan: SandboxPlan = sandbox_plan()
    await ensure_namespace(keeper, plan)
    await ensure_guard_rails(keeper, plan)
    path = f"/api/v1/namespaces/{plan.namespace}/configmaps"
    await keeper.request("POST", path, body={"metadata": {"name": "x"}}, params=DRY)


async def test_P_no_pod_of_a_student_gets_a_key(keeper: ClusterClient, sandbox_plan: Any) -> None:
    plan: SandboxPlan = sandbox_plan()
    await ensure_namespace(keeper, plan)
    await ensure_guard_rails(keeper, plan)
    path = f"/api/v1/namespaces/{plan.namespace}/pods"
    plain = {"name": "a", "image": "app/storefront:1.0"}
    token = {"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}
    picture = {"name": "v", "image": {"reference": "evil.example/x:1"}}

    def made(**spec: Any) -> dict[str, Any]:
        return {"metadata": {"name": "x"}, "spec": {"containers": [plain], **spec}}

    await keeper.request("POST", path, body=made(), params=DRY)
    for spec in (
        {"serviceAccountName": "student"},
        {"automountServiceAccountToken": True},
        {"volumes": [token]},
        {"volumes": [picture]},
    ):
        with pytest.raises((Forbidden, Invalid)):
            await keeper.request("POST", path, body=made(**spec), params=DRY)

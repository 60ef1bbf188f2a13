"""Take a sandbox away: the key first, then what runs, then the namespace; only what we recorded.

Pods before the namespace, because a namespace deleted at once may lose its policies before its Pods
(CVE-2024-7598).
"""

from __future__ import annotations

from typing import Any

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.ensuring import ensure_deleted
from sandbox.cluster.kinds import (
    CLUSTER_ROLE_BINDING,
    NAMESPACE,
    NETWORK_POLICY,
    POD,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
)
from sandbox.cluster.waiting import wait_until_gone
from sandbox.errors import NotFound, SandboxMismatch
from sandbox.plan import SANDBOX_LABEL, STUDENT, TOOLBOX_NAMESPACE, SandboxPlan
from sandbox.resetting import ensure_emptied

NAMESPACE_TIMEOUT_S = 120.0


async def ensure_removed(
    keeper: ClusterClient, plan: SandboxPlan, *, uid: str | None = None, wait: bool = False
) -> None:
    """Remove the sandbox. `uid` is the namespace's as recorded when it was made.

    Returns when no Pod is left and the cluster has accepted the namespace's deletion; with `wait` when it is
    gone. Every step only if needed, so calling it again after a crash anywhere goes on. Without a `uid` the
    namespace must carry our label with this sandbox's key.
    Raises SandboxMismatch when the namespace is another one (it is not touched), SandboxNotReady when Pods
    do not go, ClusterUnavailable.
    """
    await _ensure_platform_side_removed(keeper, plan)
    found = await _read_namespace(keeper, plan)
    if found is None:
        return
    actual = found["metadata"]["uid"]
    if uid is not None and actual != uid:
        raise SandboxMismatch(
            f"Namespace {plan.namespace} is not the one made for this sandbox (uid {actual}, recorded "
            f"{uid}); it is left alone."
        )
    if (found["metadata"].get("labels") or {}).get(SANDBOX_LABEL) != plan.key:
        raise SandboxMismatch(
            f"Namespace {plan.namespace} is not labelled as this sandbox's; it is left alone."
        )
    # Without its binding and account every copy of the student's token is worthless at once.
    await ensure_deleted(keeper, ROLE_BINDING, plan.namespace, STUDENT)
    await ensure_deleted(keeper, SERVICE_ACCOUNT, plan.namespace, STUDENT)
    await ensure_emptied(keeper, plan.namespace)
    await ensure_deleted(keeper, NAMESPACE, None, plan.namespace, uid=actual)
    if wait:
        await wait_until_gone(keeper, NAMESPACE, None, plan.namespace, actual, timeout=NAMESPACE_TIMEOUT_S)


async def _ensure_platform_side_removed(keeper: ClusterClient, plan: SandboxPlan) -> None:
    """What lies outside the namespace; named after the sandbox, so it can be nobody else's."""
    await ensure_deleted(keeper, CLUSTER_ROLE_BINDING, None, f"{plan.namespace}-nodes")
    await ensure_deleted(keeper, POD, TOOLBOX_NAMESPACE, plan.toolbox, grace=0)
    await ensure_deleted(keeper, NETWORK_POLICY, TOOLBOX_NAMESPACE, plan.toolbox)


async def _read_namespace(keeper: ClusterClient, plan: SandboxPlan) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = await keeper.request("GET", NAMESPACE.path(None, plan.namespace))
    except NotFound:
        return None
    return found

"""Put a lesson's start state into a sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.cluster.client import APPLY_PATCH, ClusterClient
from sandbox.cluster.discovery import read_kind
from sandbox.errors import ApiError, Conflict, Forbidden
from sandbox.plan import SandboxPlan

FIELD_MANAGER = "glasshull-start"
# After a reset the quota still counts what was just deleted, and the API server's cache may still hold a
# name: both are over in tens of milliseconds.
RETRY_FOR_S = 5.0
FIRST_RETRY_S = 0.02


async def apply_start(
    keeper: ClusterClient, plan: SandboxPlan, manifests: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Apply the manifests (values already interpolated) in order; what the API server made of them.

    Idempotent. Raises ApiError for a manifest the cluster refuses (the author's mistake: the linter dry-runs
    them), ClusterUnavailable.
    """
    return [await _apply(keeper, plan, manifest) for manifest in manifests]


async def _apply(keeper: ClusterClient, plan: SandboxPlan, manifest: Mapping[str, Any]) -> dict[str, Any]:
    kind = await read_kind(keeper, str(manifest["apiVersion"]), str(manifest["kind"]))
    metadata = {**manifest["metadata"], "namespace": plan.namespace}
    body = {**manifest, "metadata": metadata}
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + RETRY_FOR_S, FIRST_RETRY_S
    while True:
        try:
            applied: dict[str, Any] = await keeper.request(
                "PATCH",
                kind.path(plan.namespace, metadata["name"]),
                body=body,
                params={"fieldManager": FIELD_MANAGER, "force": True},
                content_type=APPLY_PATCH,
            )
            return applied
        except ApiError as error:
            if not _is_passing(error) or loop.time() + pause > deadline:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.5)


def _is_passing(error: ApiError) -> bool:
    if isinstance(error, Forbidden):
        return "exceeded quota" in error.message or "status unknown for quota" in error.message
    return isinstance(error, Conflict)

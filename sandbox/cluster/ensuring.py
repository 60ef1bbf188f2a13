"""Server-side apply and delete of the platform's own objects, idempotent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.cluster.client import APPLY_PATCH, ClusterClient
from sandbox.cluster.kinds import OURS, ApiKind
from sandbox.errors import Conflict, NotFound

FIELD_MANAGER = "glasshull"


def kind_of(manifest: Mapping[str, Any]) -> ApiKind:
    """Raises KeyError for a kind the platform never writes."""
    return OURS[(manifest["apiVersion"], manifest["kind"])]


def path_of(manifest: Mapping[str, Any]) -> str:
    metadata = manifest["metadata"]
    return kind_of(manifest).path(metadata.get("namespace"), metadata["name"])


async def ensure_applied(
    client: ClusterClient, manifest: Mapping[str, Any], *, manager: str = FIELD_MANAGER
) -> dict[str, Any]:
    """Create or repair one object; doing it twice is the same as once."""
    applied: dict[str, Any] = await client.request(
        "PATCH",
        path_of(manifest),
        body=manifest,
        params={"fieldManager": manager, "force": True},
        content_type=APPLY_PATCH,
    )
    return applied


async def ensure_all_applied(
    client: ClusterClient, manifests: Iterable[Mapping[str, Any]], *, manager: str = FIELD_MANAGER
) -> list[dict[str, Any]]:
    """All at once; the first error cancels the rest and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ensure_applied(client, one, manager=manager)) for one in manifests]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]


async def ensure_deleted(
    client: ClusterClient,
    kind: ApiKind,
    namespace: str | None,
    name: str,
    *,
    uid: str | None = None,
    grace: int | None = None,
) -> bool:
    """Ask for the deletion. True when it is not there any more (or is another one than `uid`)."""
    options: dict[str, Any] = {"propagationPolicy": "Background"}
    if uid is not None:
        options["preconditions"] = {"uid": uid}
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    try:
        await client.request("DELETE", kind.path(namespace, name), body=options)
    except NotFound:
        return True
    except Conflict:
        # A Namespace that is already terminating answers 409, and so does a foreign uid.
        return uid is not None and await _is_another(client, kind, namespace, name, uid)
    return False


async def _is_another(
    client: ClusterClient, kind: ApiKind, namespace: str | None, name: str, uid: str
) -> bool:
    try:
        found = await client.request("GET", kind.path(namespace, name))
    except NotFound:
        return True
    return bool(found["metadata"]["uid"] != uid)

"""Apply what a student wrote, with the student's own token: never with the platform's rights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sandbox.cluster.client import APPLY_PATCH, ClusterClient
from sandbox.cluster.discovery import KindUnknown, read_kind
from sandbox.errors import ApiError, Forbidden, NotFound, Unauthorized
from sandbox.manifest_text import Manifest, ManifestRefused, parse_manifests
from sandbox.refusals import explain

__all__ = ["Applied", "Manifest", "ManifestRefused", "apply", "parse_manifests"]

FIELD_MANAGER = USER_AGENT = "glasshull-editor"


@dataclass(frozen=True, slots=True)
class Applied:
    """One object the cluster took (or, in a dry run, would have taken), and what it warned of."""

    kind: str
    name: str
    result: Literal["created", "configured"]
    warnings: tuple[str, ...] = ()


async def apply(
    client: ClusterClient, token: str, namespace: str, manifests: Sequence[Manifest], *, dry_run: bool
) -> list[Applied]:
    """Server-side apply in order, as the student. All of it is tried by dry run first, so that a file with one
    refused document changes nothing; what only the real apply meets (a quota reached half-way) stops there.

    Raises ManifestRefused with line and column, Unauthorized when the token is too old (make a new one and
    call again), NotFound when the sandbox is gone, ClusterUnavailable.
    """
    for manifest in manifests:
        _check_namespace(manifest, namespace)
    tried = [await _apply(client, token, namespace, manifest, True) for manifest in manifests]
    if dry_run:
        return tried
    return [await _apply(client, token, namespace, manifest, False) for manifest in manifests]


def _check_namespace(manifest: Manifest, namespace: str) -> None:
    named = manifest.object["metadata"].get("namespace", namespace)
    if named != namespace:
        line, column = manifest.place_of(("metadata", "namespace"))
        raise ManifestRefused(
            line, column, f"`namespace: {named}` is not yours: leave it out, and it goes into your sandbox."
        )


async def _apply(
    client: ClusterClient, token: str, namespace: str, manifest: Manifest, dry_run: bool
) -> Applied:
    try:
        kind = await read_kind(client, manifest.api_version, manifest.kind)
    except KindUnknown as error:
        line, column = manifest.place_of(("apiVersion",) if "is in `apiVersion" in str(error) else ("kind",))
        raise ManifestRefused(line, column, str(error)) from error
    params: dict[str, str | int | bool] = {"fieldManager": FIELD_MANAGER, "force": True}
    if dry_run:
        params["dryRun"] = "All"
    try:
        answer = await client.exchange(
            "PATCH",
            kind.path(namespace, manifest.name),
            body=manifest.object,
            params=params,
            content_type=APPLY_PATCH,
            token=token,
            user_agent=USER_AGENT,
        )
    except (NotFound, Unauthorized):
        raise
    except ApiError as error:
        if isinstance(error, Forbidden) and "being terminated" in error.message:
            raise ManifestRefused(None, None, "Your sandbox is being removed: start it again.") from error
        raise explain(manifest, error) from error
    result: Literal["created", "configured"] = "created" if answer.status == 201 else "configured"
    return Applied(manifest.kind, manifest.name, result, answer.warnings)

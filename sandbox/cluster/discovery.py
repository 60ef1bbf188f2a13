"""Which kinds the cluster serves, asked once per group and version and then remembered."""

from __future__ import annotations

import difflib
import re
import weakref
from collections.abc import Iterable

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kinds import ApiKind
from sandbox.errors import NotFound, SandboxError

# Where a beginner's kinds live, for "it is in apps/v1" when the apiVersion is wrong.
_USUAL = ("v1", "apps/v1", "batch/v1", "networking.k8s.io/v1", "autoscaling/v2", "policy/v1")
# It becomes part of a path: nothing but the characters of a group and a version.
_SOUND = re.compile(r"([a-z0-9]([-a-z0-9.]{0,200}[a-z0-9])?/)?v[a-z0-9]{1,20}")

Served = dict[str, ApiKind]

_known: weakref.WeakKeyDictionary[ClusterClient, dict[str, Served]] = weakref.WeakKeyDictionary()


class KindUnknown(SandboxError):
    """The cluster serves no such kind; the sentence says what was probably meant."""


async def read_kind(client: ClusterClient, api_version: str, name: str) -> ApiKind:
    """Raises KindUnknown, ClusterUnavailable."""
    served = await _served(client, api_version)
    if name in served:
        return served[name]
    raise KindUnknown(await _guess(client, api_version, name, served))


async def _guess(client: ClusterClient, api_version: str, name: str, served: Served) -> str:
    for usual in _USUAL:
        if usual != api_version and name in await _served(client, usual):
            return f"`{name}` is in `apiVersion: {usual}`, not in `{api_version}`."
    if near := _nearest(name, served):
        return f"The cluster knows no kind `{name}`. Did you mean `{near}`?"
    for usual in _USUAL:
        if near := _nearest(name, await _served(client, usual)):
            return f"The cluster knows no kind `{name}`. Did you mean `{near}` (`apiVersion: {usual}`)?"
    return f"The cluster knows no kind `{name}` in `apiVersion: {api_version}`."


async def _served(client: ClusterClient, api_version: str) -> Served:
    groups = _known.setdefault(client, {})
    served = groups.get(api_version)
    if served is None:
        served = await _ask(client, api_version)
        if served:  # a version that is not there must not fill memory with its names
            groups[api_version] = served
    return served


async def _ask(client: ClusterClient, api_version: str) -> Served:
    if not _SOUND.fullmatch(api_version):
        return {}
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    try:
        body = await client.request("GET", root)
    except NotFound:
        return {}
    return {
        one["kind"]: ApiKind(one["kind"], one["name"], api_version, one["namespaced"])
        for one in body.get("resources") or []
        if "/" not in one["name"]
    }


def _nearest(name: str, served: Iterable[str]) -> str:
    by_lower = {one.lower(): one for one in served}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else ""

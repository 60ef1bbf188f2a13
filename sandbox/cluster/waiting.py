"""Wait for one object to become something, by watching it: never by asking again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kinds import ApiKind
from sandbox.cluster.streaming import stream
from sandbox.errors import ClusterUnavailable, Gone, SandboxNotReady

RETRY_S = 0.2
SILENCE_S = 90.0

Done = Callable[[dict[str, Any] | None], bool]


async def wait_for(
    client: ClusterClient, kind: ApiKind, namespace: str | None, name: str, done: Done, *, timeout: float
) -> dict[str, Any] | None:
    """The object as soon as `done(object)` is true; `done(None)` is asked when it does not exist.

    Raises SandboxNotReady after `timeout` seconds, and whatever `done` raises.
    """
    try:
        async with asyncio.timeout(timeout):
            while True:
                try:
                    return await _watch_until(client, kind, namespace, name, done)
                except (ClusterUnavailable, Gone):
                    await asyncio.sleep(RETRY_S)
    except TimeoutError as error:
        raise SandboxNotReady(f"{kind.name} {name} was not as expected within {timeout:g} s.") from error


async def _watch_until(
    client: ClusterClient, kind: ApiKind, namespace: str | None, name: str, done: Done
) -> dict[str, Any] | None:
    path = kind.collection(namespace)
    selector = {"fieldSelector": f"metadata.name={name}"}
    listed = await client.request("GET", path, params=selector)
    found: dict[str, Any] | None = next(iter(listed.get("items") or []), None)
    if done(found):
        return found
    version = listed["metadata"]["resourceVersion"]
    async with aclosing(
        stream(client, path, {**selector, "resourceVersion": version}, silence=SILENCE_S)
    ) as frames:
        async for frame in frames:
            if frame.type == "BOOKMARK":
                continue
            found = None if frame.type == "DELETED" else frame.object
            if done(found):
                return found
    raise ClusterUnavailable(f"The watch of {kind.name} {name} ended.")


async def wait_until_gone(
    client: ClusterClient, kind: ApiKind, namespace: str | None, name: str, uid: str, *, timeout: float
) -> None:
    """Until the object with this uid is no more; another of the same name counts as gone."""

    def gone(found: dict[str, Any] | None) -> bool:
        return found is None or found["metadata"]["uid"] != uid

    await wait_for(client, kind, namespace, name, gone, timeout=timeout)


async def wait_until_empty(
    client: ClusterClient, kind: ApiKind, namespace: str, *, timeout: float, counts: Done | None = None
) -> None:
    """Until no object of `kind` for which `counts` is true (default: any) is left in the namespace."""
    try:
        async with asyncio.timeout(timeout):
            while True:
                try:
                    await _empty(client, kind, namespace, counts or bool)
                    return
                except (ClusterUnavailable, Gone):
                    await asyncio.sleep(RETRY_S)
    except TimeoutError as error:
        raise SandboxNotReady(
            f"Some {kind.name} objects are still in {namespace} after {timeout:g} s."
        ) from error


async def _empty(client: ClusterClient, kind: ApiKind, namespace: str, counts: Done) -> None:
    path = kind.collection(namespace)
    listed = await client.request("GET", path)
    left = {one["metadata"]["uid"] for one in listed.get("items") or [] if counts(one)}
    if not left:
        return
    params = {"resourceVersion": listed["metadata"]["resourceVersion"]}
    async with aclosing(stream(client, path, params, silence=SILENCE_S)) as frames:
        async for frame in frames:
            if frame.type == "BOOKMARK":
                continue
            uid = frame.object["metadata"]["uid"]
            if frame.type == "DELETED":
                left.discard(uid)
            elif counts(frame.object):
                left.add(uid)
            if not left:
                return
    raise ClusterUnavailable(f"The watch of {kind.name} in {namespace} ended.")

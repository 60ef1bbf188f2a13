"""kill-pod: delete a Pod, as the student or as the platform."""

from __future__ import annotations

import math

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kinds import POD

PICTURE = "glasshull-picture"


async def kill_pod(
    client: ClusterClient,
    namespace: str,
    name: str,
    grace: float | None,
    token: str | None = None,
    *,
    uid: str | None = None,
) -> None:
    """Delete the Pod with `grace` seconds (None: its own), as the owner of `token` or as the client.

    With `uid` only that very Pod, never its successor of the same name. Raises NotFound when it is gone,
    Conflict when another has taken the name, Forbidden, ClusterUnavailable.
    """
    options: dict[str, object] = {}
    if grace is not None:
        options["gracePeriodSeconds"] = math.ceil(grace)
    if uid is not None:
        options["preconditions"] = {"uid": uid}
    await client.request(
        "DELETE",
        POD.path(namespace, name),
        body=options,
        token=token,
        user_agent=PICTURE if token is not None else None,
    )

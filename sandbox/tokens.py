"""Short-lived keys to a sandbox, by TokenRequest. Never stored, never in the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kinds import SERVICE_ACCOUNT
from sandbox.plan import STUDENT, SandboxPlan

LIFETIME_S = 3600
RENEW_AFTER_S = 45 * 60


@dataclass(frozen=True, slots=True)
class Token:
    """A student's key. `expires` in Unix seconds; `value` stays out of logs and `repr`."""

    value: str = field(repr=False)
    expires: float


async def student_token(keeper: ClusterClient, plan: SandboxPlan) -> Token:
    """A fresh token of this sandbox's student. Only for sandboxes whose guard rails are confirmed.

    Raises NotFound when the sandbox is gone, ClusterUnavailable.
    """
    answer = await keeper.request(
        "POST",
        SERVICE_ACCOUNT.path(plan.namespace, STUDENT, "token"),
        body={
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": LIFETIME_S},
        },
    )
    status = answer["status"]
    expires = datetime.fromisoformat(status["expirationTimestamp"]).timestamp()
    return Token(status["token"], expires)

"""A Lease that we renew and see come back through the watch: the proof that the picture is alive."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from datetime import UTC, datetime
from typing import Any

from sandbox.cluster.client import MERGE_PATCH, ClusterClient
from sandbox.cluster.kinds import LEASE
from sandbox.errors import NotFound, SandboxError
from sandbox.plan import SYSTEM_NAMESPACE
from sandbox.rights import HEARTBEAT

log = logging.getLogger(__name__)

PERIOD_S = 2.0


class Heartbeat:
    """Renews the Lease every PERIOD_S; `saw` is told of every Lease a watch brings."""

    def __init__(
        self, client: ClusterClient, *, name: str = HEARTBEAT, namespace: str = SYSTEM_NAMESPACE
    ) -> None:
        self._client = client
        self._name, self._namespace = name, namespace
        self._me = f"observer-{secrets.token_hex(4)}"
        self._sent: dict[int, float] = {}  # beat -> Unix seconds
        self._beat = 0
        self._lag = 0.0
        self._is_failing = False
        self.proof = 0.0  # when the newest beat that came back was sent; 0 before the first

    async def run(self) -> None:
        """Until cancelled; a beat that cannot be sent is simply missing from the watch."""
        while True:
            started = time.monotonic()
            await self._renew()
            await asyncio.sleep(max(0.1, PERIOD_S - (time.monotonic() - started)))

    def saw(self, lease: dict[str, Any]) -> None:
        """A Lease came through the watch. Others' are ignored."""
        metadata, spec = lease["metadata"], lease.get("spec") or {}
        if metadata.get("name") != self._name or metadata.get("namespace") != self._namespace:
            return
        if spec.get("holderIdentity") != self._me:
            return
        beat = int(spec.get("leaseTransitions") or 0)
        sent = self._sent.get(beat)
        if sent is None:
            return
        self.proof, self._lag = sent, max(0.0, time.time() - sent)
        self._sent = {number: at for number, at in self._sent.items() if number > beat}

    def behind(self, now: float) -> float:
        """Lag of the newest beat, or how long the next one is overdue, whichever is worse; seconds."""
        if self.proof == 0.0:
            return 0.0
        return max(self._lag, now - self.proof - PERIOD_S, 0.0)

    async def _renew(self) -> None:
        self._beat += 1
        now = time.time()
        self._sent[self._beat] = now
        if len(self._sent) > 60:  # two minutes of silence: only the newest can still matter
            self._sent = {self._beat: now}
        spec = {
            "holderIdentity": self._me,
            "renewTime": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            # Counts our beats, so that one which comes back late is told from the newest.
            "leaseTransitions": self._beat,
            "leaseDurationSeconds": 15,
        }
        try:
            await self._write(spec)
        except SandboxError as error:
            if not self._is_failing:
                log.warning("heartbeat: %s", error)
            self._is_failing = True
        else:
            self._is_failing = False

    async def _write(self, spec: dict[str, Any]) -> None:
        path = LEASE.path(self._namespace, self._name)
        try:
            await self._client.request(
                "PATCH", path, body={"spec": spec}, content_type=MERGE_PATCH, timeout=PERIOD_S
            )
        except NotFound:
            lease = {
                "apiVersion": LEASE.api_version,
                "kind": "Lease",
                "metadata": {"name": self._name, "namespace": self._namespace},
                "spec": spec,
            }
            await self._client.request(
                "POST", LEASE.collection(self._namespace), body=lease, timeout=PERIOD_S
            )

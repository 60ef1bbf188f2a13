"""What a probe asks, which answers count, and what the record holds of them. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Sequence
from typing import Any

import msgspec

from sandbox.record.exercise import Probe

SUMMARY_S = 1.0
STRANGER = "answered by a stranger"


class ProbeSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question, asked every `every_ms`: exactly one of http, tcp and dns. Names are full names."""

    id: str
    every_ms: int = 0
    timeout_ms: int
    http: str = ""
    tcp: str = ""
    dns: str = ""
    type: str = ""
    method: str = ""
    body: str = ""
    headers: dict[str, str] = {}


class ProbeResult(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, or its absence.

    `n` counts from 1 since the probe was (re)started, `at_ms` is the time of sending since then, `ms` how
    long the answer took. `error`: refused, timeout, no such host, reset, unreachable, closed…
    """

    sandbox: str = ""
    id: str = ""
    n: int = 0
    at_ms: int = 0
    ok_transport: bool = False
    status: int = 0
    ms: float = 0.0
    body: str = ""
    error: str = ""
    nonce: str = ""
    echo_nonce: str = ""
    echo_pod_uid: str = ""
    is_http: bool = True


class Evaluation(msgspec.Struct, frozen=True):
    """Whether an answer counts as one of this sandbox, and if not why. `json` is its body when it is JSON."""

    ok: bool
    reason: str = ""
    pod_uid: str = ""
    json: Any = None


OnResult = Callable[[ProbeResult], None]


def spec_for(probe: Probe, namespace: str, *, domain: str = "cluster.local") -> ProbeSpec:
    """The question a lesson's probe asks in `namespace`.

    `storefront:80/whoami` asks Service storefront of that namespace; a name with dots is taken as it is, so
    a lesson cannot be pointed elsewhere by accident. Raises ValueError for kinds the prober does not ask.
    """
    host, colon, rest = probe.target.removeprefix("http://").partition(":")
    # The final dot spares the resolver its search path: one query instead of four.
    name = f"{host}.{namespace}.svc.{domain}." if "." not in host else host
    asked = ProbeSpec(id=probe.id, every_ms=round(probe.every * 1000), timeout_ms=round(probe.timeout * 1000))
    replace = msgspec.structs.replace
    if probe.kind == "http":
        return replace(
            asked,
            http=f"http://{name}{colon}{rest}",
            method=probe.method,
            body=probe.body,
            headers=probe.headers,
        )
    if probe.kind == "tcp":
        return replace(asked, tcp=f"{name}{colon}{rest}")
    if probe.kind == "dns":
        return replace(asked, dns=name, type=probe.type)
    raise ValueError(f"probe {probe.id!r}: the prober does not ask {probe.kind} probes")


def evaluate(result: ProbeResult, own_pod_uids: Container[str]) -> Evaluation:
    """Pure. An HTTP answer counts if it echoes its nonce and names a Pod of this sandbox.

    The app says so in headers, or in a JSON body with `nonce` and `podUid`. The status is the lesson's
    business, not this function's.
    """
    if not result.ok_transport:
        return Evaluation(False, result.error or "no answer")
    body = _json(result.body)
    if not result.is_http:
        return Evaluation(True, json=body)
    nonce, pod_uid = result.echo_nonce, result.echo_pod_uid
    if not (nonce and pod_uid) and isinstance(body, dict):
        nonce, pod_uid = str(body.get("nonce", "")), str(body.get("podUid", ""))
    if not nonce or nonce != result.nonce or pod_uid not in own_pod_uids:
        return Evaluation(False, STRANGER, pod_uid, body)
    return Evaluation(True, "", pod_uid, body)


class ProbeSummariser:
    """Pure: turns the answers of one sandbox's probes into what its record holds (lesson format 4.2).

    An entry for each failure and for each change of outcome, and one summary a second with what was sent, what
    failed, which Pods answered in that second and how long 95 % of the good answers took at most (`p95`, ms,
    nearest rank). Four good answers a second so become one small entry.
    """

    def __init__(self) -> None:
        self._outcome: dict[str, bool] = {}
        self._counts: dict[str, list[int]] = {}
        self._pods: dict[str, dict[str, int]] = {}  # probe -> Pod uid -> answers, the last to answer last
        self._times: dict[str, list[float]] = {}  # probe -> ms of its good answers
        self._until: dict[str, float] = {}

    def feed(self, probe: str, ok: bool, change: dict[str, Any], at: float) -> list[dict[str, Any]]:
        """Changes to append for one answer, whose own `change` was made by the caller; at in seconds."""
        changes = self._due(probe, at)
        if not ok or self._outcome.get(probe) is not ok:
            self._outcome[probe] = ok
            changes.append({"id": probe, "ok": ok, **change})
        counts = self._counts.get(probe)
        if counts is None:
            counts = self._counts[probe] = [0, 0]
            self._pods[probe], self._times[probe] = {}, []
            self._until[probe] = at + SUMMARY_S
        counts[0] += 1
        counts[1] += not ok
        if ok and (uid := str(change.get("podUid") or "")):
            pods = self._pods[probe]
            pods[uid] = pods.pop(uid, 0) + 1
        if ok and "ms" in change:
            self._times[probe].append(change["ms"])
        return changes

    def advance(self, at: float) -> list[dict[str, Any]]:
        """Summaries that are due although nothing more was answered."""
        return [change for probe in list(self._counts) for change in self._due(probe, at)]

    def close(self, probe: str | None = None) -> list[dict[str, Any]]:
        """The last summaries of one probe, or of all; what is fed later begins anew."""
        probes = list(self._counts) if probe is None else [probe]
        changes = [change for name in probes for change in self._due(name, float("inf"))]
        for name in list(self._outcome) if probe is None else probes:
            self._outcome.pop(name, None)
        return changes

    def _due(self, probe: str, at: float) -> list[dict[str, Any]]:
        if probe not in self._counts or at < self._until[probe]:
            return []
        sent, failed = self._counts.pop(probe)
        del self._until[probe]
        pods, times = self._pods.pop(probe), self._times.pop(probe)
        said: dict[str, Any] = {"id": probe, "summary": True, "sent": sent, "failed": failed}
        if pods:
            said["pods"] = pods
        if times:
            said["p95"] = nearest_rank(times, 0.95)
        return [said]


def nearest_rank(values: Sequence[float], share: float) -> float:
    """The smallest of `values` (at least one) that `share` of them do not exceed; one of them, never a mean."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _json(text: str) -> Any:
    if not text.startswith(("{", "[")):
        return None
    try:
        found = msgspec.json.decode(text)
        return found if _fits(found) else None
    except (msgspec.MsgspecError, RecursionError):
        return None


def _fits(value: Any) -> bool:
    """Whole numbers of 64 bits only: one larger would leave every predicate over the probe undecided."""
    if isinstance(value, dict):
        return all(_fits(each) for each in value.values())
    if isinstance(value, list):
        return all(_fits(each) for each in value)
    return not isinstance(value, int) or -(2**63) <= value < 2**64

"""Traffic of many customers, sent by the prober: what it is told, and what the record holds of its news.

The prober (sandbox/embedded/images/sources/golang/prober/load.go) tells every second what became known in it, and
single failures as they happen. It obeys the same bounds again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container
from typing import Any

import msgspec

from sandbox.record.exercise import Load
from sandbox.record.traffic import LOAD_TIMEOUT_S, LONGEST_S, MOST_RATE, SERVICE


class LoadSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One load as the prober is told. `http` is a full address, `within` the only domain it may speak to."""

    id: str
    http: str
    within: str
    rate: float
    for_ms: int
    timeout_ms: int
    seed: int
    script: str = ""
    shape: str = ""


class LoadNews(msgspec.Struct, frozen=True, kw_only=True):
    """One line about a load. `op`: second, failure, ended, or error (refused, or never begun).

    Of a second: `sent` requests whose outcome became known in it, `failed` of them, `untold` failures not told
    one by one, `pods` = answers by Pod uid, `lost` baskets, `p95` ms. Of a failure: status, ms, error, pod_uid.
    """

    op: str
    sandbox: str = ""
    id: str = ""
    sent: int = 0
    failed: int = 0
    untold: int = 0
    lost: int = 0
    p95: float | None = None
    pods: dict[str, int] = {}
    status: int = 0
    ms: float = 0.0
    error: str = ""
    pod_uid: str = ""


def load_spec(
    load: Load, namespace: str, seed: str, *, rate: float | None = None, domain: str = "cluster.local"
) -> LoadSpec:
    """What the prober sends for `load` in `namespace`. Raises ValueError for what would leave it.

    Two loads with one `seed` send the same customers in the same order, so that two shops can be compared.
    """
    host, _, rest = load.target.removeprefix("http://").partition(":")
    if not SERVICE.fullmatch(host):
        raise ValueError(f"load {load.id!r}: {load.target!r} is no Service of the sandbox")
    within = f"{namespace}.svc.{domain}."
    return LoadSpec(
        id=load.id,
        http=f"http://{host}.{within}:{rest}",
        within=within,
        rate=min(rate or load.rate, MOST_RATE),
        for_ms=round(min(load.lasting, LONGEST_S) * 1000),
        timeout_ms=round(LOAD_TIMEOUT_S * 1000),
        seed=int.from_bytes(hashlib.sha256(seed.encode()).digest()[:6]),
        script=load.script,
        shape=load.shape,
    )


def change_of(news: LoadNews, own_pod_uids: Container[str]) -> dict[str, Any]:
    """What the record holds of a second or a failure. An answer of a stranger's Pod is a failure."""
    if news.op == "failure":
        return {
            "id": news.id,
            "ok": False,
            "status": news.status,
            "ms": round(news.ms, 1),
            "error": news.error,
            "podUid": news.pod_uid if news.pod_uid in own_pod_uids else "",
        }
    pods = {uid: count for uid, count in news.pods.items() if uid in own_pod_uids}
    strangers = sum(news.pods.values()) - sum(pods.values())
    failed = min(news.sent, news.failed + strangers)
    untold = news.untold + strangers
    return {
        "id": news.id,
        "sent": news.sent,
        "failed": failed,
        "p95": None if news.p95 is None else round(news.p95, 1),
        "distinctPods": len(pods),
        "lost": news.lost,
        "pods": pods,
        **({"untold": untold} if untold else {}),
    }

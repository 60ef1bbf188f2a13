"""What one entry of lesson 14 costs in the pure heart. Run: python -m bench.micro_record [--entries N]

Prints microseconds of processor time per entry for the engine and the picture, by kind of entry, and two
ratios: the engine against decoding the same entries' JSON once (what the watch pays anyway), and the last
tenth of a long record against the second (flat means 1).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

import msgspec

from sandbox.record.checks import Engine
from sandbox.record.entry import Entry
from sandbox.record.picture import Picture
from tests.sandbox.record.build import T0, Script, deployment, endpoints, node, pod, service
from tests.sandbox.record.lesson14 import exercise

ROUNDS = 5
POD_PADDING = {  # what a real Pod carries besides: about 3 kB, as measured on the cluster
    "tolerations": [
        {"key": f"node.kubernetes.io/{n}", "operator": "Exists", "effect": "NoExecute"} for n in "ab"
    ],
    "securityContext": {
        "seccompProfile": {"type": "RuntimeDefault"},
        "runAsNonRoot": True,
        "runAsUser": 1000,
    },
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "volumes": [],
}


def record(entries: int) -> list[Entry]:
    """A lesson that never ends: three Pods, one is killed and replaced again and again."""
    script = Script(at=T0)
    for name in ("worker-1", "worker-2", "worker-3"):
        script.put(node(name))
    script.put(service())
    script.put(deployment(3, ready=3))
    script.start(replicas=3)
    pods: dict[str, bool] = {}

    def put(uid: str, **fields: object) -> None:
        made = pod(f"storefront-7c9d8-{uid}", uid=uid, **fields)
        made["spec"] |= POD_PADDING
        script.put(made)

    def wire() -> None:
        script.put(endpoints({uid: "ready" if ready else "not-ready" for uid, ready in pods.items()}))

    number = 0
    while len(script.entries) < entries:
        script.wait(1)
        script.summary(sent=4)
        if len(pods) == 3:
            gone = next(iter(pods))
            script.fault("kill", "started", by="student", target={"kind": "Pod", "name": gone, "uid": gone})
            put(gone, node="worker-1", phase="Running", ready=True, deleting=script.at)
            del pods[gone]
            wire()
            script.probe(ok=False)
            script.probe(ok=True)
            script.remove(gone)
        number += 1
        uid = f"u{number:06d}"
        put(uid)
        put(uid, node="worker-1")
        put(uid, node="worker-1", phase="Running")
        pods[uid] = True
        put(uid, node="worker-1", phase="Running", ready=True)
        wire()
    return script.entries[:entries]


def timed(entries: list[Entry], feed: Callable[[Entry], object]) -> list[float]:
    found = []
    for entry in entries:
        started = time.thread_time()
        feed(entry)
        found.append((time.thread_time() - started) * 1e6)
    return found


def by_kind(entries: list[Entry], times: list[float]) -> Iterator[tuple[str, int, float, float]]:
    groups = defaultdict(list)
    for entry, spent in zip(entries, times, strict=True):
        groups[f"{entry.kind} {entry.change.get('kind', '')}".strip()].append(spent)
    for kind, spent in sorted(groups.items()):
        yield (
            kind,
            len(spent),
            statistics.median(spent),
            statistics.quantiles(spent, n=100)[-1] if len(spent) > 1 else spent[0],
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=3000)
    entries = record(parser.parse_args().entries)
    raw = [msgspec.json.encode(entry.change) for entry in entries]
    engines = [timed(entries, Engine(exercise(), params={"replicas": 3}).feed) for _ in range(ROUNDS)]
    best = min(engines, key=sum)
    picture = min((timed(entries, Picture().feed) for _ in range(ROUNDS)), key=sum)
    started = time.thread_time()
    for each in raw:
        msgspec.json.decode(each)
    decoding = (time.thread_time() - started) * 1e6 / len(raw)
    for kind, count, p50, p99 in by_kind(entries, best):
        print(f"{kind:<24} n {count:>6}   engine p50 {p50:7.1f} us   p99 {p99:8.1f} us")
    tenth = len(entries) // 10
    flat = statistics.mean(best[-tenth:]) / statistics.mean(best[tenth : 2 * tenth])
    engine = statistics.mean(best)
    result = {
        "entries": len(entries),
        "engine_us": round(engine, 1),
        "engine_p99_us": round(statistics.quantiles(best, n=100)[-1], 1),
        "picture_us": round(statistics.mean(picture), 1),
        "ratio_to_json_decode": round(engine / decoding, 1),
        "ratio_last_to_second_tenth": round(flat, 2),
    }
    print(json.dumps({"micro_record": result}))


if __name__ == "__main__":
    main()

"""G1: all checks of lesson 14 judged over the state that the watches hold, against a script that lists and judges."""

from __future__ import annotations

import os
import time
from typing import Any

from lessons.loading import load_lesson
from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kinds import DEPLOYMENT, ENDPOINT_SLICE, POD, WATCHED
from sandbox.observing.world import World
from sandbox.record.checks import Engine
from sandbox.record.entry import Entry, Kind
from sandbox.record.exercise import Exercise

from .product import ROOT, Product
from .statistics_of import ratio
from .visitor import LESSON

PARAMS = {"replicas": 3}


async def script(client: ClusterClient, namespace: str) -> dict[str, bool]:
    """The lists that the lesson's checks need, and their sentences in plain Python."""
    pods, deployments, slices = [
        (await client.request("GET", kind.collection(namespace)))["items"]
        for kind in (POD, DEPLOYMENT, ENDPOINT_SLICE)
    ]
    shop = [pod for pod in pods if pod["metadata"].get("labels", {}).get("app") == "storefront"]
    ready = [
        pod for pod in shop if any(c["type"] == "Ready" and c["status"] == "True" for c in conditions(pod))
    ]
    serving = [
        each
        for one in slices
        if one["metadata"]["labels"].get("kubernetes.io/service-name") == "storefront"
        for each in one["endpoints"] or []
        if each["conditions"].get("ready")
    ]
    return {
        "managed": bool(shop) and bool(deployments) and all(pod["metadata"].get("ownerReferences") for pod in shop),
        "enough": len(ready) == PARAMS["replicas"],
        "serving": len(serving) >= 2,
    }  # fmt: skip


def conditions(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return (pod.get("status") or {}).get("conditions") or []


def graded(exercise: Exercise, world: World, namespace: str) -> list[str]:
    """The states of all checks, from a fresh engine to the hand-in."""
    engine = Engine(exercise, params=PARAMS)
    at = time.time()
    made: list[tuple[Kind, str, dict[str, Any]]] = [
        ("object", obj["metadata"]["uid"], {"op": "ADDED", "kind": kind, "object": obj})
        for kind, obj in world.objects(namespace)
    ]
    made += [
        ("object", node["metadata"]["uid"], {"op": "ADDED", "kind": "Node", "object": node})
        for node in world.nodes.values()
    ]
    made += [
        ("start", "1", {"attempt": 1, "params": PARAMS}),
        ("submit", "1", {"attempt": 1, "by": "student"}),
    ]
    for seq, (kind, uid, change) in enumerate(made, 1):
        engine.feed(Entry(epoch=1, seq=seq, at=at, source="bench", kind=kind, uid=uid, change=change))
    return [verdict.state for verdict in engine.verdicts]


async def held(client: ClusterClient, namespace: str) -> World:
    """What the watches would hold of one namespace and of the nodes."""
    world = World()
    for kind in WATCHED:
        if kind.metadata_only:
            continue
        for found in (await client.request("GET", kind.everywhere))["items"]:
            if kind.name == "Node" or found["metadata"].get("namespace") == namespace:
                world.take("ADDED", kind.name, {**found, "kind": kind.name})
    return world


async def state_grade(product: Product, namespace: str, pairs: int = 200) -> dict[str, Any]:
    """Alternating, milliseconds."""
    exercise = load_lesson(ROOT / "lessons" / LESSON[0] / LESSON[1]).exercise
    assert exercise is not None
    client = ClusterClient.from_kubeconfig(product.kubeconfig, user_agent="glasshull-bench")
    world = await held(client, namespace)
    objects = sum(1 for _ in world.objects(namespace))
    ours, theirs = [], []
    for _ in range(pairs):
        started = time.perf_counter()
        graded(exercise, world, namespace)
        ours.append((time.perf_counter() - started) * 1000)
        started = time.perf_counter()
        await script(client, namespace)
        theirs.append((time.perf_counter() - started) * 1000)
    await client.close()
    return {**ratio(ours, theirs), "unit": "ms", "objects": objects, "load": os.getloadavg()[0]}

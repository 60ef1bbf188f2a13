"""`make bench [ONLY="S1 P4"] [N=1000] [PAIRS=30] [ROUNDS=6]`: measure on the real product, keep the ratios."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import time
from typing import Any

from .duel_frames import duel_frames
from .event_to_browser import measure, namespace_of
from .judging import judged
from .pages import proven, rendered
from .product import ROOT, Product, running_product
from .sandbox_start import cold_start, resets
from .state_grade import state_grade
from .visitor import visitor

RESULTS = ROOT / "bench/results/latest.json"
TARGETS = {
    "S1": "p50 <= 1.25, p95 <= 1.5",
    "P1": "<= 1.3",
    "P4": "<= 0.05",
    "P4r": "<= 0.35",
    "JS": "<= 70 kB",
    "EVAL": "what an entry costs lesson 14's checks; no target",
    "GROWTH": "about 1",
    "G1": "<= 1.5",
    "G3": "p99 <= 50 ms",
    "PAGE": "p50 <= 30 ms",
    "PROVE": "<= 12 minutes",
    "V1": ">= 0.98",
}
WITHOUT_CLUSTER = {"JS", "EVAL", "GROWTH", "G3", "PROVE"}


def page_size() -> dict[str, Any]:
    """First-load JavaScript of the lesson page, gzipped."""
    said = subprocess.run(
        ["npm", "run", "--silent", "size"], cwd=ROOT / "frontend", capture_output=True, text=True
    )
    found = re.search(r"([\d.]+) kB gzip at first load", said.stdout)
    if not found:
        raise RuntimeError(said.stdout + said.stderr)
    return {"kb_gzip": float(found[1])}


async def run(product: Product, wanted: set[str], n: int) -> dict[str, Any]:
    results: dict[str, Any] = {}
    if wanted & {"S1", "G1", "PAGE"}:
        async with visitor(product.signin("student", name="Bench one")) as guest:
            await guest.start()
            await guest.until(lambda _: any(pod["ok"] for pod in guest.of("pod")), 120, "a ready Pod")
            if "PAGE" in wanted:
                results["PAGE"] = await rendered(guest)
            if "G1" in wanted:
                results["G1"] = await state_grade(product, namespace_of(product, guest))
            if "S1" in wanted:
                results["S1"] = await measure(product, guest, n=n)
            await guest.act("end")
    if "P1" in wanted:
        async with visitor(product.signin("student", name="Bench two")) as guest:
            results["P1"] = await cold_start(product, guest, pairs=int(os.environ.get("PAIRS", "30")))
    if "V1" in wanted:
        async with visitor(product.signin("student", name="Bench three")) as guest:
            results["V1"] = await duel_frames(product, guest)
    if wanted & {"P4", "P4r"}:
        results |= await resets(product, rounds=int(os.environ.get("ROUNDS", "6")))
    return results


def main() -> None:
    wanted = set(os.environ.get("ONLY", " ".join(TARGETS)).split())
    results: dict[str, Any] = {}
    if "JS" in wanted:
        results["JS"] = page_size()
    if "PROVE" in wanted:
        results["PROVE"] = proven()
    results |= judged(wanted)
    if wanted - WITHOUT_CLUSTER:
        with running_product() as product:
            results |= asyncio.run(run(product, wanted, int(os.environ.get("N", "1000"))))
    for name, found in results.items():
        print(f"{name:6} {json.dumps(found)}   target {TARGETS[name]}")
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**kept, **results, "made": time.strftime("%Y-%m-%d")}, indent=2) + "\n")


if __name__ == "__main__":
    main()

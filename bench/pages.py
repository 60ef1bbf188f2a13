"""PAGE: the lesson pages as the running product renders them for a student, its courses loaded already.
PROVE: what `make prove` took, as it says itself."""

from __future__ import annotations

import os
import re
import time
from typing import Any

from .product import ROOT
from .statistics_of import percentile, spread
from .visitor import LESSON, Visitor

LESSONS = ("01-one-or-many", "12-first-app", "14-self-healing")
PROOF = ROOT / "docs/course-proof.md"


async def rendered(guest: Visitor, rounds: int = 100) -> dict[str, Any]:
    """Milliseconds from the request to the last byte, all lessons in turn; the slowest lesson's median is p50."""
    found: dict[str, list[float]] = {lesson: [] for lesson in LESSONS}
    for lesson in LESSONS:
        await guest.get(f"/learn/{LESSON[0]}/{lesson}/")
    for _ in range(rounds):
        for lesson, times in found.items():
            started = time.perf_counter()
            await guest.get(f"/learn/{LESSON[0]}/{lesson}/")
            times.append((time.perf_counter() - started) * 1000)
    slowest = max(found, key=lambda lesson: spread(found[lesson])["p50"])
    times = found[slowest]
    return {
        **spread(times), "p99": round(percentile(times, 0.99), 3), "unit": "ms", "slowest": slowest,
        "p50_of": {lesson: spread(each)["p50"] for lesson, each in found.items()}, "load": os.getloadavg()[0],
    }  # fmt: skip


def proven() -> dict[str, Any]:
    """Minutes of the last `make prove` over all lessons. Raises RuntimeError when the page does not say."""
    text = PROOF.read_text()
    found = re.search(r"on ([^,]+), .*?; ([\d.]+) minutes", text)
    if not found:
        raise RuntimeError(f"{PROOF} names no minutes")
    lessons = len(re.findall(r"^## \d\d-", text, re.MULTILINE))
    return {"minutes": float(found[2]), "lessons": lessons, "n": 1, "on": found[1]}

"""Medians and spread, and ratios that say when their reference was too restless to trust."""

from __future__ import annotations

import statistics
from typing import Any


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def spread(values: list[float]) -> dict[str, float]:
    return {
        "p50": round(statistics.median(values), 3),
        "p95": round(percentile(values, 0.95), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
        "n": len(values),
    }


def ratio(ours: list[float], reference: list[float]) -> dict[str, Any]:
    """Ours over the reference, both taken alternating in one run."""
    mine, theirs = spread(ours), spread(reference)
    return {
        "ratio_p50": round(mine["p50"] / theirs["p50"], 3),
        "ratio_p95": round(mine["p95"] / theirs["p95"], 3),
        "p50": mine["p50"],
        "p95": mine["p95"],
        "min": mine["min"],
        "max": mine["max"],
        "reference": theirs,
        "n": mine["n"],
    }

"""What the supervisor says about the cluster: `shared/cluster.json`, replaced atomically by it, read by us."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

STATES = ("absent", "building", "starting", "ready", "failed")
NOT_THERE: dict[str, Any] = {
    "state": "absent",
    "text": "No cluster runs here. Lessons play their recordings.",
    "done": 0,
    "total": 0,
    "seconds_left": None,
    "reason": "nothing has started a cluster",
    "remedy": "run `make up` as root on Linux",
}


def read_cluster(path: Path) -> dict[str, Any]:
    """The supervisor's word, complete with every key; `absent` when it never spoke or wrote nonsense."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return dict(NOT_THERE)
    if not isinstance(found, dict) or found.get("state") not in STATES:
        return dict(NOT_THERE)
    known = {key: found.get(key, NOT_THERE[key] if key in ("done", "total") else None) for key in NOT_THERE}
    return {**known, "text": str(found.get("text") or "")}

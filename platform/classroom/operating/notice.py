"""`shared/cluster.json`: what the supervisor tells the pages about the cluster."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class ClusterNotice:
    """`done` of `total` in units of the phase; `seconds_left` is an estimate, None when unknown."""

    state: Literal["absent", "building", "starting", "ready", "failed"]
    text: str
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    reason: str | None = None
    remedy: str | None = None


def publish_notice(path: Path, notice: ClusterNotice, gid: int) -> None:
    """Replace the file atomically, readable for the web server's group."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps({**asdict(notice), "at": time.time()}))
    temporary.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(temporary, 0, gid)
    temporary.replace(path)

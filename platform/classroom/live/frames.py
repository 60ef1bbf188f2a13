"""The picture socket's frames (docs/live-protocol.md section 2): built here, encoded once."""

from __future__ import annotations

from typing import Any

import msgspec

from sandbox.record.delta import Delta

_encoder = msgspec.json.Encoder()


def encode(frame: Any) -> bytes:
    return _encoder.encode(frame)


def delta_frame(delta: Delta) -> dict[str, Any]:
    """L1: `from` is there only when the frame covers more than one entry."""
    return delta.frame()


def snapshot_frame(snapshot: dict[str, Any]) -> dict[str, Any]:
    """`snapshot` is the observer's `{epoch, seq, at, items}`; the frame's own letter comes first."""
    return {"f": "snapshot", **{key: value for key, value in snapshot.items() if key != "f"}}


def beat_frame(*, behind: float | None, at: float, stale_since: float | None) -> dict[str, Any]:
    return {"f": "beat", "behind": behind, "at": at, "stale_since": stale_since}


def bye_frame(code: str, text: str) -> dict[str, Any]:
    return {"f": "bye", "code": code, "text": text}

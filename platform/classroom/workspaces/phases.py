"""The sandbox's own item, and the sentences that go with its phases."""

from __future__ import annotations

from typing import Any

from classroom.workspaces.models import Sandbox

WARN_MINUTES = (10, 3, 1)


def self_item(row: Sandbox) -> dict[str, Any]:
    """`sandbox/self` (live protocol section 1) from the database, for when nobody observes the sandbox."""
    return {
        "t": "sandbox",
        "phase": row.phase,
        "phases": row.phases,
        "expires": row.expires.timestamp() if row.expires else 0,
        "place": row.place,
        "text": row.text,
    }


def waiting_text(place: int) -> str:
    return f"Waiting for a free place: you are number {place} in the queue."


def ready_text(row: Sandbox) -> str:
    """Guard rails and toolbox stand; the lesson's own start is on its way."""
    prefix = f"{row.text} " if row.lost else ""
    return f"{prefix}Your sandbox is ready. What the lesson starts with is opening."


def warning_due(seconds_left: float, told: int | None) -> int | None:
    """The warning (10, 3 or 1 minutes) to give now, or None. `told` is the last one given."""
    due = [minutes for minutes in WARN_MINUTES if seconds_left <= minutes * 60]
    if not due or seconds_left <= 0:
        return None
    smallest = min(due)
    return smallest if told is None or smallest < told else None


def warning_text(minutes: int) -> str:
    return f"{minutes} min left. Extend by 30 min."


def note_phase(phases: list[dict[str, Any]], name: str, ms: float | None) -> None:
    """A phase began (`ms` None) or ended; the page shows one without `ms` as under way."""
    took = None if ms is None else round(ms)
    for phase in phases:
        if phase["name"] == name:
            phase["ms"] = took
            return
    phases.append({"name": name, "ms": took})

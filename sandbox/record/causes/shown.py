"""The hop of one entry about an object, as most chains need it."""

from __future__ import annotations

from sandbox.record.causes import facts
from sandbox.record.causes.hop import Hop, Stage
from sandbox.record.entry import Entry

_FOUND_LATER = "It was found when the record went on after a break; when it happened was not seen."


def revised(entry: Entry) -> str:
    return f"revision {facts.revision(entry) or 'unknown'}"


def unseen(entry: Entry) -> str | None:
    """What is missing where an entry tells of a change that was found later, not seen."""
    return _FOUND_LATER if entry.change.get("synthetic") else None


def shown(
    entry: Entry,
    actor: str,
    stage: Stage,
    text: str,
    evidence: str,
    *,
    missing: str | None = None,
    cites: tuple[int, ...] = (),
) -> Hop:
    """A hop at `entry`, about its object, citing it first."""
    return Hop(
        actor=actor,
        stage=stage,
        text=text,
        evidence=evidence,
        at=entry.at,
        seq=entry.seq,
        of=facts.key(entry),
        missing=missing or unseen(entry),
        cites=(entry.seq, *cites),
    )

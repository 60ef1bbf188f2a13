"""Names for moments: `kill.start`, `kill.end+5s`, `rollout`, `up.pass`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from sandbox.record.checks.verdict import Moment

_ANCHOR = re.compile(
    r"(?P<source>[a-z][a-z0-9-]*)(?:\.(?P<point>start|end|pass))?(?:\s*\+\s*(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h))?"
)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class AnchorInvalid(ValueError):
    """The text names no moment; the message says what would."""


class Anchor(NamedTuple):
    """A moment by name. `point` is start, end or pass; `offset` in seconds."""

    source: str
    point: str
    offset: float


START = Anchor("start", "start", 0.0)
SUBMIT = Anchor("submit", "start", 0.0)


def read_anchor(text: str) -> Anchor:
    """Raises AnchorInvalid. A name alone means its start (a prediction: when it was committed)."""
    found = _ANCHOR.fullmatch(text.strip())
    if found is None:
        raise AnchorInvalid(f'"{text}" is no moment; write for example start, kill.end+5s or up.pass')
    offset = float(found["number"]) * _SECONDS[found["unit"]] if found["number"] else 0.0
    return Anchor(found["source"], found["point"] or "start", offset)


@dataclass(eq=False, slots=True)
class Occurrence:
    """One time that a fault, mark or load happened. Tentative until the student's own act confirms it."""

    source: str
    start: Moment
    end: Moment | None = None
    tentative: bool = False
    targets: dict[str, str] = field(default_factory=dict)  # uid -> name, of those still there
    first_target: str = ""
    pod: str = ""  # name of the first target

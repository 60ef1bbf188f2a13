"""Who has a lesson page open, at which step, and when they last gave a sign of life. In memory: it is about now."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

MOST_SANDBOXES = 2_000  # far more than run at once; the oldest are forgotten first
MOST_STEP = 80  # characters of a step's id


@dataclass
class Presence:
    """`pages` = open pages of the owner; `seen` = Unix seconds of the last sign; `step` = a step's id or ""."""

    pages: int = 0
    seen: float = 0.0
    step: str = ""


class Attendance:
    """Called from the event loop; `of` from any thread."""

    def __init__(self, changed: Callable[[], None], clock: Callable[[], float] = time.time) -> None:
        self._changed, self._clock = changed, clock
        self._known: dict[str, Presence] = {}

    def of(self, sandbox: str) -> Presence | None:
        return self._known.get(sandbox)

    def came(self, sandbox: str) -> None:
        self._note(sandbox).pages += 1
        self._changed()

    def left(self, sandbox: str) -> None:
        presence = self._note(sandbox)
        presence.pages = max(0, presence.pages - 1)
        self._changed()

    def at_step(self, sandbox: str, step: str) -> None:
        self._note(sandbox).step = step[:MOST_STEP]
        self._changed()

    def acted(self, sandbox: str) -> None:
        """They did something; the table moves on at its next turn, so nobody is woken for it."""
        self._note(sandbox)

    def _note(self, sandbox: str) -> Presence:
        presence = self._known.pop(sandbox, None) or Presence()
        presence.seen = self._clock()
        self._known[sandbox] = presence
        while len(self._known) > MOST_SANDBOXES:
            del self._known[next(iter(self._known))]
        return presence

"""When a student is told what came of checks and predictions (lesson format 4.11). The record itself has it all."""

from __future__ import annotations

from typing import NamedTuple

from sandbox.record.delta import Item
from sandbox.record.entry import Entry

_LINES = {
    "on-submit": "What passed is told when you hand in.",
    "after-close": "What passed is told after the course has closed.",
}
_OUTCOME = frozenset({"observed", "right", "why", "pairs"})


class Feedback(NamedTuple):
    """`line`: when it is told, for the student; "" = now."""

    way: str
    line: str

    @property
    def holds(self) -> bool:
        return bool(self.line)

    def after_submit(self) -> Feedback:
        return LIVE if self.way == "on-submit" else self

    def covered(self, item: Item) -> Item:
        """A check, prediction or answer of the picture without what came of it, and without when it was decided."""
        if item["t"] == "check":
            return {**item, "state": "waiting", "points": 0, "line": self.line, "seq": None, "at": 0.0}
        return {**item, **dict.fromkeys(_OUTCOME)}


LIVE = Feedback("live", "")


def feedback_of(start: Entry) -> Feedback:
    """Of the entry that begins an attempt; one that says nothing tells at once."""
    way = str(start.change.get("feedback") or "live")
    return Feedback(way, _LINES.get(way, ""))

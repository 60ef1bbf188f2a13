"""How far a long step has come, for the page and for the terminal."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One moment of a long step.

    `done` and `total` count the same things (packages, images, nodes); `total` is 0 while it is
    not known. `seconds_left` is an estimate, None when there is none worth showing.
    """

    phase: str
    text: str
    done: int
    total: int
    seconds_left: float | None


Report = Callable[[Progress], None]


def ignore(_progress: Progress) -> None:
    """For callers that show no progress."""

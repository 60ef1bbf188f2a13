"""Depths written on the free water of a chart: decoration, the same at every visit. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import hypot, sin
from typing import NamedTuple

COLUMNS, ROWS = 9, 8
OFF_SHORE = 1.2  # of a shore's radii: nearer than this a number would touch the coast line
OFF_COURSE = 24  # units of the drawing between a number and the line of the course


class Shore(NamedTuple):
    """An ellipse about a piece of land."""

    x: float
    y: float
    rx: float
    ry: float

    def radii(self, x: float, y: float) -> float:
        """How far a point is from the middle of the land, in its radii: 1 = on the shore."""
        return hypot((x - self.x) / self.rx, (y - self.y) / self.ry)


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def holds(self, x: float, y: float) -> bool:
        return self.left <= x <= self.right and self.top <= y <= self.bottom


class Sounding(NamedTuple):
    x: float
    y: float
    depth: int


def soundings(
    size: tuple[float, float],
    shores: Sequence[Shore],
    course: Sequence[tuple[float, float]],
    taken: Sequence[Box],
) -> tuple[Sounding, ...]:
    """Numbers on a sheet of `size` that keep off land, off the line through `course` and out of the boxes."""
    return tuple(
        Sounding(x, y, round(4 + 18 * (off - 1)))
        for x, y in _spread(*size)
        if (off := min((shore.radii(x, y) for shore in shores), default=2.0)) > OFF_SHORE
        and not any(box.holds(x, y) for box in taken)
        and all(_from_line(x, y, a, b) > OFF_COURSE for a, b in pairwise(course))
    )


def _spread(width: float, height: float) -> Iterator[tuple[float, float]]:
    """Every other crossing of a grid, moved a little, so that no rows show."""
    for i in range(COLUMNS):
        for j in range(ROWS):
            if (i + j) % 2 == 0:
                x = width * (i + 0.6) / (COLUMNS + 0.2) + 30 * sin(2.1 * i + 1.7 * j)
                y = height * (j + 0.6) / (ROWS + 0.2) + 26 * sin(1.3 * i + 2.9 * j)
                yield round(x, 1), round(y, 1)


def _from_line(x: float, y: float, a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance of a point from the stretch between two others."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    share = min(1.0, max(0.0, ((x - a[0]) * dx + (y - a[1]) * dy) / length)) if length else 0.0
    return hypot(x - a[0] - share * dx, y - a[1] - share * dy)

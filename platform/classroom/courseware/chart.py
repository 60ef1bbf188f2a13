"""The course as a nautical chart: each part is land, its lessons are stops along a course beside it. Pure.

Lengths are units of the drawing, `WIDTH` x `HEIGHT`; the page scales it and never below what can be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, dist, hypot, pi, sin
from typing import Any, NamedTuple

from classroom.courseware.soundings import Box, Shore, Sounding, soundings

WIDTH, HEIGHT = 1016, 852
NAME_WIDTH = 17  # letters of a part's name that fit on a line of its land
MOST_STOPS = 6  # more on one stretch would stand closer than their names are high
BANDS = (1.7, 1.42, 1.18)  # depths around land, outermost first
BEACH = 0.93
SHORE_POINTS = 16


class Point(NamedTuple):
    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class Water:
    """Where a part lies: its land, and the stretch of the course beside it."""

    land: Point
    rx: float
    ry: float
    stretch: tuple[Point, ...]


@dataclass(frozen=True, kw_only=True)
class Land:
    """`lines` = the part's name with the y of each; `shore` and the `beach` inside it are SVG paths."""

    at: Point
    lines: tuple[tuple[str, float], ...]
    shore: str
    beach: str


@dataclass(frozen=True, kw_only=True)
class Stop:
    at: Point
    entry: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """`sailed` and `planned` are SVG paths that meet at the last lesson done; `ship` is where the student is.

    `depths` are SVG paths of all lands together, outermost first, so that neighbours' water merges. The `lighthouse`
    stands where the voyage ends; its light falls to `lit`: -1 left, 1 right.
    """

    lands: tuple[Land, ...]
    depths: tuple[str, ...]
    stops: tuple[Stop, ...]
    sailed: str
    planned: str
    ship: Stop | None
    lighthouse: Point
    lit: int
    soundings: tuple[Sounding, ...]
    compass: Point
    width: int = WIDTH
    height: int = HEIGHT


# South-west to north, along the middle and down to the south-east; a name stands right of its stop.
WATERS = (
    Water(land=Point(142, 706), rx=100, ry=76, stretch=(Point(262, 800), Point(296, 716), Point(280, 598))),
    Water(land=Point(146, 372), rx=98, ry=84, stretch=(Point(284, 470), Point(268, 330))),
    Water(land=Point(866, 168), rx=104, ry=84, stretch=(Point(404, 92), Point(486, 170), Point(470, 316))),
    Water(land=Point(862, 462), rx=108, ry=84, stretch=(Point(540, 392), Point(576, 500), Point(556, 634))),
    Water(land=Point(884, 720), rx=92, ry=70, stretch=(Point(520, 698), Point(540, 740), Point(566, 796))),
)

COMPASS, COMPASS_RADIUS = Point(650, 104), 54
LEGEND = Box(18, 18, 350, 156)  # where the title stands, and a little more


def chart_of(parts: Sequence[dict[str, Any]], here: str | None) -> Chart | None:
    """`parts` as `parts_for` gives them, `here` the slug where the student is. None for a course it cannot hold."""
    if not 0 < len(parts) <= len(WATERS) or any(len(part["entries"]) > MOST_STOPS for part in parts):
        return None
    stops = tuple(
        Stop(at=at, entry=entry)
        for part, water in zip(parts, WATERS, strict=False)
        for at, entry in zip(along(water.stretch, len(part["entries"])), part["entries"], strict=True)
    )
    done = max((i for i, stop in enumerate(stops) if stop.entry["done"]), default=0)
    way = [stop.at for stop in stops]
    waters = WATERS[: len(parts)]
    last = waters[-1]
    lit = -1 if last.land.x > WIDTH / 2 else 1
    lighthouse = Point(last.land.x + lit * last.rx * 0.78, last.land.y + last.ry * 0.2)
    return Chart(
        lands=tuple(_land(part["title"], water) for part, water in zip(parts, waters, strict=True)),
        depths=tuple("".join(_shore(water, by) for water in waters) for by in BANDS),
        lighthouse=lighthouse,
        lit=lit,
        soundings=soundings(
            (WIDTH, HEIGHT),
            [Shore(*water.land, water.rx, water.ry) for water in waters],
            way,
            [LEGEND, _around(COMPASS, COMPASS_RADIUS + 24), *(_named(stop) for stop in stops)],
        ),
        compass=COMPASS,
        stops=stops,
        sailed=_line(way[: done + 1]) if done else "",
        planned=_line(way[done:]),
        ship=next((stop for stop in stops if stop.entry["slug"] == here), None),
    )


def _around(at: Point, by: float) -> Box:
    return Box(at.x - by, at.y - by, at.x + by, at.y + by)


def _named(stop: Stop) -> Box:
    """The stop with its name: at most 7.2 units a letter."""
    x, y = stop.at
    return Box(x - 30, y - 26, x + 44 + 7.2 * len(stop.entry["title"]), y + 30)


def along(stretch: Sequence[Point], n: int) -> list[Point]:
    """`n` points at equal distances along a line, both ends included; a single one stands in its middle."""
    lengths = [dist(a, b) for a, b in pairwise(stretch)]
    shares = [0.5] if n == 1 else [i / (n - 1) for i in range(n)]
    return [_at(stretch, lengths, share * sum(lengths)) for share in shares]


def _at(stretch: Sequence[Point], lengths: Sequence[float], far: float) -> Point:
    for (a, b), length in zip(pairwise(stretch), lengths, strict=True):
        if far <= length:
            part = far / length
            return Point(round(a.x + (b.x - a.x) * part, 1), round(a.y + (b.y - a.y) * part, 1))
        far -= length
    return stretch[-1]


def _land(title: str, water: Water) -> Land:
    lines = broken(title)
    top = water.land.y + 6 - 11 * (len(lines) - 1)
    return Land(
        at=water.land,
        lines=tuple((line, top + 22 * i) for i, line in enumerate(lines)),
        shore=_shore(water, 1.0),
        beach=_shore(water, BEACH),
    )


def broken(title: str) -> list[str]:
    """The words of a name in lines of at most `NAME_WIDTH` letters; a longer word has a line of its own."""
    lines: list[str] = []
    for word in title.split():
        if lines and len(lines[-1]) + 1 + len(word) <= NAME_WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _shore(water: Water, by: float) -> str:
    """A closed smooth line around the land, bays and capes by its place, so that it is the same at every visit."""
    phase = hypot(*water.land)
    points = []
    for i in range(SHORE_POINTS):
        angle = 2 * pi * i / SHORE_POINTS
        bay = 1 + 0.07 * sin(3 * angle + phase) + 0.05 * sin(5 * angle + 2 * phase)
        points.append(
            Point(
                water.land.x + water.rx * by * bay * cos(angle),
                water.land.y + water.ry * by * bay * sin(angle),
            )
        )
    middles = [Point((a.x + b.x) / 2, (a.y + b.y) / 2) for a, b in pairwise([*points, points[0]])]
    curves = [
        f"Q{corner.x:.1f} {corner.y:.1f} {to.x:.1f} {to.y:.1f}"
        for corner, to in zip([*points[1:], points[0]], [*middles[1:], middles[0]], strict=True)
    ]
    return f"M{middles[0].x:.1f} {middles[0].y:.1f}{''.join(curves)}Z"


def _line(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{point.x:g} {point.y:g}" for point in points)

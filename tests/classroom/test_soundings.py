"""Depths on a chart: where nothing else stands, deeper further from land."""

from __future__ import annotations

from itertools import pairwise
from math import hypot

from hypothesis import given
from hypothesis import strategies as st

from classroom.courseware.chart import COMPASS, COMPASS_RADIUS, HEIGHT, LEGEND, WIDTH, chart_of
from classroom.courseware.soundings import OFF_COURSE, OFF_SHORE, Box, Shore, soundings

SIZE = (1000.0, 800.0)
numbers = st.floats(0, 1000, allow_nan=False)
points = st.tuples(numbers, numbers)


@given(
    st.lists(st.tuples(points, points), max_size=4),
    st.lists(points, max_size=6),
    st.lists(points, max_size=3),
)
def test_they_keep_off_land_course_and_names(
    lands: list[tuple[tuple[float, float], tuple[float, float]]],
    course: list[tuple[float, float]],
    corners: list[tuple[float, float]],
) -> None:
    shores = [Shore(x, y, 20 + rx / 5, 20 + ry / 5) for (x, y), (rx, ry) in lands]
    boxes = [Box(x, y, x + 150, y + 60) for x, y in corners]
    for one in soundings(SIZE, shores, course, boxes):
        assert all(shore.radii(one.x, one.y) > OFF_SHORE for shore in shores)
        assert not any(box.holds(one.x, one.y) for box in boxes)
        assert all(hypot(one.x - x, one.y - y) > OFF_COURSE for line in pairwise(course) for x, y in line)


def test_it_is_deeper_further_out() -> None:
    found = soundings(SIZE, [Shore(500, 400, 100, 100)], [], [])
    by_distance = sorted(found, key=lambda one: hypot(one.x - 500, one.y - 400))
    assert len(found) > 20
    assert [one.depth for one in by_distance] == sorted(one.depth for one in found)


def test_a_course_has_some_and_none_under_its_title_or_compass() -> None:
    titles = ["Where an image runs, and who runs it", "Calls and messages", "Six walls"]
    entries = [{"slug": title, "title": title, "done": False, "state": "open"} for title in titles]
    chart = chart_of([{"title": "Containers from the inside", "entries": entries}] * 5, None)
    assert chart
    assert len(chart.soundings) >= 8
    for one in chart.soundings:
        assert 17 < one.x < WIDTH - 17
        assert 17 < one.y < HEIGHT - 17
        assert not LEGEND.holds(one.x, one.y)
        assert hypot(one.x - COMPASS.x, one.y - COMPASS.y) > COMPASS_RADIUS

"""The course as a chart: every lesson once, in order, on paper; and what a student has done of it."""

from __future__ import annotations

from itertools import pairwise
from math import dist
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classroom.courseware.chart import HEIGHT, MOST_STOPS, WATERS, WIDTH, along, broken, chart_of


def part(title: str, n: int, done: tuple[int, ...] = ()) -> dict[str, Any]:
    entries = [
        {"slug": f"{title}-{i}", "title": f"Lesson {i}", "done": i in done, "state": "open"} for i in range(n)
    ]
    return {"title": title, "entries": entries}


@given(st.lists(st.integers(0, MOST_STOPS), min_size=1, max_size=len(WATERS)))
def test_every_lesson_has_a_place_of_its_own_on_the_paper(counts: list[int]) -> None:
    parts = [part(str(i), n) for i, n in enumerate(counts)]
    chart = chart_of(parts, None)
    assert chart
    assert [stop.entry for stop in chart.stops] == [entry for each in parts for entry in each["entries"]]
    assert all(20 < stop.at.x < WIDTH - 20 and 20 < stop.at.y < HEIGHT - 20 for stop in chart.stops)
    assert all(dist(a.at, b.at) > 18 for a, b in pairwise(chart.stops)), "names under each other touch"


def test_the_line_is_drawn_out_up_to_the_last_lesson_done_and_planned_from_there() -> None:
    chart = chart_of([part("a", 3, done=(0, 1)), part("b", 2)], "a-2")
    assert chart
    assert chart.ship
    assert chart.ship.entry["slug"] == "a-2"
    assert chart.sailed.count("L") == 1
    assert chart.planned.count("L") == 3
    assert chart.planned[1:].startswith(chart.sailed.split("L")[-1])
    fresh = chart_of([part("a", 3)], None)
    assert fresh
    assert (fresh.sailed, fresh.planned.count("L"), fresh.ship) == ("", 2, None)


@pytest.mark.parametrize("counts", [[], [1] * (len(WATERS) + 1), [MOST_STOPS + 1]])
def test_a_course_that_does_not_fit_has_its_list_alone(counts: list[int]) -> None:
    assert chart_of([part(str(i), n) for i, n in enumerate(counts)], None) is None


def test_one_stop_stands_in_the_middle_and_several_reach_both_ends() -> None:
    stretch = WATERS[0].stretch
    assert along(stretch, 4)[0] == stretch[0]
    assert dist(along(stretch, 4)[-1], stretch[-1]) < 0.2
    assert along(stretch[:2], 1) == [
        ((stretch[0].x + stretch[1].x) / 2, (stretch[0].y + stretch[1].y) / 2),
    ]


def test_a_name_is_broken_between_words_only() -> None:
    assert broken("Containers from the inside") == ["Containers from", "the inside"]
    assert broken("Unabbreviatedly long") == ["Unabbreviatedly", "long"]

"""`short_way:` of course.yaml: lessons of this course, each once, in its order."""

from __future__ import annotations

import pytest

from lessons.loading import load_course
from tests.lessons.conftest import COURSE

LISTED = (
    "short_way: [01-one-or-many, 07-machines-and-containers, 12-first-app, 14-self-healing, 17-control-plane]"
)


def test_the_course_has_one_through_lessons_that_are_open_or_coming():
    course = load_course(COURSE)
    assert course.short_way == (
        "01-one-or-many", "07-machines-and-containers", "12-first-app", "14-self-healing", "17-control-plane",
    )  # fmt: skip


def test_a_course_needs_none(bench):
    bench.replace("course.yaml", LISTED, "")
    assert bench.course().short_way == ()
    assert [each for each in bench.lint() if each.is_error] == []


@pytest.mark.parametrize(
    ("written", "code", "said"),
    [
        ("[14-self-haeling]", "L020", '"14-self-haeling" is no lesson of this course'),
        ("[14-self-healing, 01-one-or-many]", "L004", "in the order of the course"),
        ("[14-self-healing, 14-self-healing]", "L004", "each lesson once"),
        ("{a: b}", "L004", "expected a list"),
    ],
)
def test_what_cannot_be_one_is_named_at_its_line(bench, written: str, code: str, said: str):
    bench.replace("course.yaml", LISTED, f"short_way: {written}")
    line = bench.line_of("course.yaml", "short_way:")
    found = [each for each in bench.lint() if each.file == "course.yaml" and each.line == line]
    assert [(each.code, said in each.message) for each in found] == [(code, True)]

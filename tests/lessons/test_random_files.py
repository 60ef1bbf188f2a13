"""Whatever stands in a lesson's files, the loader says so in problems and never otherwise."""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from lessons.exercise_loading import Draft, read_exercise
from lessons.linting import lint
from lessons.loading import load_course, read_lesson
from lessons.models import Budget
from lessons.problems import LessonInvalid, Problem
from lessons.yaml_source import read_yaml

COURSE = Path(__file__).resolve().parents[2] / "lessons" / "how-clusters-work"
FILES = [
    "lesson.md",
    "exercise.yaml",
    "solution.yaml",
    "solution.steps",
    "start.yaml",
    "wrong/one-replica.yaml",
]
PARTS = [path.read_text() for path in (COURSE / "14-self-healing").rglob("*.yaml")]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
)
KEYS = [
    "id",
    "say",
    "points",
    "needs",
    "during",
    "each",
    "within",
    "eventually",
    "always",
    "never",
    "count",
    "kill",
]
KEYS += [
    "kind",
    "target",
    "by",
    "variants",
    "int",
    "pick",
    "replicas",
    "http",
    "every",
    "when",
    "until",
    "before",
]
KEYS += ["choices", "observed", "start", "first", "then", "for", "min", "max", "settle", "ask", "answer"]
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=6), inner, max_size=5),
    ),
    max_leaves=20,
)
SECTIONS = [
    "format",
    "title",
    "task",
    "time",
    "checks",
    "faults",
    "predictions",
    "questions",
    "hints",
    "probes",
]
SECTIONS += ["loads", "marks", "variants", "ready", "gate"]
exercises = st.dictionaries(st.sampled_from(SECTIONS), values, max_size=8)


@pytest.fixture(scope="module")
def course():
    return load_course(COURSE)


@given(exercises)
@settings(max_examples=120, deadline=None)
def test_random_exercises_give_problems_not_exceptions(course, value):
    out = StringIO()
    YAML(typ="safe", pure=True).dump(value, out)
    try:
        source = read_yaml(out.getvalue(), "exercise.yaml")
    except LessonInvalid:
        return
    problems: list[Problem] = []
    read_exercise(source, "main", Draft(course, "t", 10, Budget(), ()), problems)
    assert all(problem.file == "exercise.yaml" and problem.line >= 1 for problem in problems)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    path = tmp_path_factory.mktemp("scratch") / "course"
    shutil.copytree(COURSE, path, ignore=all_recordings_but_one)
    return path


def all_recordings_but_one(_folder: str, names: list[str]) -> set[str]:
    """Of each lesson: reading all of them for every mutilation is what took most of the time."""
    return {name for name in names if name.endswith(".jsonl.gz") and name != "solution.jsonl.gz"}


@given(st.sampled_from(FILES), st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutilated_file_never_takes_the_course_down(scratch, name, data):
    path = scratch / "14-self-healing" / name
    original = path.read_text()
    start = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(start, len(original)))
    middle = data.draw(st.one_of(st.text(max_size=30), st.sampled_from(PARTS)))
    path.write_text(original[:start] + middle + original[end:], errors="replace")
    try:
        found = load_course(scratch)
        named = sum(len(part.lessons) for part in found.parts)
        assert len(found.lessons) + len(found.broken) == named
        for problem in lint(scratch / "14-self-healing"):
            assert problem.message
            assert problem.line >= 1
    finally:
        path.write_text(original)


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_bytes_in_place_of_text(course, scratch, data):
    path = scratch / "14-self-healing" / "lesson.md"
    original = path.read_bytes()
    path.write_bytes(data)
    try:
        draft = read_lesson(scratch / "14-self-healing", course)
        assert draft.problems
    finally:
        path.write_bytes(original)

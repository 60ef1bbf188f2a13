"""Recordings of real runs: the same verdicts again, and a picture that any browser can follow."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path

import pytest

from lessons.loading import load_course
from lessons.recordings import Recording, read_recording
from sandbox.record.delta import apply, merge
from sandbox.record.exercise import Exercise
from sandbox.record.marking import work_out
from sandbox.record.picture import Picture

COURSES = Path(__file__).parents[3] / "lessons"
FOUND = sorted(COURSES.glob("*/*/recordings/*/*.jsonl.gz"))
NAMES = [f"{path.parents[2].name}/{path.stem}" for path in FOUND]


@functools.cache
def recording_of(path: Path) -> tuple[Exercise, Recording]:
    """Read as the product reads it: an edited one, or one of another version of its lesson, fails here by name."""
    lesson = next(each for each in load_course(path.parents[3]).lessons if each.slug == path.parents[2].name)
    exercise = lesson.exercise
    assert exercise is not None
    return exercise, read_recording(path, lesson)


@pytest.mark.parametrize("path", FOUND, ids=NAMES)
def test_replay_gives_the_recorded_verdicts(path: Path) -> None:
    exercise, found = recording_of(path)
    result = work_out(exercise, found.params, found.entries, found.images)
    written = {entry.uid: entry.change["state"] for entry in found.entries if entry.kind == "verdict"}
    assert {each.check: each.state for each in result.verdicts} == {**written, **found.verdicts}
    assert not result.provisional
    assert all(each.decided_by for each in result.verdicts if each.state == "pass")


@pytest.mark.parametrize("path", FOUND, ids=NAMES)
def test_a_solution_passes_everything_and_a_wrong_way_does_not(path: Path) -> None:
    """Checks and predictions: what the reader of a recorded lesson is shown as the outcome."""
    exercise, found = recording_of(path)
    result = work_out(exercise, found.params, found.entries, found.images)
    passed = all(each.state == "pass" for each in result.verdicts)
    assert passed == (found.way == "solution")
    settled = {
        entry.uid for entry in found.entries if entry.kind == "prediction" and "observed" in entry.change
    }
    if passed:
        assert settled == {each.id for each in exercise.predictions}


@pytest.mark.parametrize("path", FOUND, ids=NAMES)
@pytest.mark.parametrize("step", [1, 7, 100])
def test_L2_holds_on_a_real_record(path: Path, step: int) -> None:
    picture = Picture()
    items = picture.snapshot()["items"]
    deltas = [delta for entry in recording_of(path)[1].entries if (delta := picture.feed(entry)) is not None]
    for low in range(0, len(deltas), step):
        items = apply(items, merge(itertools.islice(deltas, low, low + step)))
    assert items == picture.items
    assert not [item for item in items.values() if item.get("kind") == "NetworkPolicy"]

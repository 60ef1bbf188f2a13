"""Answers to a recording: what the page gets to judge them by, and that the browser's rules are the engine's."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lessons.loading import load_course
from lessons.practice import practice_of
from sandbox.record.checks.answers import is_right, right_pairs
from sandbox.record.exercise import Exercise

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "lessons/how-clusters-work"
CASES = json.loads((ROOT / "frontend/src/lib/judging.cases.json").read_text())


@pytest.fixture(scope="module")
def exercises() -> dict[str, Exercise]:
    found = {lesson.slug: lesson.exercise for lesson in load_course(COURSE).lessons}
    return {slug: each for slug, each in found.items() if each}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}-{case['said']}"[:40])
def test_the_browser_judges_as_the_engine_does(case: dict[str, Any]) -> None:
    """The same table is judged by frontend/src/lib/judging.test.ts."""
    right = is_right(case["kind"], case["said"], case["observed"], case.get("tolerance"))
    assert right is case["right"]
    if "pairs" in case:
        assert list(right_pairs(case["said"], case["observed"])) == case["pairs"]


def test_every_question_has_what_judges_it_and_its_checks_are_named(exercises: dict[str, Exercise]) -> None:
    practice = practice_of(exercises["12-first-app"], {})
    assert practice
    assert set(practice["asked"]) == {"prediction/hops", "answer/history"}
    assert practice["asked"]["prediction/hops"]["tolerance"] is None
    assert practice["asked"]["prediction/hops"]["why"]["container"].startswith("Running comes last.")
    assert practice["checks"] == {"p1": "prediction/hops", "past": "answer/history"}
    assert "observed" not in json.dumps(practice)


def test_an_exercise_that_tells_no_outcome_gives_nothing_to_judge_by(exercises: dict[str, Exercise]) -> None:
    silent = msgspec.structs.replace(exercises["12-first-app"], feedback="after-close")
    assert practice_of(silent, {}) is None
    assert practice_of(None, {}) is None


@pytest.mark.parametrize("slug", ["01-one-or-many", "12-first-app", "14-self-healing"])
def test_a_recording_holds_the_answer_to_whatever_the_lesson_asks(
    slug: str, exercises: dict[str, Exercise]
) -> None:
    """Else a viewer's answer could never be judged: each is locked in the film, and observed later than that."""
    from classroom.courseware.catalogue import Catalogue
    from classroom.courseware.recordings import _history_of_file
    from lessons.recordings import shown_recording

    lesson = Catalogue(COURSE.parent).lesson(COURSE.name, slug)
    path = shown_recording(lesson)
    assert path
    history = json.loads(gzip.decompress(_history_of_file(path, lesson)))
    assert history["practice"] == practice_of(exercises[slug], {})
    assert history["practice"]["asked"]
    for key in history["practice"]["asked"]:
        told = [frame.get("set", {}).get(key) or {} for frame in history["frames"]]
        locked = next(i for i, fields in enumerate(told) if fields.get("value") is not None)
        observed = next(i for i, fields in enumerate(told) if fields.get("observed") is not None)
        assert locked < observed, key

"""What a mark is worth is told by the page only where the exercise says so (lesson format 4.11)."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import msgspec
import pytest

from classroom.accounts.models import Role
from classroom.courseware.catalogue import catalogue
from classroom.courseware.reading import exercise_of, held_back, progress_of
from classroom.exercises import submitting
from classroom.exercises.models import Mark
from classroom.workspaces.requesting import ensure_requested

pytestmark = pytest.mark.django_db(transaction=True)


def told(slug: str, feedback: str) -> Any:
    """A course of one lesson whose exercise tells then."""
    exercise = msgspec.structs.replace(exercise_of(catalogue.lesson("tiny", slug)), feedback=feedback)
    return Mock(lessons=[Mock(slug=slug, exercises={exercise.id: exercise})])


@pytest.mark.parametrize(
    ("feedback", "words"),
    [("live", "2 of 3 points"), ("on-submit", "2 of 3 points"), ("after-close", "handed in")],
)
def test_the_course_page_tells_points_when_the_exercise_does(
    make_user: Any, monkeypatch: pytest.MonkeyPatch, feedback: str, words: str
) -> None:
    person = make_user(Role.STUDENT)
    monkeypatch.setattr(submitting, "ring_for_marking", lambda _attempt: None)
    lesson = catalogue.lesson("tiny", "01-one")
    box = ensure_requested(person, catalogue.course("tiny"), lesson, exercise_of(lesson))
    attempt = submitting.hand_over(
        box.pk, submitting.HandOver(number=1, first_seq=3, last_seq=9, by="student")
    )
    Mark.objects.create(attempt=attempt, rubric_hash="r", generation=1, points=2, of=3)
    course = told("01-one", feedback)
    progress = progress_of(person, "tiny", held_back(course))["01-one"]
    assert (progress.done, progress.words) == (True, words)

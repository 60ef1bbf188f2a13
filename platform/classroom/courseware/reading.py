"""Opening a lesson: whose variant, whose sandbox, which recording. Decisions only; the view does the rest."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from django.conf import settings

from classroom.accounts.models import User
from classroom.exercises.models import Mark
from sandbox.record.exercise import Exercise


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a lesson stands in its course: number from 1, and the address of the next open one."""

    number: int
    next_slug: str | None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a person is in a lesson, and the same in words."""

    done: bool
    words: str


def held_back(course: Any) -> frozenset[str]:
    """Slugs of lessons whose marks are not the page's to tell (`feedback: after-close`)."""
    exercises = {lesson.slug: exercise_of(lesson) for lesson in course.lessons}
    return frozenset(slug for slug, each in exercises.items() if each and each.feedback == "after-close")


def progress_of(person: User, course: str, held: Collection[str] = ()) -> dict[str, Progress]:
    """By lesson, of what the person began: done once a try was marked, with the points of the best one.

    Of a lesson in `held` no points.
    """
    begun = person.sandboxes.filter(course=course).values_list("lesson", flat=True)
    found = {lesson: Progress(done=False, words="begun") for lesson in begun}
    marks = Mark.objects.filter(attempt__person=person, attempt__course=course).order_by("points")
    for lesson, points, of in marks.values_list("attempt__lesson", "points", "of"):
        told = "handed in" if lesson in held else f"{points:g} of {of:g} points"
        found[lesson] = Progress(done=True, words=told)
    return found


def place_of(course: Any, slug: str) -> Place:
    slugs = [lesson.slug for lesson in course.lessons]
    index = slugs.index(slug)
    following = slugs[index + 1] if index + 1 < len(slugs) else None
    return Place(number=course.number(slug), next_slug=following)


def exercise_of(lesson: Any) -> Exercise | None:
    """The lesson's exercise; lessons with several have the first one on the page."""
    exercises: dict[str, Exercise] = lesson.exercises
    return next(iter(exercises.values()), None)


def seed_for(person: User | None, course: str, lesson: str, exercise: str) -> str:
    """Sticky: the same person gets the same variant after a reset or a reload (lesson format 4.10)."""
    who = str(person.pk) if person else "somebody"
    text = f"{who}\0{course}\0{lesson}\0{exercise}"
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def params_from(exercise: Exercise | None, seed: str) -> dict[str, Any]:
    if exercise is None:
        return {}
    from lessons.variants import params_for

    return dict(params_for(exercise, bytes.fromhex(seed)))


def recording_of(lesson: Any) -> Path | None:
    """The run that the page plays, or None when none was recorded."""
    from lessons.recordings import shown_recording

    return shown_recording(lesson)


def files_for(exercise: Exercise | None, params: dict[str, Any], saved: dict[str, str]) -> dict[str, str]:
    """What the editor opens with: the student's saved text, else the lesson's."""
    if exercise is None:
        return {}
    from lessons.manifests_loading import substitute

    return {name: saved.get(name, substitute(text, params)) for name, text in exercise.files.items()}


def parts_for(course: Any, progress: Mapping[str, Progress] = MappingProxyType({})) -> list[dict[str, Any]]:
    """The course home's list: each part with its lessons in order; state open, broken or coming.

    `progress` by slug: `done` and `progress` in words ("" for what was not begun). `short`: on the short way.
    """
    opened = {lesson.slug: lesson for lesson in course.lessons}
    parts = []
    for part in course.parts:
        coming = {lesson.slug: lesson for lesson in part.coming}
        entries = []
        for slug in part.order:
            found = opened.get(slug) or coming.get(slug)
            state = "open" if slug in opened else "coming" if slug in coming else "broken"
            entries.append(
                {
                    "slug": slug,
                    "number": course.number(slug),
                    "title": found.title if found else slug,
                    "minutes": found.minutes if found else None,
                    "state": state,
                    "short": slug in course.short_way,
                    "done": slug in progress and progress[slug].done,
                    "progress": progress[slug].words if slug in progress else "",
                }
            )
        parts.append({"title": part.title, "entries": entries})
    return parts


def short_way_of(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """How long the short way is, of the entries of `parts_for`: `lessons`, and about how many `minutes`; or None."""
    short = [entry for entry in entries if entry["short"]]
    minutes = sum(entry["minutes"] or 0 for entry in short)
    return {"lessons": len(short), "minutes": 5 * round(minutes / 5)} if short else None

"""Opening a lesson: whose variant, whose sandbox, which recording. Decisions only; the view does the rest."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from classroom.accounts.models import User
from sandbox.record.exercise import Exercise


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a lesson stands in its course: number from 1, and the address of the next open one."""

    number: int
    next_slug: str | None


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


def parts_for(course: Any) -> list[dict[str, Any]]:
    """The course home's list: each part with its lessons in order; state open, broken or coming."""
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
                }
            )
        parts.append({"title": part.title, "entries": entries})
    return parts

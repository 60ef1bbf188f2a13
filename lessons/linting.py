"""All problems of a course or a lesson, as an author should see them: sorted, each with a way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lessons.course_loading import read_frame
from lessons.loading import LessonDraft, read_lesson
from lessons.models import Course
from lessons.problems import LessonInvalid, Problem
from lessons.rules_asked import check_asked
from lessons.rules_cluster import check_cluster
from lessons.rules_exercise import check_exercises
from lessons.rules_text import check_text
from lessons.rules_translation import check_translations

RULES: tuple[Callable[[LessonDraft], Iterator[Problem]], ...] = (
    check_text,
    check_exercises,
    check_asked,
    check_cluster,
    check_translations,
)


class NotALesson(ValueError):
    """The path is neither a course, nor a lesson in one, nor a file of them."""


def lint(path: Path) -> list[Problem]:
    """Problems of a course folder (all its open lessons), or of one lesson folder, or of the lesson a file is in.

    Empty = ready for `verify`. Raises NotALesson. File names in problems are relative to the course folder.
    """
    course_folder, slug = _find(path.resolve())
    try:
        course = read_frame(course_folder)
    except LessonInvalid as invalid:
        return invalid.problems
    slugs = [slug] if slug else [each for part in course.parts for each in part.lessons]
    drafts = [read_lesson(course_folder / each, course) for each in slugs]
    found = {problem for draft in drafts for problem in lint_draft(draft)}
    return sorted(found if slug else found | set(_untaught(course, drafts)))


def lint_draft(draft: LessonDraft) -> list[Problem]:
    """Rules run as far as the lesson could be read."""
    problems = list(draft.problems)
    if draft.lesson:
        for rule in RULES:
            try:
                problems.extend(rule(draft))
            except LessonInvalid as invalid:
                problems.extend(invalid.problems)
    return problems


def _find(path: Path) -> tuple[Path, str]:
    """(course folder, lesson slug or empty)."""
    for folder in (path, *path.parents):
        if (folder / "course.yaml").is_file():
            inside = path.relative_to(folder).parts
            slug = inside[0] if inside and (folder / inside[0]).is_dir() else ""
            return folder, slug
    raise NotALesson(f"{path} is not in a course: no folder above it has a course.yaml")


def _untaught(course: Course, drafts: Sequence[LessonDraft]) -> Iterator[Problem]:
    """L010: concepts no step of an open lesson covers."""
    steps = [step for draft in drafts if draft.lesson for step in draft.lesson.steps]
    taught = {concept for step in steps for concept in step.concepts}
    for concept in course.concepts:
        if concept not in taught:
            help_ = "name it in :concepts: of a step block, or take it out of concepts.yaml"
            yield Problem("course.yaml", 1, 1, "L010", f"{concept} is taught by no step", help_)

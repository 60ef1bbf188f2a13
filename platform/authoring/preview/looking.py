"""What the preview shows of a lesson at a moment: read from its files, never raised for what an author wrote."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authoring.preview.simulating import LABEL, entries_for
from authoring.report import read_kept
from lessons.course_loading import read_frame
from lessons.linting import lint
from lessons.loading import LessonDraft, read_lesson
from lessons.manifests_loading import substitute
from lessons.models import Course, Lesson
from lessons.practice import practice_of
from lessons.problems import LessonInvalid, Problem
from lessons.recordings import RecordingInvalid, history_of, read_recording, shown_recording
from lessons.rendering import RenderedStep, render_lesson
from lessons.shown_order import shown_choices
from lessons.variants import edges_for
from sandbox.record.exercise import Exercise, Prediction

SEED = bytes(16)  # the order of choices as one student sees it
MOST_SHOWN = 256 * 1024  # bytes of a file beside the page


@dataclass(frozen=True, slots=True)
class Look:
    """`lesson` and `steps` are None and empty while it cannot be drawn at all; `why` then says why."""

    course: Course | None
    lesson: Lesson | None
    steps: Sequence[RenderedStep]
    params: Mapping[str, Any]
    why: str = ""


def variants_of(lesson: Lesson | None) -> list[dict[str, Any]]:
    """What students may have got: first and last values. At least one."""
    exercise = lesson.exercise if lesson else None
    return (edges_for(exercise) if exercise else []) or [{}]


def look_at(folder: Path, variant: int = 0) -> Look:
    """The lesson as far as it can be read: also one with problems is drawn as well as it can."""
    try:
        course = read_frame(folder.parent)
    except LessonInvalid as invalid:
        return Look(None, None, (), {}, f"The course does not load: {invalid.problems[0]}")
    draft: LessonDraft = read_lesson(folder, course)
    if draft.lesson is None:
        first = min(draft.problems, default=None)
        return Look(course, None, (), {}, str(first or "lesson.md cannot be read"))
    variants = variants_of(draft.lesson)
    params = variants[variant % len(variants)]
    try:
        steps = render_lesson(draft.lesson, params)
    except Exception as error:
        # Half-written text of any kind comes through here several times a minute; the linter names its mistake.
        return Look(course, draft.lesson, (), params, f"The text cannot be drawn yet: {error}")
    return Look(course, draft.lesson, steps, params)


def findings_of(folder: Path) -> list[Problem]:
    """Problems of this lesson and of the course's own files, sorted."""
    return lint(folder)


def history_for(lesson: Lesson, params: Mapping[str, Any]) -> dict[str, Any]:
    """The recording, or the start manifests drawn and labelled SIMULATED."""
    path = shown_recording(lesson)
    if path is not None:
        try:
            found = read_recording(path, lesson)
        except RecordingInvalid:
            pass  # the bench says so; the picture is drawn from the files
        else:
            practice = practice_of(lesson.exercise, found.params)
            return {**history_of(found.entries, label=found.label), "practice": practice}
    start = [dict(each) for each in substitute(lesson.start, dict(params))]
    return history_of(entries_for(start, time.time()), label=LABEL, simulated=True)


def picture_of(lesson: Lesson) -> str:
    """One sentence under the page: what the picture is."""
    path = shown_recording(lesson)
    if path is None:
        return "The picture is drawn from the start manifests; nothing was applied, no cluster is used."
    try:
        found = read_recording(path, lesson)
    except RecordingInvalid as invalid:
        return f"The picture is drawn from the start manifests: {invalid}."
    return f"The picture plays {path.name}, {found.label}; no cluster is used."


def last_proof(home: Path, lesson: Lesson) -> tuple[dict[str, Any] | None, bool]:
    """What `verify` kept of the lesson in this folder, and whether the exercise has changed since."""
    kept = read_kept(home, lesson.slug)
    if kept and kept.get("folder") != str(lesson.path.resolve()):
        return None, False
    return kept, bool(kept and kept.get("rubric") != lesson.rubric_hash)


def sources_of(folder: Path, findings: Sequence[Problem]) -> dict[str, str]:
    """File name within the lesson -> text, in the order of work; then files of the course with findings."""
    own = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _is_hidden(path, folder)]
    own.sort(key=lambda path: _rank(path.relative_to(folder).as_posix()))
    names = {path.relative_to(folder).as_posix(): path for path in own}
    inside = f"{folder.name}/"
    for problem in findings:
        if not problem.file.startswith(inside) and (folder.parent / problem.file).is_file():
            names[f"../{problem.file}"] = folder.parent / problem.file
    return {name: text for name, path in names.items() if (text := _text(path)) is not None}


def _is_hidden(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return parts[0] == "recordings" or any(part.startswith(".") or part.endswith("~") for part in parts)


def _rank(name: str) -> tuple[int, str]:
    order = ("lesson.md", "exercise.yaml", "solution.yaml", "solution.steps", "start.yaml")
    return (order.index(name) if name in order else len(order), name)


def _text(path: Path) -> str | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if len(data) > MOST_SHOWN:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


# --- the page's data ------------------------------------------------------------------------------------------
def page_data(look: Look, recording: str) -> dict[str, Any]:
    """The JSON that wakes the lesson page (frontend/src/lib/page.ts), for somebody without a sandbox."""
    assert look.lesson is not None  # noqa: S101  (callers)
    assert look.course is not None  # noqa: S101
    lesson = look.lesson
    try:
        number = look.course.number(lesson.slug)
    except ValueError:  # not named in course.yaml yet
        number = 0
    exercise = lesson.exercise
    return {
        "course": {"slug": look.course.slug, "title": look.course.title, "href": "#"},
        "lesson": {
            "slug": lesson.slug,
            "title": lesson.title,
            "minutes": lesson.minutes,
            "hash": lesson.content_hash,
            "n": number,
        },
        "steps": [
            {"id": step.id, "title": step.title, "gate": step.gate, "needs": list(step.needs)}
            for step in look.steps
        ],
        "exercise": _exercise(exercise, look.params) if exercise else None,
        "params": dict(look.params),
        "me": None,
        "sandbox": None,
        "recording": recording,
        "cluster": {
            "state": "absent",
            "text": "A preview uses no cluster.",
            "done": 0,
            "total": 0,
            "seconds_left": None,
            "reason": None,
            "remedy": None,
        },
        "urls": dict.fromkeys(("start", "api", "socket", "terminal", "clusterSocket", "home"), "/none/")
        | {"next": None},
        "csrf": "",
    }


def _exercise(exercise: Exercise, params: Mapping[str, Any]) -> dict[str, Any]:
    said = {
        "id": exercise.id,
        "title": exercise.title,
        "task": exercise.task,
        "time": exercise.time,
        "checks": [{"id": each.id, "say": each.say, "points": each.points} for each in exercise.checks],
        "predictions": [_asked(each) for each in exercise.predictions],
        "questions": [_asked(each) for each in exercise.questions],
        "faults": [
            {
                "id": each.id,
                "kind": each.kind,
                "by": each.by,
                "target": each.target,
                "needs": list(each.needs),
            }
            for each in exercise.faults
        ],
        "loads": [],
        "menu": [],
        "files": dict(exercise.files),
    }
    filled: dict[str, Any] = substitute(said, dict(params))
    return filled


def _asked(asked: Prediction) -> dict[str, Any]:
    return {
        "id": asked.id,
        "ask": asked.ask,
        "answer": asked.answer,
        "choices": [list(each) for each in shown_choices(asked, SEED)],
        "given": [list(each) for each in asked.given.items()],
        "points": asked.points,
        "labels": list(asked.labels),
        "unit": asked.unit,
        "before": asked.before,
    }

"""Courses and lessons from their folders. A broken lesson never takes its course down.

`load_course` gives all that load, and the problems of those that do not; `load_lesson` raises. Loading checks
everything that could break a page or an attempt; advice and course-wide rules are the linter's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lessons.cel_checking import Expression, check_expressions
from lessons.claims_loading import read_claims
from lessons.course_loading import check_format, is_slug, read_budget, read_frame
from lessons.exercise_loading import Draft, LoadedExercise, read_exercise
from lessons.hashing import content_hash, rubric_hash
from lessons.manifests_loading import read_manifests, substitute
from lessons.models import Act, Budget, Claim, Coming, Course, Lesson, Part, Step, Way
from lessons.not_yet import check_exercise_runs, check_page_runs
from lessons.page_loading import (
    Page,
    TextChecker,
    check_step_ids,
    page_files,
    parse_page,
    read_page,
    split_front_matter,
    steps_of,
)
from lessons.params_known import check_params
from lessons.problems import LessonInvalid, Problem, with_suggestion
from lessons.reading import Section
from lessons.references import TextReferences, check_exercise, ids_of
from lessons.solution_loading import WaysReader
from lessons.text_files import read_text
from lessons.yaml_source import YamlSource, read_yaml
from sandbox.record.cel import Predicate
from sandbox.record.exercise import Exercise

__all__ = [
    "Act",
    "Budget",
    "Claim",
    "Coming",
    "Course",
    "Lesson",
    "LessonInvalid",
    "Part",
    "Problem",
    "Step",
    "Way",
]

MAIN = "main"  # the id of the only exercise of a lesson
CAPABILITIES = (
    "nodes.read", "multi-node", "privileged-view", "metrics", "nodes.write", "cluster-scoped",
    "control-plane", "images.build", "vm",
)  # fmt: skip


def load_course(path: Path) -> Course:
    """The course in a folder. Raises LessonInvalid when course.yaml itself (or apps, glossary) is wrong."""
    frame = read_frame(path)
    lessons: list[Lesson] = []
    broken: dict[str, list[Problem]] = {}
    for slug in (slug for part in frame.parts for slug in part.lessons):
        try:
            lessons.append(load_lesson(path / slug, frame))
        except LessonInvalid as invalid:
            broken[slug] = invalid.problems
    return dataclasses.replace(frame, lessons=tuple(lessons), broken=broken)


def load_lesson(path: Path, course: Course | None = None) -> Lesson:
    """The lesson in a folder; its course is the folder above unless given. Raises LessonInvalid."""
    draft = read_lesson(path, course if course is not None else read_frame(path.parent))
    errors = [problem for problem in draft.problems if problem.is_error]
    if errors or draft.lesson is None:
        raise LessonInvalid(errors or draft.problems)
    return draft.lesson


@dataclass
class LessonDraft:
    """All that could be read of a lesson, and all problems: what the linter works on."""

    folder: Path
    course: Course
    problems: list[Problem] = field(default_factory=list)
    lesson: Lesson | None = None
    front: Section | None = None
    pages: list[Page] = field(default_factory=list)
    loaded: dict[str, LoadedExercise] = field(default_factory=dict)
    starts: dict[str, list[YamlSource]] = field(default_factory=dict)
    predicates: list[tuple[Expression, Predicate]] = field(default_factory=list)

    @property
    def slug(self) -> str:
        return self.folder.name


def read_lesson(folder: Path, course: Course) -> LessonDraft:
    """Never raises LessonInvalid: all is in `problems`; `lesson` is None if it cannot be shown."""
    draft = LessonDraft(folder, course)
    try:
        _read(draft)
    except LessonInvalid as invalid:
        draft.problems.extend(invalid.problems)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        draft.problems.append(Problem(f"{draft.slug}/lesson.md", 1, 1, "L001", message))
    return draft


def _read(draft: LessonDraft) -> None:
    folder, course, problems = draft.folder, draft.course, draft.problems
    if not is_slug(draft.slug):
        message = f'slug "{draft.slug}": use lower-case letters, digits and dashes'
        problems.append(Problem(f"{draft.slug}/lesson.md", 1, 1, "L002", message))
    if not (folder / "lesson.md").is_file():
        raise LessonInvalid([Problem(f"{draft.slug}/lesson.md", 1, 1, "L001", "folder has no lesson.md")])
    front = read_front(_front_matter(draft), course)
    facts = front.facts
    draft.pages = [parse_page(read_page(path, _shown(draft, path)), problems) for path in page_files(folder)]
    check_step_ids(draft.pages, problems)
    exercises = _exercises(draft, facts)
    ways = {
        exercise_id: WaysReader(where, f"{draft.slug}{sub}", exercises[exercise_id], problems).read()
        for exercise_id, where, sub in _exercise_folders(draft)
        if exercise_id in exercises
    }
    steps = tuple(step for page in draft.pages for step in steps_of(page, course.gate, problems))
    if not steps:
        problems.append(
            Problem(f"{draft.slug}/lesson.md", 1, 1, "L004", "no step: a lesson has at least one ## heading")
        )
    is_whole = len(exercises) == len(_exercise_folders(draft))  # else every id is unknown, and that is noise
    if is_whole:
        _check_text(draft, exercises, steps)
    draft.lesson = Lesson(
        slug=draft.slug,
        title=facts.title,
        minutes=facts.minutes,
        outcomes=front.outcomes,
        capabilities=facts.capabilities,
        budget=facts.budget,
        apps=front.apps,
        concepts=front.concepts,
        scene=front.scene,
        steps=steps,
        exercises=exercises,
        ways=ways,
        claims=read_claims(draft.pages, exercises, problems) if is_whole else (),
        pages=tuple(page.text for page in draft.pages),
        glossary=course.glossary,
        content_hash=content_hash(folder),
        rubric_hash=rubric_hash(folder),
        path=folder,
    )


def _shown(draft: LessonDraft, path: Path) -> str:
    return f"{draft.slug}/{path.relative_to(draft.folder).as_posix()}"


def _front_matter(draft: LessonDraft) -> Section:
    file = f"{draft.slug}/lesson.md"
    text, _, _ = split_front_matter(read_text(draft.folder / "lesson.md", file))
    if text is None:
        message = "front matter is missing: the file begins with ---, then title, minutes and outcomes"
        raise LessonInvalid([Problem(file, 1, 1, "L004", message)])
    draft.front = Section(read_yaml(text, file, first_line=2), (), draft.problems)
    return draft.front


@dataclass(frozen=True)
class Front:
    """The front matter of lesson.md. `facts` are those that an exercise needs as well."""

    facts: Draft
    outcomes: tuple[str, ...]
    apps: tuple[str, ...]
    concepts: tuple[str, ...]
    scene: str


def read_front(section: Section, course: Course) -> Front:
    """Problems are noted in the section."""
    front = Front(
        facts=_facts(section, course),
        outcomes=section.texts("outcomes"),
        apps=section.texts("apps"),
        concepts=section.texts("concepts"),
        scene=section.text("scene", "cluster"),
    )
    section.finish()
    return front


def _facts(front: Section, course: Course) -> Draft:
    check_format(front)
    capabilities = front.texts("capabilities")
    for capability in capabilities:
        if capability not in CAPABILITIES:
            message = with_suggestion(f'capability "{capability}" is not known', capability, CAPABILITIES)
            front.note("L020", message, key="capabilities")
    for app in front.texts("apps"):
        if app not in course.apps:
            front.note(
                "L020", with_suggestion(f'app "{app}" is not in apps.yaml', app, course.apps), key="apps"
            )
    minutes = front.whole("minutes", 15)
    front.require("minutes")
    front.require("outcomes")
    return Draft(
        course=course,
        title=front.required_text("title"),
        minutes=minutes,
        budget=read_budget(front.section("budget"), Budget()),
        capabilities=capabilities,
    )


def _exercise_folders(draft: LessonDraft) -> list[tuple[str, Path, str]]:
    """(id, folder, folder as shown after the slug) of every exercise."""
    found = [(MAIN, draft.folder, "")] if (draft.folder / "exercise.yaml").is_file() else []
    more = sorted((draft.folder / "exercises").glob("*/exercise.yaml"))
    return found + [(path.parent.name, path.parent, f"/exercises/{path.parent.name}") for path in more]


def student_files(exercise: Exercise, params: Mapping[str, Any]) -> dict[str, str]:
    """What the student starts from: file name -> text with the student's values put in."""
    return {name: substitute(text, params) for name, text in exercise.files.items()}


def _exercises(draft: LessonDraft, facts: Draft) -> dict[str, Exercise]:
    exercises: dict[str, Exercise] = {}
    for exercise_id, folder, sub in _exercise_folders(draft):
        shown = f"{draft.slug}{sub}/exercise.yaml"
        try:
            source = read_yaml(read_text(folder / "exercise.yaml", shown), shown)
        except LessonInvalid as invalid:
            draft.problems.extend(invalid.problems)
            continue
        draft.starts[exercise_id] = _start(draft, folder)
        facts.objects = tuple(each.value for each in draft.starts[exercise_id])
        facts.files = _student_files(draft, folder)
        loaded = read_exercise(source, exercise_id, facts, draft.problems)
        for manifest in draft.starts[exercise_id]:
            check_params(manifest, loaded.exercise.variants, draft.problems)
        check_exercise(loaded)
        check_exercise_runs(loaded)
        draft.predicates += check_expressions(loaded)
        draft.loaded[exercise_id] = loaded
        exercises[exercise_id] = loaded.exercise
    return exercises


def _start(draft: LessonDraft, folder: Path) -> list[YamlSource]:
    single = folder / "start.yaml"
    paths = [single] if single.is_file() else sorted((folder / "start").glob("*.yaml"))
    return [each for path in paths for each in read_manifests(path, _shown(draft, path), draft.problems)]


def _student_files(draft: LessonDraft, folder: Path) -> dict[str, str]:
    paths = sorted(path for path in (folder / "files").glob("*") if path.is_file())
    return {path.name: read_text(path, _shown(draft, path)) for path in paths}


def _check_text(draft: LessonDraft, exercises: dict[str, Exercise], steps: tuple[Step, ...]) -> None:
    ids = ids_of(exercises.values())
    params = frozenset(name for exercise in exercises.values() for name in exercise.variants)
    files = {name: text for exercise in exercises.values() for name, text in exercise.files.items()}
    scenes = [path.stem for path in (draft.folder / "scenes").glob("*.yaml")]
    for page in draft.pages:
        TextChecker(page, draft.folder, draft.course.glossary, params, draft.problems).check()
        check_page_runs(page, ids.marks, draft.problems)
        own = [step for step in steps if step.file == page.text.file]
        TextReferences(page, ids, exercises, files, scenes, draft.problems).check(own)

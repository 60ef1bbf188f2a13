"""exercise.yaml as an `Exercise`. Format, sections 4.1 to 4.11."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from lessons.asked_loading import read_asked
from lessons.checks_loading import read_check, read_id
from lessons.course_loading import FEEDBACK, GATES, check_format
from lessons.durations import parse_anchor
from lessons.models import Budget, Course, Objects
from lessons.params_known import check_params
from lessons.problems import Problem
from lessons.reading import Section, is_id, shown
from lessons.traffic_loading import check_evidence, read_load, read_probe
from lessons.variants import GENERATORS, generator_error
from lessons.yaml_source import YamlSource
from sandbox.record.exercise import Check, Exercise, Fault, Hint, Mark
from sandbox.record.fault_kinds import KINDS, complaints

FAULT_PARAMETERS = (
    "how", "ms", "container", "from", "to", "port", "symptom", "name", "object", "path", "value",
    "repository", "tag", "digest", "repeat",
)  # fmt: skip
FAULT_BY = ("student", "submit", "timeline")
NOT_YET = {
    "start": "leave it out: start.yaml or the folder start/ is found by its name",
    "solution": "leave it out: solution.yaml, solution/ and solution.steps are found by their names",
    "attempts": "leave it out: attempts are not limited",
    "allow": "leave it out: the sandbox's own rights hold",
    "reset": "leave it out: reset is in place",
    "variants-per": "leave it out: values stay the same for a student",
}
MOST_TASK_WORDS = 60


@dataclass
class Draft:
    """What is known of a lesson while its exercise is read."""

    course: Course
    title: str
    minutes: int
    budget: Budget
    capabilities: tuple[str, ...]
    objects: Objects = ()
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass
class LoadedExercise:
    """The exercise and its source, for problems found later; `places` maps an id to its section."""

    exercise: Exercise
    source: YamlSource
    places: dict[str, Section]
    root: Section


def read_exercise(
    source: YamlSource, exercise_id: str, draft: Draft, problems: list[Problem]
) -> LoadedExercise:
    """Problems are appended; the exercise is usable as far as it could be read."""
    root = Section(source, (), problems)
    check_format(root)
    ids = _Ids()
    _read_ignored(root)
    exercise = Exercise(
        id=exercise_id,
        title=root.text("title", draft.title),
        task=root.required_text("task"),
        time=root.seconds("time", draft.minutes * 2 * 60.0),
        ready=root.optional_text("ready"),
        gate=cast("Any", root.choice("gate", GATES, draft.course.gate)),
        feedback=cast("Any", root.choice("feedback", FEEDBACK, draft.course.feedback)),
        variants=_variants(root, ids),
        probes=tuple(read_probe(name, each) for name, each in ids.named(root, "probes")),
        loads=tuple(read_load(name, each) for name, each in ids.named(root, "loads")),
        marks=tuple(_mark(name, each) for name, each in ids.named(root, "marks")),
        faults=tuple(_fault(each) for each in ids.listed(root, "faults", "fault")),
        predictions=tuple(
            read_asked(each, before=True) for each in ids.listed(root, "predictions", "prediction")
        ),
        questions=tuple(read_asked(each, before=False) for each in ids.listed(root, "questions", "question")),
        checks=_checks(root, ids),
        hints=tuple(_hint(each) for each in ids.listed(root, "hints", "hint")),
        pods=draft.budget.pods,
        memory=draft.budget.memory,
        cpu=draft.budget.cpu,
        capabilities=draft.capabilities,
        objects=draft.objects,
        files=dict(draft.files),
    )
    root.finish()
    check_params(source, exercise.variants, problems, leave_out=("hints",))  # hints are compiled as CEL
    _check_task(root, exercise)
    check_evidence(exercise.checks, exercise.probes, ids.places)
    return LoadedExercise(exercise, source, ids.places, root)


class _Ids:
    """Unique over all sections of an exercise (L007), well formed (L002)."""

    def __init__(self) -> None:
        self.places: dict[str, Section] = {}
        self._kinds: dict[str, str] = {}

    def listed(self, root: Section, key: str, kind: str) -> list[Section]:
        sections = root.sections(key)
        for section in sections:
            self.claim(section, str(section.values.get("id", "")), kind, "id")
        return sections

    def named(self, root: Section, key: str) -> list[tuple[str, Section]]:
        pairs = root.named_sections(key)
        for name, section in pairs:
            self._check_form(section, name)
            self.claim(section, name, key.removesuffix("s"), None)
        return pairs

    def claim(self, section: Section, name: str, kind: str, key: str | None) -> None:
        if name in self.places:
            line = self.places[name].mark("id" if "id" in self.places[name].values else None).line
            section.note("L007", f'"{name}" is already a {self._kinds[name]} (line {line})', key=key)
        elif name:
            self.places[name], self._kinds[name] = section, kind

    @staticmethod
    def _check_form(section: Section, name: str) -> None:
        if not is_id(name):
            section.note("L002", f'id "{name}": use lower-case letters, digits and dashes')


def _read_ignored(root: Section) -> None:
    """Keys of the format that say something to others (`proof`), or that this version cannot honour."""
    root.raw("proof")
    for key in NOT_YET:
        if root.has(key):
            root.note("L005", f'"{key}" needs a newer Glasshull', key=key, at_key=True, help_=NOT_YET[key])


def _variants(root: Section, ids: _Ids) -> dict[str, dict[str, Any]]:
    variants: dict[str, dict[str, Any]] = {}
    for name, section in ids.named(root, "variants"):
        generator = {kind: section.raw(kind) for kind in GENERATORS if section.raw(kind) is not None}
        trouble = generator_error(generator)
        if trouble:
            section.note("L004", f"{name}: {trouble}")
        else:
            variants[name] = generator
        section.finish()
    return variants


def _mark(name: str, section: Section) -> Mark:
    mark = Mark(
        id=name,
        each=section.required_text("each"),
        when=section.required_text("when"),
        until=section.optional_text("until"),
    )
    section.finish()
    return mark


def _fault(section: Section) -> Fault:
    kind = section.choice("kind", tuple(KINDS), "kill-pod") if section.require("kind") else "kill-pod"
    by = section.text("by", "student")
    if by not in FAULT_BY and not by.startswith(("prediction:", "check:")):
        section.note(
            "L004", f"by: {shown(by)} is not student, submit, timeline, prediction:ID or check:ID", key="by"
        )
    fault = Fault(
        id=read_id(section),
        kind=kind,
        target=section.text("target"),
        by=by,
        pick=_pick(section),
        grace=section.seconds("grace", 0.0) if section.has("grace") else None,
        at=_at(section),
        lasting=section.seconds("for", 0.0) if section.has("for") else None,
        settle=section.seconds("settle", 0.0),
        needs=section.texts("needs"),
        parameters={key: section.raw(key) for key in FAULT_PARAMETERS if section.raw(key) is not None},
    )
    if not fault.target and KINDS[kind].has_target:
        section.note("L004", f'fault "{fault.id}": target is missing', help_="for example pod:app=storefront")
    for key, text in complaints(fault):
        if key not in ("kind", "target"):  # said above, or by those who know what runs
            section.note("L004", f"{key}: {text}", key=key if section.has(key) else None)
    section.finish()
    return fault


def _pick(section: Section) -> str | int:
    value = section.raw("pick")
    if value is None or value in ("one", "all"):
        return value or "one"
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    section.note("L004", f"pick: expected one, all or a number, found {shown(value)}", key="pick")
    return "one"


def _at(section: Section) -> str | None:
    text = section.optional_text("at")
    if text is None:
        return None
    full = f"start{text}" if text.startswith("+") else text
    try:
        parse_anchor(full)
    except ValueError as error:
        section.note("L004", f"at: {error}", key="at")
        return None
    return full


def _checks(root: Section, ids: _Ids) -> tuple[Check, ...]:
    if not root.require("checks"):
        return ()
    checks = tuple(read_check(each) for each in ids.listed(root, "checks", "check"))
    if not checks:
        root.note("L004", "checks: at least one is needed", key="checks")
    return checks


def _hint(section: Section) -> Hint:
    hint = Hint(
        id=read_id(section),
        when=section.optional_text("when"),
        say=section.text("say").strip(),
        ladder=section.texts("ladder"),
    )
    if not (hint.say or hint.ladder):
        section.note("L004", f'hint "{hint.id}": say: is missing')
    section.finish()
    return hint


def _check_task(root: Section, exercise: Exercise) -> None:
    words = len(exercise.task.split())
    if words > MOST_TASK_WORDS:
        root.note("L004", f"task: {words} words; at most {MOST_TASK_WORDS}, and only the outcome", key="task")

"""exercise.yaml as an `Exercise`. Format, sections 4.1 to 4.11."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from lessons.checks_loading import read_check, read_id
from lessons.course_loading import FEEDBACK, GATES, check_format
from lessons.durations import parse_anchor, parse_rate
from lessons.models import Budget, Course, Objects
from lessons.problems import Problem
from lessons.reading import Section, is_id, shown
from lessons.variants import GENERATORS, generator_error
from lessons.yaml_source import YamlSource
from sandbox.record.exercise import Check, Exercise, Fault, Hint, Load, Mark, Prediction, Probe

ANSWERS = ("choice", "number", "duration", "object", "node", "order", "curve", "set", "match")
FAULT_KINDS = (
    "kill-pod", "kill-container", "fail-readiness", "slow-app", "cut-traffic", "cordon-node", "drain-node",
    "stop-node", "kill-component", "break-dns", "corrupt-config", "move-tag",
)  # fmt: skip
FAULT_PARAMETERS = (
    "how", "ms", "container", "from", "to", "port", "symptom", "name", "object", "path", "value",
    "repository", "tag", "digest", "repeat",
)  # fmt: skip
TARGETLESS_FAULTS = frozenset({"cut-traffic", "kill-component", "break-dns", "corrupt-config", "move-tag"})
FAULT_BY = ("student", "submit", "timeline")
LONGEST_FAULT = 120.0  # seconds, format 4.7
_PROBE_TARGETS = {  # a Service of the sandbox, never a name elsewhere
    "http": (re.compile(r"[a-z0-9][a-z0-9-]*:[0-9]{1,5}(?:/[^\s]*)?"), "service:port/path"),
    "tcp": (re.compile(r"[a-z0-9][a-z0-9-]*:[0-9]{1,5}"), "service:port"),
}
PROBE_KINDS = ("http", "tcp", "dns", "exec", "leader")
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
        probes=tuple(_probe(name, each) for name, each in ids.named(root, "probes")),
        loads=tuple(_load(name, each) for name, each in ids.named(root, "loads")),
        marks=tuple(_mark(name, each) for name, each in ids.named(root, "marks")),
        faults=tuple(_fault(each) for each in ids.listed(root, "faults", "fault")),
        predictions=tuple(
            _prediction(each, before=True) for each in ids.listed(root, "predictions", "prediction")
        ),
        questions=tuple(
            _prediction(each, before=False) for each in ids.listed(root, "questions", "question")
        ),
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
    _check_task(root, exercise)
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


def _probe(name: str, section: Section) -> Probe:
    kinds = [kind for kind in PROBE_KINDS if section.has(kind)]
    if len(kinds) != 1:
        section.note("L004", f'probe "{name}": exactly one of {", ".join(PROBE_KINDS)} is needed')
    kind = kinds[0] if kinds else "http"
    argv = section.texts("exec") if kind == "exec" else ()
    headers = section.section("headers")
    probe = Probe(
        id=name,
        kind=cast("Any", kind),
        target=" ".join(argv) if kind == "exec" else section.text(kind),
        every=section.seconds("every", 1.0),
        timeout=section.seconds("timeout", 1.0),
        ok=section.text("ok", "object.status == 200"),
        method=section.text("method", "GET"),
        body=section.text("body"),
        headers={key: headers.text(key) for key in headers.values} if headers else {},
        origin=cast("Any", section.choice("from", ("platform", "toolbox"), "platform")),
        argv=argv,
    )
    form = _PROBE_TARGETS.get(kind)
    if form and probe.target and not form[0].fullmatch(probe.target):
        section.note("L021", f'probe target "{probe.target}": write {form[1]}', key=kind)
    if probe.every < 0.1:  # ten a second is what one prober sends for a class
        section.note(
            "L004", f"every: {probe.every * 1000:.0f}ms is too often; 100ms is the least", key="every"
        )
    section.finish()
    return probe


def _load(name: str, section: Section) -> Load:
    load = Load(
        id=name,
        target=section.text("http"),
        rate=section.parsed("rate", parse_rate, 1.0),
        lasting=section.seconds("for", 60.0),
        script=section.text("script"),
        shape=section.text("shape", "steady"),
        by=section.choice("by", FAULT_BY, "student"),
    )
    if not (load.target or load.script):
        section.note("L004", f'load "{name}": http: or script: is needed')
    section.finish()
    return load


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
    kind = section.choice("kind", FAULT_KINDS, "kill-pod") if section.require("kind") else "kill-pod"
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
    if not fault.target and kind not in TARGETLESS_FAULTS:
        section.note("L004", f'fault "{fault.id}": target is missing', help_="for example pod:app=storefront")
    if fault.lasting is not None and fault.lasting > LONGEST_FAULT:
        section.note("L004", f"for: a fault lasts at most {LONGEST_FAULT:.0f}s", key="for")
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


def _prediction(section: Section, *, before: bool) -> Prediction:
    choices = section.section("choices")
    why = section.section("why")
    misconceptions = section.section("misconceptions")
    prediction = Prediction(
        id=read_id(section),
        ask=section.required_text("ask"),
        answer=section.choice("answer", ANSWERS, "choice"),
        observed=section.required_text("observed"),
        choices={key: choices.text(key) for key in choices.values} if choices else {},
        before=section.optional_text("before") if before else None,
        settle=section.seconds("settle", 0.0),
        misconceptions={key: misconceptions.text(key) for key in misconceptions.values}
        if misconceptions
        else {},
        why={key: why.text(key) for key in why.values} if why else {},
        tolerance=section.optional_text("tolerance"),
    )
    if prediction.answer == "choice" and len(prediction.choices) < 2:
        section.note("L004", f'"{prediction.id}": answer: choice needs at least two choices')
    section.finish()
    return prediction


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

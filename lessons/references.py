"""Do the ids, targets and moments named in a lesson exist? L020, L021; in the exercise and in the text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from lessons.directives import Directive
from lessons.durations import parse_anchor
from lessons.exercise_loading import LoadedExercise
from lessons.models import Step
from lessons.page_loading import Page
from lessons.problems import Problem, did_you_mean, with_suggestion
from lessons.reading import Section
from lessons.targets import target_error
from sandbox.record.cel_names import KINDS as OBJECT_KINDS
from sandbox.record.exercise import Check, Exercise, Prediction
from sandbox.record.fault_kinds import KINDS

FIXED_CHANGES = frozenset({"action", "answer", "fault"})
SCENES = (
    "cluster",
    "duel",
    "xray",
    "layers",
    "machines",
    "pipeline",
    "trace",
    "queue",
    "election",
    "scheduler",
)
_EDGES = {"start": "windows", "end": "windows", "pass": "checks"}


@dataclass(frozen=True)
class Ids:
    """The ids of an exercise by what they are. `windows` have a start and an end."""

    checks: frozenset[str]
    predictions: frozenset[str]
    questions: frozenset[str]
    faults: frozenset[str]
    loads: frozenset[str]
    marks: frozenset[str]
    probes: frozenset[str]

    @property
    def windows(self) -> frozenset[str]:
        return self.faults | self.loads | self.marks

    @property
    def needed(self) -> frozenset[str]:
        """What may be waited for: a check that passes, an answer that is given."""
        return self.checks | self.predictions | self.questions

    @property
    def everything(self) -> frozenset[str]:
        return self.windows | self.checks | self.predictions | self.questions


def ids_of(exercises: Iterable[Exercise]) -> Ids:
    """Of all exercises of a lesson together: the text may speak of any."""
    found = list(exercises)
    return Ids(
        checks=frozenset(check.id for exercise in found for check in exercise.checks),
        predictions=frozenset(each.id for exercise in found for each in exercise.predictions),
        questions=frozenset(each.id for exercise in found for each in exercise.questions),
        faults=frozenset(fault.id for exercise in found for fault in exercise.faults),
        loads=frozenset(load.id for exercise in found for load in exercise.loads),
        marks=frozenset(mark.id for exercise in found for mark in exercise.marks),
        probes=frozenset(probe.id for exercise in found for probe in exercise.probes),
    )


def anchor_error(text: str, ids: Ids) -> str:
    """Why a moment is unknown, or an empty string. Format 4.4: `start`, `submit`, `fault.start|end`, `mark`,
    `prediction`, `check.pass`."""
    try:
        anchor = parse_anchor(text)
    except ValueError as error:
        return str(error)
    if not anchor.edge:
        known: Collection[str] = ("start", "submit", *ids.marks, *ids.predictions)
    else:
        known = getattr(ids, _EDGES[anchor.edge])
    if anchor.id in known:
        return ""
    near = did_you_mean(anchor.id, known)
    if near and anchor.edge:
        near = near.replace('"?', f'.{anchor.edge}"?')
    return f'"{text}" is not a moment of this exercise' + (f"; {near}" if near else "")


# --- the exercise file ---------------------------------------------------------------------------------
def check_exercise(loaded: LoadedExercise) -> None:
    """Notes problems in the exercise's sections."""
    exercise = loaded.exercise
    ids = ids_of([exercise])
    for check in exercise.checks:
        if check.id in loaded.places:
            check_references(check, loaded.places[check.id], ids)
    for fault in exercise.faults:
        if fault.id in loaded.places:
            _check_fault(loaded.places[fault.id], ids)
    for asked in (*exercise.predictions, *exercise.questions):
        if asked.id in loaded.places:
            _check_asked(asked, loaded.places[asked.id], ids)
    for mark in exercise.marks:
        _check_each(loaded.places[mark.id], "each", mark.each, ids)


def check_references(check: Check, section: Section, ids: Ids) -> None:
    """Of one check or claim."""
    for need in check.needs:
        _known(section, "needs", need, ids.needed)
        if need == check.id:
            section.note("L020", f'needs: "{need}" waits for itself', key="needs")
    if check.during:
        _known(section, "during", check.during, ids.windows)
    for key, text in (("from", check.start), ("until", check.until), ("after", check.after)):
        trouble = anchor_error(text, ids) if text else ""
        if trouble:
            section.note("L020", f"{key}: {trouble}", key=key)
    if check.each:
        _check_each(section, "each", check.each, ids)
    for moment in (check.first, check.then):
        if moment and moment.each:
            _check_each(section, "before", moment.each, ids)
    if check.operator == "predicted":
        _known(section, "predicted", check.predicate, ids.predictions)
    if check.operator == "answered":
        _known(section, "answered", check.predicate, ids.questions)


def _check_asked(asked: Prediction, section: Section, ids: Ids) -> None:
    if asked.before:
        _known(section, "before", asked.before, ids.windows)
    trouble = anchor_error(asked.after, ids) if asked.after else ""
    if trouble:
        section.note("L020", f"after: {trouble}", key="observed")
    if asked.choices:
        known = {*asked.choices, *(f"{given}/{key}" for given in asked.given for key in asked.choices)}
        for name in ("misconceptions", "why"):
            for key in getattr(asked, name):
                _known(section, name, key, known)


def _check_each(section: Section, key: str, each: str, ids: Ids) -> None:
    kind, slash, name = each.partition("/")
    if slash and kind in ("probe", "load"):
        _known(section, key, name, ids.probes if kind == "probe" else ids.loads)
    elif each not in OBJECT_KINDS and each not in FIXED_CHANGES:
        known = [*OBJECT_KINDS, *FIXED_CHANGES, *(f"probe/{probe}" for probe in ids.probes)]
        section.note("L020", with_suggestion(f'{key}: "{each}" is no kind of change', each, known), key=key)


def _check_fault(section: Section, ids: Ids) -> None:
    for need in section.texts("needs"):
        _known(section, "needs", need, ids.needed)
    by, colon, name = section.text("by", "student").partition(":")
    if colon:
        _known(section, "by", name, ids.predictions if by == "prediction" else ids.checks)
    target = section.text("target")
    trouble = target_error(target) if target else ""
    kind = KINDS.get(section.text("kind"))
    if trouble and (kind is None or kind.has_target):
        section.note("L021", trouble, key="target")
    at = section.text("at")
    if at and not at.startswith("+") and (trouble := anchor_error(at, ids)):
        section.note("L020", f"at: {trouble}", key="at")


def _known(section: Section, key: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        section.note("L020", with_suggestion(f'{key}: "{name}" is not an id', name, known), key=key)


# --- the text ------------------------------------------------------------------------------------------
@dataclass
class TextReferences:
    """Blocks and step settings of one page against the lesson's exercises and files."""

    page: Page
    ids: Ids
    exercises: Mapping[str, Exercise]
    files: Mapping[str, str]
    scene_files: Collection[str]
    problems: list[Problem]

    def check(self, steps: Iterable[Step]) -> None:
        for directive in self.page.directives:
            checker = _CHECKERS.get(directive.name)
            if checker:
                for option, code, message in checker(self, directive):
                    self._note(directive, option, code, message)
        for step in steps:
            self._check_needs(step)

    def _check_needs(self, step: Step) -> None:
        draft = next(draft for draft in self.page.steps if draft.id == step.id)
        for need in step.needs:
            known = self.ids.needed
            if draft.settings and need not in known:
                self._note(
                    draft.settings,
                    "needs",
                    "L020",
                    with_suggestion(f'needs: "{need}" is not an id', need, known),
                )

    def _note(self, directive: Directive, option: str, code: str, message: str) -> None:
        place = directive.places.get(option, directive.place)
        self.problems.append(Problem(self.page.text.file, place.line, place.column, code, message))


Trouble = Iterator[tuple[str, str, str]]


def _is_known(what: str, known: Collection[str], name: str) -> Trouble:
    if name not in known:
        yield "", "L020", with_suggestion(f'{what} "{name}" is not known', name, known)


def _targets(directive: Directive, option: str) -> Trouble:
    if option not in directive.options:
        return
    for target in _split_targets(directive.option(option)):
        if trouble := target_error(target):
            yield option, "L021", trouble


def _split_targets(text: str) -> list[str]:
    """Targets are separated by blanks; those of a list in a selector belong together."""
    joined = text.replace(", ", ",").replace(" in (", "\0in\0(").replace(" notin (", "\0notin\0(")
    return [part.replace("\0", " ") for part in joined.split()]


def _scene(self: TextReferences, directive: Directive) -> Trouble:
    yield from _is_known("scene", (*SCENES, *self.scene_files), directive.argument)
    yield from _targets(directive, "focus")
    yield from _targets(directive, "highlight")
    for note in directive.options.get("annotate", []):
        target, colon, sentence = note.partition(": ")
        if not colon or not sentence.strip():
            yield "annotate", "L013", 'annotate: write "target: sentence"'
        elif trouble := target_error(target.strip()):
            yield "annotate", "L021", trouble
    for fault in directive.words("allow"):
        if fault not in self.ids.faults:
            yield "allow", "L020", with_suggestion(f'allow: "{fault}" is not a fault', fault, self.ids.faults)


def _checks(self: TextReferences, directive: Directive) -> Trouble:
    for name in directive.argument.replace(",", " ").split():
        if name != "all":
            yield from _is_known("check", self.ids.checks, name)


def _compare(self: TextReferences, directive: Directive) -> Trouble:
    start, dots, end = (part.strip() for part in directive.argument.partition(".."))
    if not (dots and start and end):
        yield "", "L013", "compare needs two moments: kill.start .. kill.start+20s"
        return
    for anchor in (start, end):
        if trouble := anchor_error(anchor, self.ids):
            yield "", "L020", trouble
    yield from _targets(directive, "of")


def _one_of(
    what: str, known: Callable[[TextReferences], Collection[str]]
) -> Callable[[TextReferences, Directive], Trouble]:
    def check(self: TextReferences, directive: Directive) -> Trouble:
        if directive.argument:
            yield from _is_known(what, known(self), directive.argument)

    return check


_CHECKERS: dict[str, Callable[[TextReferences, Directive], Trouble]] = {
    "scene": _scene,
    "checks": _checks,
    "compare": _compare,
    "predict": _one_of("prediction", lambda self: self.ids.predictions),
    "question": _one_of("question", lambda self: self.ids.questions),
    "fault": _one_of("fault", lambda self: self.ids.faults),
    "exercise": _one_of("exercise", lambda self: self.exercises),
    "edit": _one_of("file", lambda self: self.files),
    "file": _one_of("file", lambda self: self.files),
}

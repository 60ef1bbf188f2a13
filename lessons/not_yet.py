"""Parts of the format that this version reads and cannot run: said to the author (L005), not met by a student.

The sets name what does run; a test holds them against the code that runs it.
"""

from __future__ import annotations

from collections.abc import Iterator

from lessons.directives import Directive
from lessons.exercise_loading import LoadedExercise
from lessons.page_loading import Page
from lessons.problems import Problem
from lessons.reading import Section
from sandbox.record.exercise import Fault

FAULTS = frozenset({"kill-pod"})
FAULT_BY = frozenset({"student", "submit"})
PROBES = frozenset({"http", "tcp", "dns"})
ANSWERS = frozenset({"choice"})
BLOCKS = frozenset({"question", "chart", "reflect"})
SCENES = frozenset({"cluster"})


def check_exercise_runs(loaded: LoadedExercise) -> None:
    """Notes problems in the exercise's sections."""
    for section, key, what in _of_exercise(loaded):
        section.note("L005", f"{what} needs a newer Glasshull", key=key)


def _of_exercise(loaded: LoadedExercise) -> Iterator[tuple[Section, str | None, str]]:
    exercise, places = loaded.exercise, loaded.places
    for fault in exercise.faults:
        if fault.id in places:
            yield from _of_fault(fault, places[fault.id])
    for probe in exercise.probes:
        if probe.kind not in PROBES:
            yield places[probe.id], probe.kind, f"a {probe.kind} probe"
        if probe.origin != "platform":
            yield places[probe.id], "from", f"from: {probe.origin}"
    for prediction in exercise.predictions:
        if prediction.answer not in ANSWERS and prediction.id in places:
            yield places[prediction.id], "answer", f"answer: {prediction.answer}"
    for key in ("loads", "questions"):
        if getattr(exercise, key):
            yield loaded.root, key, key


def _of_fault(fault: Fault, section: Section) -> Iterator[tuple[Section, str | None, str]]:
    if fault.kind not in FAULTS:
        yield section, "kind", f"kind: {fault.kind}"
    if fault.by not in FAULT_BY:
        yield section, "by", f"by: {fault.by}"
    if "repeat" in fault.parameters:
        yield section, "repeat", "repeat"


def check_page_runs(page: Page, problems: list[Problem]) -> None:
    """Blocks without an island, other scenes than the cluster, terminals that do not exist."""
    for directive in page.directives:
        what = _of_block(directive)
        if what:
            place = directive.place
            text = f"{what} needs a newer Glasshull"
            problems.append(Problem(page.text.file, place.line, place.column, "L005", text))


def _of_block(directive: Directive) -> str:
    if directive.name in BLOCKS:
        return f"the block {directive.name}"
    if directive.name == "scene" and directive.argument and directive.argument not in SCENES:
        return f"scene {directive.argument}"
    if directive.name == "run" and directive.option("in", "toolbox") != "toolbox":
        return f"run in {directive.option('in')}"
    return ""

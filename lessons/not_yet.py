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
from sandbox.record.checks.anchors import read_anchor
from sandbox.record.exercise import Fault
from sandbox.record.fault_kinds import KINDS

FAULTS = frozenset(name for name, kind in KINDS.items() if kind.refused is None)
PROBES = frozenset({"http", "tcp", "dns", "exec"})
BLOCKS = frozenset({"chart", "reflect"})
SCENES = frozenset({"cluster", "duel"})
UNSEEN = frozenset(
    {
        "ComponentView",
        "ContainerView",
        "ImageView",
        "MachineRace",
        "MachineView",
        "QueueView",
        "ReleaseView",
        "SchedulerView",
        "TraceView",
    }
)


def check_expression_runs(section: Section, key: str, kinds: frozenset[str]) -> None:
    """Notes kinds that nothing writes into a record yet: what waits for one would wait for ever."""
    for kind in sorted(kinds & UNSEEN):
        section.note("L005", f"{kind} needs a newer Glasshull", key=key)


def check_exercise_runs(loaded: LoadedExercise) -> None:
    """Notes problems in the exercise's sections."""
    for section, key, what in _of_exercise(loaded):
        section.note("L005", f"{what} needs a newer Glasshull", key=key)


def _of_exercise(loaded: LoadedExercise) -> Iterator[tuple[Section, str | None, str]]:
    exercise, places = loaded.exercise, loaded.places
    for fault in exercise.faults:
        if fault.id in places:
            yield from _of_fault(fault, places[fault.id], frozenset(each.id for each in exercise.marks))
    for probe in exercise.probes:
        if probe.kind not in PROBES:
            yield places[probe.id], probe.kind, f"a {probe.kind} probe"


def _of_fault(
    fault: Fault, section: Section, marks: frozenset[str]
) -> Iterator[tuple[Section, str | None, str]]:
    if fault.kind not in FAULTS:
        yield section, "kind", f"kind: {fault.kind}"
    if fault.at is not None and read_anchor(fault.at).source in marks:
        yield section, "at", f"at: {fault.at} (a mark)"


def check_page_runs(page: Page, marks: frozenset[str], problems: list[Problem]) -> None:
    """Blocks without an island, scenes that are not drawn, terminals that do not exist, marks in the picture."""
    for directive in page.directives:
        what = _of_block(directive) or _of_moments(directive, marks)
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


def _of_moments(directive: Directive, marks: frozenset[str]) -> str:
    """Marks are read by the checks; the picture has no moment of theirs, and would wait for it for ever."""
    if directive.name != "compare":
        return ""
    for moment in directive.argument.split(".."):
        source = moment.strip().partition(".")[0].partition("+")[0].strip()
        if source in marks:
            return f"compare of {moment.strip()} (a mark)"
    return ""

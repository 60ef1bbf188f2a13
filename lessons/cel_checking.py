"""Every CEL expression of a lesson, compiled where it stands, with the names that place has.

L020 to L023, L031.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from lessons.cel_codes import code_of
from lessons.exercise_loading import LoadedExercise
from lessons.not_yet import check_expression_runs
from lessons.reading import Section
from sandbox.record.cel import CelError, Names, Predicate, Template, compile_predicate
from sandbox.record.exercise import Check, Exercise, Hint, Prediction


class Expression(NamedTuple):
    """One expression and where it stands. `want`: "bool", "any", or "template" for text with `${…}`."""

    section: Section
    key: str
    text: str
    names: Names
    want: Literal["bool", "any", "template"] = "bool"


def check_expressions(loaded: LoadedExercise) -> list[tuple[Expression, Predicate]]:
    """Compile all expressions; problems are noted in their sections. Returns those that compile."""
    return [pair for each in expressions(loaded) for pair in compile_noting(each)]


def compile_noting(each: Expression) -> list[tuple[Expression, Predicate]]:
    """The predicates of one expression (a template may have several), or a problem in its section."""
    try:
        found = _compiled(each)
    except CelError as error:
        where = f"col {error.column}" if error.line == 1 else f"line {error.line} col {error.column}"
        each.section.note(code_of(error.message), f"{where}: {error.message}", key=each.key)
        return []
    kinds = frozenset({each.names.each or ""}).union(*(predicate.kinds for predicate in found))
    check_expression_runs(each.section, each.key, kinds)
    return [(each, predicate) for predicate in found]


def _compiled(each: Expression) -> list[Predicate]:
    """Raises CelError."""
    if each.want == "template":
        return Template(each.text, names=each.names).predicates
    return [compile_predicate(each.text, names=each.names, want=each.want)]


def expressions(loaded: LoadedExercise) -> Iterator[Expression]:
    """Every expression of the exercise file, with its names."""
    exercise, root = loaded.exercise, loaded.root
    state = state_names(exercise)
    if exercise.ready:
        yield Expression(root, "ready", exercise.ready, state)
    yield from _observations(loaded, state)
    for prediction in (*exercise.predictions, *exercise.questions):
        if prediction.id in loaded.places:
            yield from _observed(prediction, loaded.places[prediction.id], exercise)
    for check in exercise.checks:
        if check.id in loaded.places:
            yield from check_expressions_of(check, loaded.places[check.id], exercise)
    for hint in exercise.hints:
        if hint.id in loaded.places:
            yield from _hint(hint, loaded.places[hint.id], exercise)


def _observations(loaded: LoadedExercise, state: Names) -> Iterator[Expression]:
    exercise = loaded.exercise
    for probe in exercise.probes:
        yield Expression(
            loaded.places[probe.id], "ok", probe.ok, state_names(exercise, each=f"probe/{probe.id}")
        )
    for mark in exercise.marks:
        yield Expression(loaded.places[mark.id], "when", mark.when, state_names(exercise, each=mark.each))
        if mark.until:
            yield Expression(loaded.places[mark.id], "until", mark.until, state)


def _observed(asked: Prediction, section: Section, exercise: Exercise) -> Iterator[Expression]:
    inner = section.section("observed") if asked.first else None
    if inner is not None and asked.first:
        yield Expression(inner, "first", asked.first, state_names(exercise))
    elif asked.observed:
        yield Expression(section, "observed", asked.observed, state_names(exercise, committed=True), "any")


def check_expressions_of(check: Check, section: Section, exercise: Exercise) -> Iterator[Expression]:
    """Those of one check or claim."""
    if check.operator in ("predicted", "answered"):
        return
    clock = check.operator == "now"
    if check.operator != "before":
        yield Expression(
            section, check.operator, check.predicate, state_names(exercise, each=check.each, clock=clock)
        )
    for moment in (check.first, check.then):
        if moment:
            yield Expression(section, "before", moment.when, state_names(exercise, each=moment.each))


def _hint(hint: Hint, section: Section, exercise: Exercise) -> Iterator[Expression]:
    names = state_names(exercise, clock=True, states=True, committed=True)
    if hint.when:
        yield Expression(section, "when", hint.when, names)
    if hint.say:
        yield Expression(section, "say", hint.say, names, "template")
    for text in hint.ladder:
        yield Expression(section, "ladder", text, names, "template")


def state_names(
    exercise: Exercise,
    *,
    each: str | None = None,
    clock: bool = False,
    states: bool = False,
    committed: bool = False,
) -> Names:
    """What an expression of this exercise may speak of; the keywords are those of `Names`."""
    return Names(
        params=frozenset(exercise.variants),
        probes=frozenset(probe.id for probe in exercise.probes),
        predictions=frozenset(each_.id for each_ in exercise.predictions),
        answers=frozenset(each_.id for each_ in exercise.questions),
        checks=frozenset(check.id for check in exercise.checks),
        each=each,
        clock=clock,
        states=states,
        committed=committed,
        pods=exercise.pods,
    )

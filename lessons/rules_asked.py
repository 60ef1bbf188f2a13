"""Linter: can the question be answered, and can the clock start? L004, as far as the text alone shows it."""

from __future__ import annotations

from collections.abc import Iterator

from lessons.exercise_loading import LoadedExercise
from lessons.loading import LessonDraft
from lessons.problems import Problem, with_suggestion
from lessons.reading import Section
from sandbox.record.cel_syntax import Node, read
from sandbox.record.exercise import Prediction


def check_asked(draft: LessonDraft) -> Iterator[Problem]:
    for exercise_id, loaded in draft.loaded.items():
        yield from _starts(draft, exercise_id, loaded)
        for asked in (*loaded.exercise.predictions, *loaded.exercise.questions):
            if asked.observed and asked.id in loaded.places:
                yield from _answerable(asked, loaded.places[asked.id])


def _starts(draft: LessonDraft, exercise_id: str, loaded: LoadedExercise) -> Iterator[Problem]:
    """`ready` speaks of the start state: in an empty namespace nothing that it asks for would ever come."""
    if loaded.exercise.ready and not draft.starts.get(exercise_id):
        message = "ready: nothing is there when the student starts (no start.yaml), so the clock never starts"
        help_ = "leave ready: out, or make start.yaml; what the student is to reach is a check"
        yield _at(loaded.root, "ready", message, help_)


def _answerable(asked: Prediction, section: Section) -> Iterator[Problem]:
    """Every outcome that is written out must be a list, and of choices only those that there are."""
    try:
        outcomes = list(_outcomes(read(asked.observed)))
    except ValueError:
        return  # reported as L022
    for node in outcomes:
        if node.form == "literal":
            message = f"observed: {node.text} is one value, not the list of all right answers"
            yield _at(section, "observed", message, f"write [{node.text}]")
        elif node.form == "list" and asked.answer == "choice":
            for part in node.parts:
                if part.string is not None and part.string not in asked.choices:
                    message = f'observed: "{part.string}" is none of the choices'
                    yield _at(section, "observed", with_suggestion(message, part.string, asked.choices), "")


def _outcomes(node: Node) -> Iterator[Node]:
    """What the expression can give, through brackets and both sides of `? :`."""
    if node.form == "group":
        yield from _outcomes(node.parts[0])
    elif node.form == "choice":
        yield from _outcomes(node.parts[1])
        yield from _outcomes(node.parts[2])
    else:
        yield node


def _at(section: Section, key: str, message: str, help_: str) -> Problem:
    mark = section.mark(key)
    return Problem(section.source.file, mark.line, mark.column, "L004", message, help_)

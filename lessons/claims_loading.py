"""Claims of the text: sentences with a check behind them, tested by the proof run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lessons.cel_checking import check_expressions_of, compile_noting
from lessons.checks_loading import OPERATORS, read_check
from lessons.directives import Directive
from lessons.models import Claim
from lessons.page_loading import Page
from lessons.problems import LessonInvalid, Problem
from lessons.reading import Section, is_id
from lessons.references import check_references, ids_of
from lessons.yaml_source import Mark, YamlSource, read_yaml
from sandbox.record.exercise import Exercise


def read_claims(
    pages: Sequence[Page], exercises: Mapping[str, Exercise], problems: list[Problem]
) -> tuple[Claim, ...]:
    """Claims of all pages, checked like the checks of the first exercise; without one they are L020."""
    claims: list[Claim] = []
    seen: set[str] = set()
    exercise = next(iter(exercises.values()), None)
    for page, directive in _blocks(pages):
        place = directive.place
        if not is_id(directive.argument) or directive.argument in seen:
            code = "L007" if directive.argument in seen else "L002"
            message = f'claim "{directive.argument}": an id of its own is needed'
            problems.append(Problem(page.text.file, place.line, place.column, code, message))
        seen.add(directive.argument)
        if exercise is None:
            message = "a claim is tested in an exercise, and this lesson has none"
            problems.append(Problem(page.text.file, place.line, place.column, "L020", message))
            continue
        claims.append(_claim(page, directive, exercise, problems))
    return tuple(claims)


def _blocks(pages: Sequence[Page]) -> Iterator[tuple[Page, Directive]]:
    for page in pages:
        for directive in page.directives:
            if directive.name == "claim":
                yield page, directive


def _claim(page: Page, directive: Directive, exercise: Exercise, problems: list[Problem]) -> Claim:
    section = Section(_as_yaml(page.text.file, directive, problems), (), problems)
    check = read_check(section, say=directive.body.strip(), identity=directive.argument)
    check_references(check, section, ids_of([exercise]))
    for expression in check_expressions_of(check, section, exercise):
        compile_noting(expression)
    return Claim(check, page.text.file, directive.place.line)


def _as_yaml(file: str, directive: Directive, problems: list[Problem]) -> YamlSource:
    """The options as a map: predicates stay text, other values are read as YAML (numbers, true, maps)."""
    source = YamlSource(file, {}, {(): Mark(*directive.place)})
    for name, values in directive.options.items():
        mark = Mark(*directive.places[name])
        source.key_marks[(name,)] = source.marks[(name,)] = mark
        if name in OPERATORS and name != "before":
            source.value[name] = values[-1]
            continue
        try:
            source.value[name] = read_yaml(values[-1], file, first_line=mark.line).value
        except LessonInvalid as invalid:
            problems.extend(invalid.problems)
    return source

"""An exercise with its CEL compiled and its names resolved. Done once per exercise, when it is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, TypeVar

from sandbox.record.cel import CelError, Names, Predicate, Template, compile_predicate
from sandbox.record.cel_names import suggest
from sandbox.record.checks.anchors import START, SUBMIT, Anchor, AnchorInvalid, read_anchor
from sandbox.record.checks.measuring import Measure, find_measure
from sandbox.record.exercise import Check, Exercise, Fault, Hint, Mark, Prediction

_STATE_OPERATORS = frozenset({"now", "eventually", "always", "never", "recovered", "stays"})
_T = TypeVar("_T")


class ExerciseProblem(NamedTuple):
    """What is wrong, and where: `where` = ("checks", id, field), `column` and `line` within that text."""

    where: tuple[str, str, str]
    message: str
    line: int = 1
    column: int = 1


class ExerciseInvalid(ValueError):
    """The exercise cannot be run; `problems` in order of the file."""

    def __init__(self, problems: list[ExerciseProblem]) -> None:
        super().__init__("; ".join(f"{'.'.join(each.where)}: {each.message}" for each in problems))
        self.problems = problems


@dataclass(eq=False, slots=True)
class Expression:
    """A predicate about a state (`each` None) or about a change."""

    predicate: Predicate
    each: str | None
    measure: Measure | None


@dataclass(eq=False, slots=True)
class CompiledCheck:
    """A check ready to run. `after_submit`: it waits for a fault that comes only after hand-in."""

    spec: Check
    opens: Anchor
    closes: Anchor | None
    during: str | None
    settle: float
    expressions: tuple[Expression, ...]  # one; two for `before`
    of: int
    needs: tuple[str, ...]
    after_submit: bool = False
    opening: str = ""  # when it begins to count, in words


@dataclass(eq=False, slots=True)
class CompiledPrediction:
    """`observed` gives all right answers; or the time from `after` until `first` holds is the right one."""

    spec: Prediction
    question: bool
    observed: Predicate | None = None
    first: Expression | None = None
    after: Anchor | None = None


@dataclass(eq=False, slots=True)
class CompiledHint:
    spec: Hint
    when: Predicate | None
    strengths: tuple[Template, ...]


@dataclass(eq=False, slots=True)
class CompiledMark:
    spec: Mark
    when: Predicate
    until: Predicate | None


@dataclass(eq=False, slots=True)
class Compiled:
    """Everything the engine needs, by id where order does not matter."""

    exercise: Exercise
    checks: tuple[CompiledCheck, ...]
    predictions: dict[str, CompiledPrediction]
    hints: tuple[CompiledHint, ...]
    marks: tuple[CompiledMark, ...]
    faults: dict[str, Fault]
    ready: Predicate | None
    problems: list[ExerciseProblem] = field(default_factory=list)


@lru_cache(maxsize=256)
def _cached(key: _Key) -> Compiled:
    return _Compiler(key.exercise).compile()


class _Key:
    """Exercises hold lists and are not hashable; the same object is the same exercise."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise

    def __hash__(self) -> int:
        return id(self.exercise)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.exercise is self.exercise


def compile_exercise(exercise: Exercise) -> Compiled:
    """Compile all of it. Raises ExerciseInvalid with every problem found."""
    compiled = _cached(_Key(exercise))
    if compiled.problems:
        raise ExerciseInvalid(compiled.problems)
    return compiled


class _Compiler:
    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self.problems: list[ExerciseProblem] = []
        self.base = Names(
            params=frozenset(exercise.variants) if exercise.variants else None,
            probes=_ids(exercise.probes),
            predictions=_ids(exercise.predictions),
            answers=_ids(exercise.questions),
            checks=_ids(exercise.checks),
            pods=exercise.pods,
        )
        self.faults = {each.id: each for each in exercise.faults}
        self.windows = {
            *self.faults,
            *(each.id for each in exercise.marks),
            *(each.id for each in exercise.loads),
        }

    def compile(self) -> Compiled:
        exercise = self.exercise
        checks = [done for each in exercise.checks if (done := self._check(each)) is not None]
        compiled = Compiled(
            exercise=exercise,
            checks=tuple(checks),
            predictions={each.spec.id: each for each in self._predictions()},
            hints=tuple(self._hints()),
            marks=tuple(self._marks()),
            faults=self.faults,
            ready=self._predicate(("exercise", exercise.id, "ready"), exercise.ready, self.base),
            problems=self.problems,
        )
        self._mark_after_submit(compiled)
        return compiled

    # parts

    def _check(self, check: Check) -> CompiledCheck | None:
        where = ("checks", check.id, check.operator)
        before = len(self.problems)
        for need in check.needs:
            sections = ("checks", "predictions", "questions")
            known = frozenset().union(*(self._ids(section) for section in sections))
            self._known(("checks", check.id, "needs"), need, known)
        expressions = self._expressions(where, check)
        opens, closes, settle = self._window(check)
        if check.operator in ("predicted", "answered"):
            among = "predictions" if check.operator == "predicted" else "questions"
            self._known(where, check.predicate, self._ids(among))
        if check.operator == "count" and check.each is None:
            self._problem(where, 'count needs each:, for example each: "probe/front"')
        if check.operator == "count" and (check.minimum, check.maximum, check.share) == (None, None, None):
            self._problem(where, "count needs min:, max: or share:")
        if len(self.problems) > before:
            return None
        of = max((points for _, points in check.within), default=check.points)
        words = self._opening(opens)
        return CompiledCheck(
            check, opens, closes, check.during, settle, expressions, of, check.needs, opening=words
        )

    def _opening(self, opens: Anchor) -> str:
        fault = self.faults.get(opens.source)
        if fault is not None and fault.by == "submit":
            return "we test this after you hand in"
        if fault is not None and fault.kind == "kill-pod" and opens.point == "start":
            return "counts from the moment a Pod is killed"
        if fault is not None and fault.by == "student" and opens.point == "start":
            return "counts from the moment you break it"
        say = next((each.say for each in self.exercise.checks if each.id == opens.source), opens.source)
        point = {"end": "has ended", "pass": "has passed"}.get(opens.point, "has begun")
        return f"counts once this {point}: {say}"

    def _expressions(self, where: tuple[str, str, str], check: Check) -> tuple[Expression, ...]:
        if check.operator in ("predicted", "answered"):
            return ()
        if check.operator == "before":
            sides = (("first", check.first), ("then", check.then))
            found = [
                self._expression((where[0], where[1], side), moment.when, moment.each, clock=False)
                for side, moment in sides
                if moment is not None
            ]
            if len(found) < 2:
                self._problem(where, "before needs first: and then:")
        else:
            clock = check.operator == "now"
            found = [self._expression(where, check.predicate, check.each, clock=clock)]
        return tuple(each for each in found if each is not None)

    def _expression(
        self, where: tuple[str, str, str], text: str, each: str | None, *, clock: bool
    ) -> Expression | None:
        names = _with(self.base, each=each, clock=clock)
        predicate = self._predicate(where, text, names)
        if predicate is None:
            return None
        return Expression(predicate, each, find_measure(text, names) if each is None else None)

    def _window(self, check: Check) -> tuple[Anchor, Anchor | None, float]:
        """When windows open and close, and how long they stay open after the end of `during`."""
        if check.during is not None:
            self._known(("checks", check.id, "during"), check.during, self.windows)
            settle = self.faults[check.during].settle if check.during in self.faults else 0.0
            return Anchor(check.during, "start", 0.0), Anchor(check.during, "end", 0.0), settle
        key = "after" if check.after else "from"
        opens = self._anchor(("checks", check.id, key), check.after or check.start) or START
        closes = self._anchor(("checks", check.id, "until"), check.until)
        runs_on = bool(check.within) and opens.source != "start"
        return opens, closes or (None if runs_on else SUBMIT), 0.0

    def _anchor(self, where: tuple[str, str, str], text: str | None) -> Anchor | None:
        if text is None:
            return None
        try:
            anchor = read_anchor(text)
        except AnchorInvalid as problem:
            self._problem(where, str(problem))
            return None
        known = {"start", "submit", *self.windows, *self._ids("predictions"), *self._ids("checks")}
        self._known(where, anchor.source, known)
        return anchor

    def _predictions(self) -> Iterable[CompiledPrediction]:
        for section, specs in (
            ("predictions", self.exercise.predictions),
            ("questions", self.exercise.questions),
        ):
            for spec in specs:
                if spec.before is not None:
                    self._known((section, spec.id, "before"), spec.before, self.windows)
                made = self._measured(section, spec) if spec.first is not None else self._told(section, spec)
                if made is not None:
                    yield made

    def _told(self, section: str, spec: Prediction) -> CompiledPrediction | None:
        """What is right is said by the state at the end."""
        names = _with(self.base, committed=True, clock=True)
        observed = self._predicate((section, spec.id, "observed"), spec.observed, names, any_=True)
        if observed is None:
            return None
        return CompiledPrediction(spec, section == "questions", observed=observed)

    def _measured(self, section: str, spec: Prediction) -> CompiledPrediction | None:
        """What is right is a time. A moment "+5s" would only be another way to write the tolerance."""
        first = self._expression((section, spec.id, "observed"), spec.first or "", None, clock=False)
        after = self._anchor((section, spec.id, "observed"), spec.after or "")
        if after is not None and after.offset:
            self._problem(
                (section, spec.id, "observed"), f'after: write "{spec.after}" without what is added'
            )
        if first is None or after is None:
            return None
        return CompiledPrediction(spec, section == "questions", first=first, after=after)

    def _hints(self) -> Iterable[CompiledHint]:
        names = _with(self.base, committed=True, clock=True, states=True)
        for spec in self.exercise.hints:
            when = self._predicate(("hints", spec.id, "when"), spec.when, names)
            texts = [("say", spec.say), *(("ladder", each) for each in spec.ladder)]
            strengths = [self._template(("hints", spec.id, key), text, names) for key, text in texts]
            if (when is not None or spec.when is None) and None not in strengths:
                yield CompiledHint(spec, when, tuple(each for each in strengths if each is not None))

    def _marks(self) -> Iterable[CompiledMark]:
        for spec in self.exercise.marks:
            when = self._predicate(("marks", spec.id, "when"), spec.when, _with(self.base, each=spec.each))
            until = self._predicate(("marks", spec.id, "until"), spec.until, self.base)
            if when is not None:
                yield CompiledMark(spec, when, until)

    # what waits for a fault after hand-in

    def _mark_after_submit(self, compiled: Compiled) -> None:
        late = {each.id for each in self.exercise.faults if each.by == "submit"}
        predictions = {each.id: each.before for each in self.exercise.predictions}
        changed = True
        while changed:
            changed = False
            for check in compiled.checks:
                if not check.after_submit and late & _waits_for(check, predictions):
                    check.after_submit = changed = True
                    late.add(check.spec.id)

    # problems

    def _ids(self, section: str) -> frozenset[str]:
        return _ids(getattr(self.exercise, section))

    def _known(self, where: tuple[str, str, str], id_: str, known: Iterable[str]) -> None:
        known = set(known)
        if id_ not in known:
            self._problem(where, f'"{id_}" is not an id{suggest(id_, known)}')

    def _problem(self, where: tuple[str, str, str], message: str, line: int = 1, column: int = 1) -> None:
        self.problems.append(ExerciseProblem(where, message, line, column))

    def _predicate(
        self, where: tuple[str, str, str], text: str | None, names: Names, *, any_: bool = False
    ) -> Predicate | None:
        if text is None:
            return None
        return self._tried(
            where, lambda: compile_predicate(text, names=names, want="any" if any_ else "bool")
        )

    def _template(self, where: tuple[str, str, str], text: str, names: Names) -> Template | None:
        return self._tried(where, lambda: Template(text, names=names))

    def _tried(self, where: tuple[str, str, str], make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except CelError as problem:
            self._problem(where, problem.message, problem.line, problem.column)
            return None


def _waits_for(check: CompiledCheck, predictions: dict[str, str | None]) -> set[str]:
    """Sources of moments, and checks, without which this check cannot pass."""
    found = {check.opens.source, *check.needs}
    if check.closes is not None:
        found.add(check.closes.source)
    if check.spec.operator == "predicted":
        found.add(predictions.get(check.spec.predicate) or "")
    return found


def _ids(specs: Iterable[object]) -> frozenset[str]:
    return frozenset(str(getattr(each, "id", "")) for each in specs)


def _with(names: Names, **changes: object) -> Names:
    fields = {each: getattr(names, each) for each in names.__struct_fields__}
    return Names(**{**fields, **changes})

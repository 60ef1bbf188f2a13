"""The incremental engine and the naive evaluator agree on random records: all operators, gaps, trouble, restarts.

A few hundred cases here; 10,000 with GLASSHULL_HYPOTHESIS=thorough:
    GLASSHULL_HYPOTHESIS=thorough .venv/bin/python -m pytest -q tests/sandbox/record/test_against_naive.py
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.record.exercise import Moment
from sandbox.record.marking import work_out
from tests.sandbox.record import naive
from tests.sandbox.record.build import named
from tests.sandbox.record.judging import Check, Fault, Judged, Mark, Prediction, check

THOROUGH = os.environ.get("GLASSHULL_HYPOTHESIS") == "thorough"
VERB = 'object.verb == "scale"'
VERBS: dict[bool | None, dict[str, Any]] = {True: {"verb": "scale"}, False: {"verb": "get"}, None: {}}
SECONDS = st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0])
TRUTH = st.sampled_from([True, False, True, False, None])
ASKED = 'one("ConfigMap", "flag").data.on == "yes" ? ["yes"] : ["no"]'
POINTS = 2

WITHIN = st.sampled_from([(), ((5.0, 1),), ((4.0, 2), (9.0, 1)), ((20.0, 1),)])
FREE = st.sampled_from([{}, {"during": "slow"}, {"start": "slow.end"}])
OPERATORS = st.sampled_from(["now", "before", "eventually", "always", "never", "count", "stays", "recovered"])
FLAG_IS = Moment(each=None, when='one("ConfigMap", "flag").data.on == "yes"')
SCALED, GOT = Moment(each="action", when=VERB), Moment(each="action", when='object.verb == "get"')
SIDES = st.sampled_from([(FLAG_IS, SCALED), (SCALED, FLAG_IS), (SCALED, GOT), (GOT, SCALED)])


def cases(few: int, all_: int) -> Any:
    return settings(
        max_examples=all_ if THOROUGH else few, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )


@st.composite
def checks(draw: st.DrawFn) -> Check:
    operator = draw(OPERATORS)
    fields: dict[str, Any] = {"points": POINTS, "occurrence": draw(st.sampled_from(["last", "first", "all"]))}
    fields |= draw(FREE)
    if operator in ("eventually", "stays", "recovered"):
        fields["within"] = draw(WITHIN)
    if operator == "now":
        fields.pop("during", None)  # the state at submit, whatever else happens
    if operator == "before":
        fields["first"], fields["then"] = draw(SIDES)
        fields["predicate"] = ""
    if operator == "recovered":
        fields.pop("during", None)
        fields.pop("start", None)
        fields |= {"after": "slow.start", "must_break": draw(st.booleans())}
        fields["lasting"] = draw(st.sampled_from([None, 1.0]))
    if operator == "stays":
        fields["lasting"] = draw(st.sampled_from([2.0, 4.0]))
    if operator in ("always", "never"):
        fields["grace"] = draw(st.sampled_from([0.0, 0.0, 2.0]))
    if operator == "count" or (operator in ("eventually", "always", "never") and draw(st.booleans())):
        fields |= {"each": "action", "predicate": VERB}
    if operator == "count":
        fields |= draw(st.sampled_from([{"minimum": 2}, {"maximum": 1}, {"minimum": 1, "maximum": 2}]))
    return check(operator, **fields)


SCOPES = st.sampled_from([None, None, ["ConfigMap"], ["action"], ["Pod"], ["ConfigMap", "probe"]])
TROUBLE = st.tuples(st.sampled_from([0.0, 1.0, 4.0]), st.sampled_from([-1.0, 0.0, 2.0, 6.0]), SCOPES)
ACT = st.one_of(
    st.tuples(st.just("flag"), TRUTH),
    st.tuples(st.just("verb"), TRUTH),
    st.tuples(st.sampled_from(["start", "end", "start", "end", "tick", "again"]), st.none()),
    st.tuples(st.just("gap"), st.tuples(st.sampled_from([0.0, 1.0, 4.0]))),
    st.tuples(st.just("trouble"), TROUBLE),
    st.tuples(st.sampled_from(["predict", "answer"]), st.sampled_from(["yes", "no"])),
)
HIDDEN = st.tuples(
    st.sampled_from(["hidden start", "hidden start", "hidden end"]), st.sampled_from([0.0, 1.0, 4.0])
)
ACTS = st.lists(st.tuples(SECONDS, ACT), min_size=4, max_size=18)
ACTS_ON_MARKS = st.lists(st.tuples(SECONDS, st.one_of(ACT, ACT, HIDDEN)), min_size=4, max_size=18)
ROLLED = Mark(
    id="slow",
    each="Deployment",
    when="old != null && object.spec.template != old.spec.template",
    until='one("Deployment", "shop").spec.done',
)
SUBMITTED = st.sampled_from([99, 99, 99, 16, 12, 9, 7, 5, 3, 1, 0])


class Play:
    """The same story for both: to the engine entry by entry, and as a list."""

    def __init__(self, run: Judged) -> None:
        self.run = run
        self.things: list[naive.Thing] = []
        self.state: bool | None = False
        self.submitted = False
        self.unseen_since, self.listed_until = float("inf"), float("-inf")
        self.by_mark = bool(run.engine.exercise.marks)
        self.template = 0
        run.flag(False)
        if self.by_mark:
            self.roll("end")
        self.begin()

    def note(self, kind: str, value: Any = None, hidden_since: float | None = None) -> None:
        self.things.append(naive.Thing(self.run.at, kind, value, self.state, hidden_since))

    def roll(self, kind: str, **extra: Any) -> None:
        """A Deployment that begins to roll out, or has ended."""
        self.template += kind == "start"
        spec = {"template": self.template, "done": kind == "end"}
        self.run.put(named("Deployment", "shop", spec=spec), **extra)

    def turn(self, kind: str) -> None:
        if self.by_mark:
            self.roll(kind)
        else:
            self.run.slow("started" if kind == "start" else "ended")
        self.note(kind)

    def hidden(self, kind: str, ago: float) -> None:
        """It came in a lost gap, and is read again after it."""
        self.gap(ago)
        self.roll(kind, synthetic=True)
        self.note(kind, hidden_since=self.unseen_since)

    def gap(self, ago: float) -> None:
        """One that begins while the lists after the one before may still come reaches back to that."""
        start = self.run.at - ago
        self.unseen_since = min(start, self.unseen_since) if start <= self.listed_until else start
        self.listed_until = self.run.at + 1.0
        self.run.gap(-ago, 0.0)
        self.note("gap", (start, self.run.at, None))

    def begin(self) -> None:
        self.run.start()
        self.note("begin")

    def submit(self) -> None:
        self.run.submit()
        self.note("submit")
        self.submitted = True

    def act(self, kind: str, value: Any) -> None:
        run = self.run
        if kind == "flag":
            self.state = value
            run.flag(value)
            self.note("flag")
        elif kind == "verb":
            run.add("action", "x", VERBS[value])
            self.note("verb", value)
        elif kind in ("start", "end"):
            self.turn(kind)
        elif kind.startswith("hidden"):
            self.hidden(kind.removeprefix("hidden "), value)
        elif kind == "again" and not self.submitted:
            run.add("reset", "1", {"attempt": 1})
            self.begin()
        elif kind == "gap":
            self.gap(value[0])
        elif kind == "trouble":
            self.trouble(*value)
        elif kind in ("predict", "answer"):
            run.add("prediction" if kind == "predict" else "answer", kind, {"id": kind, "value": value})
            self.note(kind, value)

    def trouble(self, ago: float, lasts: float, kinds: list[str] | None) -> None:
        start, end = self.run.at - ago, max(self.run.at - ago, self.run.at + lasts)
        change = {"text": "ours", "from": start, "until": end, **({"kinds": kinds} if kinds else {})}
        self.run.add("trouble", "", change)
        self.note("trouble", (start, end, kinds))

    def end(self) -> None:
        if not self.submitted:
            self.submit()
        self.run.wait(100)
        self.run.add("handover", "", {"attempt": 1})
        self.note("handover")


def play(run: Judged, acts: list[Any], submit_at: int) -> list[naive.Thing]:
    story = Play(run)
    for index, (seconds, (kind, value)) in enumerate(acts):
        if index == submit_at:
            story.submit()
        run.wait(seconds)
        story.act(kind, value)
    story.end()
    return story.things


def again(run: Judged) -> tuple[str, int]:
    """What a process that reads the record from its beginning says, with no clock of its own."""
    verdict = work_out(run.engine.exercise, {}, run.entries).verdicts[0]
    return verdict.state, verdict.points


def slow(settle: float) -> tuple[Fault]:
    return (Fault(id="slow", kind="slow-app", target="pod:app=x", by="student", settle=settle),)


@cases(400, 7000)
@given(checks(), ACTS, SUBMITTED, st.sampled_from([0.0, 3.0]))
def test_both_say_the_same(spec: Check, acts: list[Any], submit_at: int, settle: float) -> None:
    run = Judged(spec, faults=slow(settle))
    things = play(run, acts, submit_at)
    verdict = run.verdict()
    assert (verdict.state, verdict.points) == naive.judge(spec, things, settle)
    assert (verdict.state, verdict.points) == again(run)


@cases(300, 7000)
@given(checks(), ACTS_ON_MARKS, SUBMITTED)
def test_both_say_the_same_of_marks_that_a_gap_hid(spec: Check, acts: list[Any], submit_at: int) -> None:
    run = Judged(spec, faults=(), marks=(ROLLED,))
    things = play(run, acts, submit_at)
    verdict = run.verdict()
    assert (verdict.state, verdict.points) == naive.judge(spec, things, 0.0, by_mark=True)
    assert (verdict.state, verdict.points) == again(run)


@cases(200, 3000)
@given(st.booleans(), ACTS, SUBMITTED, st.sampled_from([0.0, 3.0]))
def test_both_mark_predictions_and_questions_the_same(
    question: bool, acts: list[Any], submit_at: int, settle: float
) -> None:
    choices = {"yes": "On", "no": "Off"}
    prediction = Prediction(
        id="predict", ask="?", answer="choice", choices=choices, observed=ASKED, before="slow", settle=settle
    )
    asked = Prediction(id="answer", ask="?", answer="choice", choices=choices, observed=ASKED)
    spec = (
        check("answered", "answer", points=POINTS)
        if question
        else check("predicted", "predict", points=POINTS)
    )
    run = Judged(spec, faults=slow(settle), predictions=(prediction,), questions=(asked,))
    things = play(run, acts, submit_at)
    verdict = run.verdict()
    wanted = (
        naive.judge_answer(things, POINTS) if question else naive.judge_prediction(things, settle, POINTS)
    )
    assert (verdict.state, verdict.points) == wanted
    assert (verdict.state, verdict.points) == again(run)

"""The incremental engine and the naive evaluator agree on random records."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.record import naive
from tests.sandbox.record.judging import Check, Fault, Judged, check

CASES = int(os.environ.get("GLASSHULL_CASES", "600"))  # 9,000 agreed when this was written
VERB = 'object.verb == "scale"'
VERBS: dict[bool | None, dict[str, Any]] = {True: {"verb": "scale"}, False: {"verb": "get"}, None: {}}
SECONDS = st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0])
TRUTH = st.sampled_from([True, False, True, False, None])

WITHIN = st.sampled_from([(), ((5.0, 1),), ((4.0, 2), (9.0, 1)), ((20.0, 1),)])
FREE = st.sampled_from([{}, {"during": "slow"}, {"start": "slow.end"}])


@st.composite
def checks(draw: st.DrawFn) -> Check:
    operator = draw(st.sampled_from(["eventually", "always", "never", "count", "stays", "recovered"]))
    fields: dict[str, Any] = {"points": 2, "occurrence": draw(st.sampled_from(["last", "first", "all"]))}
    fields |= draw(FREE)
    if operator in ("eventually", "stays", "recovered"):
        fields["within"] = draw(WITHIN)
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


ACTS = st.lists(
    st.tuples(
        SECONDS,
        st.one_of(
            st.tuples(st.just("flag"), TRUTH),
            st.tuples(st.just("verb"), TRUTH),
            st.tuples(st.sampled_from(["start", "end", "start", "end", "tick"]), st.none()),
            st.tuples(st.just("gap"), st.tuples(st.sampled_from([0.0, 1.0, 4.0]), st.just(0.0))),
        ),
    ),
    min_size=4,
    max_size=18,
)


def play(run: Judged, acts: list[Any], submit_at: int, gaps: bool) -> list[naive.Thing]:
    """The same story for both: to the engine entry by entry, and as a list."""
    things: list[naive.Thing] = []
    state: bool | None = False

    def note(kind: str, value: Any = None) -> None:
        things.append(naive.Thing(run.at, kind, value, state))

    run.flag(False)
    run.start()
    note("begin")
    for index, (seconds, (kind, value)) in enumerate(acts):
        if index == submit_at:
            run.submit()
            note("submit")
        run.wait(seconds)
        if kind == "flag":
            state = value
            run.flag(value)
            note("flag")
        elif kind == "verb":
            run.add("action", "x", VERBS[value])
            note("verb", value)
        elif kind in ("start", "end"):
            run.slow("started" if kind == "start" else "ended")
            note(kind)
        elif kind == "gap" and gaps:
            run.gap(-value[0], 0.0)
            note("gap", (run.at - value[0], run.at))
    if submit_at >= len(acts):
        run.submit()
        note("submit")
    run.wait(100)
    run.add("handover", "", {"attempt": 1})
    note("handover")
    return things


SUBMITTED = st.sampled_from([99, 99, 99, 16, 12, 9, 7, 5, 3, 1, 0])


@settings(max_examples=CASES, deadline=None)
@given(checks(), ACTS, SUBMITTED, st.sampled_from([0.0, 3.0]), st.booleans())
def test_both_say_the_same(spec: Check, acts: list[Any], submit_at: int, settle: float, gaps: bool) -> None:
    fault = Fault(id="slow", kind="slow-app", target="pod:app=x", by="student", settle=settle)
    run = Judged(spec, faults=(fault,))
    things = play(run, acts, submit_at, gaps)
    verdict = run.verdict()
    assert (verdict.state, verdict.points) == naive.judge(spec, things, settle)

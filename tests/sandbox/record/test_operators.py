"""Every operator, by tables of what happens when."""
# ruff: noqa: E501  (tables and CEL stay on one line)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.record.exercise import Load, Moment
from tests.sandbox.record.build import deployment, named
from tests.sandbox.record.judging import COUNT, FLAG, Fault, Judged, Mark, Prediction, check

Act = tuple[str, Any] | float
IN_10 = ((10.0, 1),)


def play(run: Judged, acts: list[Act]) -> Judged:
    """A number waits; ("flag", True) and the like act."""
    for act in acts:
        if isinstance(act, int | float):
            run.wait(act)
            continue
        name, value = act
        {
            "flag": run.flag,
            "slow": run.slow,
            "services": run.services,
            "verb": lambda verb: run.action(verb, "pods", "x"),
            "answer": lambda ok: run.probe(ok=ok),
            "second": lambda pair: run.summary(sent=pair[0], failed=pair[1]),
            "hand-in": run.hand_in,
            "submit": lambda _: run.submit(),
        }[name](value)
    return run


def started(*acts: Act, before: list[Act] | None = None, **fields: Any) -> Judged:
    operator = fields.pop("operator")
    predicate = fields.pop("predicate", FLAG)
    run = Judged(check(operator, predicate, **fields))
    play(run, before if before is not None else [("flag", False)])
    run.start()
    return play(run, list(acts))


CASES: list[tuple[str, dict[str, Any], list[Act], str]] = [
    # now
    ("now true at submit", {"operator": "now"}, [1, ("flag", True), 1, ("submit", 0)], "pass"),
    ("now false again at submit", {"operator": "now"}, [("flag", True), 1, ("flag", False), ("submit", 0)], "fail"),
    ("now before submit", {"operator": "now"}, [("flag", True)], "holding"),
    ("now undecided", {"operator": "now"}, [("flag", None), ("submit", 0)], "could-not-grade"),
    # eventually
    ("eventually at once", {"operator": "eventually"}, [("flag", True)], "pass"),
    ("eventually not yet", {"operator": "eventually"}, [5], "waiting"),
    ("eventually at the very deadline", {"operator": "eventually", "within": IN_10}, [10, ("flag", True)], "pass"),
    ("eventually just after it", {"operator": "eventually", "within": IN_10}, [10.01, ("flag", True)], "fail"),
    ("eventually skips undecided states", {"operator": "eventually"}, [("flag", None), 1, ("flag", True)], "pass"),
    ("eventually not by submit", {"operator": "eventually", "within": IN_10}, [3, ("submit", 0)], "fail"),
    ("eventually a change", {"operator": "eventually", "predicate": 'object.verb == "scale"', "each": "action"}, [("verb", "get"), ("verb", "scale")], "pass"),
    # always
    ("always to the end", {"operator": "always", "during": "slow"}, [("flag", True), ("slow", "started"), 3, ("slow", "ended"), 5.1], "pass"),
    ("always in its settle time", {"operator": "always", "during": "slow"}, [("flag", True), ("slow", "started"), ("slow", "ended"), 4, ("flag", False)], "fail"),
    ("always after its settle time", {"operator": "always", "during": "slow"}, [("flag", True), ("slow", "started"), ("slow", "ended"), 5.1, ("flag", False)], "pass"),
    ("always at the very end", {"operator": "always", "during": "slow"}, [("flag", True), ("slow", "started"), ("slow", "ended"), 5, ("flag", False)], "fail"),
    ("always false at the first instant", {"operator": "always", "during": "slow"}, [("slow", "started")], "fail"),
    ("always, false before the window only", {"operator": "always", "during": "slow"}, [2, ("flag", True), ("slow", "started")], "holding"),
    ("always within grace", {"operator": "always", "during": "slow", "grace": 2.0}, [("flag", True), ("slow", "started"), ("flag", False), 2, ("flag", True), ("slow", "ended"), 6], "pass"),
    ("always beyond grace", {"operator": "always", "during": "slow", "grace": 2.0}, [("flag", True), ("slow", "started"), ("flag", False), 2.1], "fail"),
    ("always ends inside grace", {"operator": "always", "during": "slow", "grace": 9.0}, [("flag", True), ("slow", "started"), ("slow", "ended"), 1, ("flag", False), 5], "pass"),
    ("always undecided", {"operator": "always", "during": "slow"}, [("flag", True), ("slow", "started"), ("flag", None), ("flag", True), ("slow", "ended"), 6], "could-not-grade"),
    ("always undecided, then false", {"operator": "always", "during": "slow"}, [("flag", True), ("slow", "started"), ("flag", None), ("flag", False)], "fail"),
    ("always until an anchor", {"operator": "always", "start": "start", "until": "slow.start"}, [("flag", True), 1, ("slow", "started"), ("flag", False)], "fail"),
    ("always until submit", {"operator": "always"}, [("submit", 0)], "fail"),
    # never
    ("never a state", {"operator": "never", "during": "slow"}, [("slow", "started"), 1, ("flag", True)], "fail"),
    ("never, and it was so", {"operator": "never", "during": "slow"}, [("slow", "started"), ("slow", "ended"), 6], "pass"),
    ("never a change", {"operator": "never", "during": "slow", "predicate": 'object.verb == "scale"', "each": "action"}, [("verb", "scale"), ("slow", "started"), ("verb", "scale")], "fail"),
    ("never, outside the window", {"operator": "never", "during": "slow", "predicate": 'object.verb == "scale"', "each": "action"}, [("verb", "scale"), ("slow", "started"), ("slow", "ended"), 6, ("verb", "scale")], "pass"),
    ("never an undecided change", {"operator": "never", "during": "slow", "predicate": "object.none == 1", "each": "action"}, [("slow", "started"), ("verb", "x"), ("slow", "ended"), 6], "could-not-grade"),
    # count
    ("count at most, kept", {"operator": "count", "predicate": "!object.ok", "each": "probe/front", "during": "slow", "maximum": 1}, [("slow", "started"), ("answer", False), ("answer", True), ("slow", "ended"), 6], "pass"),
    ("count at most, broken early", {"operator": "count", "predicate": "!object.ok", "each": "probe/front", "during": "slow", "maximum": 1}, [("slow", "started"), ("answer", False), ("answer", False)], "fail"),
    ("count at least, early", {"operator": "count", "predicate": "true", "each": "action", "minimum": 2}, [("verb", "a"), ("verb", "b")], "pass"),
    ("count at least, not reached", {"operator": "count", "predicate": "true", "each": "action", "minimum": 2}, [("verb", "a"), ("submit", 0)], "fail"),
    ("count good answers by the seconds' totals", {"operator": "count", "predicate": "object.ok", "each": "probe/front", "minimum": 7}, [("answer", True), ("second", (4, 0)), ("second", (4, 1))], "pass"),
    ("count all answers", {"operator": "count", "predicate": "true", "each": "probe/front", "minimum": 8}, [("answer", False), ("second", (4, 1)), ("answer", True), ("second", (4, 0))], "pass"),
    ("share reached", {"operator": "count", "predicate": "object.ok", "each": "probe/front", "during": "slow", "share": 0.75}, [("slow", "started"), ("answer", False), ("second", (4, 1)), ("slow", "ended"), 6], "pass"),
    ("share missed", {"operator": "count", "predicate": "object.ok", "each": "probe/front", "during": "slow", "share": 0.9}, [("slow", "started"), ("answer", False), ("second", (4, 1)), ("slow", "ended"), 6], "fail"),
    ("share of nothing is ours", {"operator": "count", "predicate": "object.ok", "each": "probe/front", "during": "slow", "share": 0.9}, [("slow", "started"), ("slow", "ended"), 6], "could-not-grade"),
    # recovered
    ("recovered in time", {"operator": "recovered", "after": "slow.start", "within": IN_10, "must_break": True}, [("flag", True), ("slow", "started"), 1, ("flag", False), 5, ("flag", True), 3.1], "pass"),
    ("recovered is not yet held", {"operator": "recovered", "after": "slow.start", "within": IN_10}, [("flag", True), ("slow", "started"), ("flag", False), 5, ("flag", True), 3], "waiting"),
    ("recovered at the deadline, held beyond it", {"operator": "recovered", "after": "slow.start", "within": IN_10}, [("flag", True), ("slow", "started"), ("flag", False), 10, ("flag", True), 3.1], "pass"),
    ("recovered too late", {"operator": "recovered", "after": "slow.start", "within": IN_10}, [("flag", True), ("slow", "started"), ("flag", False), 10.1, ("flag", True), 9], "fail"),
    ("recovered and broken again after the deadline", {"operator": "recovered", "after": "slow.start", "within": IN_10}, [("flag", True), ("slow", "started"), ("flag", False), 9, ("flag", True), 2, ("flag", False)], "fail"),
    ("recovered, broken, recovered in time", {"operator": "recovered", "after": "slow.start", "within": IN_10}, [("flag", True), ("slow", "started"), ("flag", False), 2, ("flag", True), 1, ("flag", False), 1, ("flag", True), 4], "pass"),
    ("recovered without a break", {"operator": "recovered", "after": "slow.start", "within": IN_10}, [("flag", True), ("slow", "started"), 10.1], "pass"),
    ("recovered must break", {"operator": "recovered", "after": "slow.start", "within": IN_10, "must_break": True}, [("flag", True), ("slow", "started"), 10.1], "fail"),
    ("recovered false from the first instant", {"operator": "recovered", "after": "slow.start", "within": IN_10}, [("slow", "started"), 2, ("flag", True), 4], "pass"),
    ("recovered undecided", {"operator": "recovered", "after": "slow.start", "within": IN_10}, [("slow", "started"), ("flag", None), ("flag", True), 4], "could-not-grade"),
    # stays
    ("stays long enough", {"operator": "stays", "lasting": 5.0}, [1, ("flag", True), 5.1], "pass"),
    ("stays too short", {"operator": "stays", "lasting": 5.0}, [("flag", True), 4, ("flag", False), 4, ("submit", 0)], "fail"),
    ("stays broken by an undecided state", {"operator": "stays", "lasting": 5.0}, [("flag", True), 3, ("flag", None), ("flag", True), 3], "waiting"),
    ("stays until the very end", {"operator": "stays", "lasting": 5.0, "within": IN_10}, [5, ("flag", True), 5.1], "pass"),
    # windows
    ("not reached before submit", {"operator": "always", "during": "slow"}, [5], "waiting"),
    ("not reached at submit", {"operator": "always", "during": "slow"}, [("submit", 0)], "fail"),
    ("a test of ours is still to come at submit", {"operator": "always", "during": "later"}, [("submit", 0)], "waiting"),
    ("a test of ours never came", {"operator": "always", "during": "later"}, [("hand-in", 1)], "could-not-grade"),
    ("a window still open at hand-over is ours", {"operator": "always", "during": "slow"}, [("flag", True), ("slow", "started"), ("hand-in", 1)], "could-not-grade"),
    ("open windows run on after submit", {"operator": "always", "during": "slow"}, [("flag", True), ("slow", "started"), ("submit", 0), ("slow", "ended"), 6], "pass"),
    ("nothing opens after submit", {"operator": "always", "during": "slow"}, [("flag", True), ("submit", 0), ("slow", "started"), ("slow", "ended"), 6], "fail"),
    ("the last try counts", {"operator": "always", "during": "slow"}, [("slow", "started"), ("slow", "ended"), 6, ("flag", True), ("slow", "started"), ("slow", "ended"), 6], "pass"),
    ("the first try counts", {"operator": "always", "during": "slow", "occurrence": "first"}, [("slow", "started"), ("slow", "ended"), 6, ("flag", True), ("slow", "started"), ("slow", "ended"), 6], "fail"),
    ("all tries count", {"operator": "always", "during": "slow", "occurrence": "all"}, [("flag", True), ("slow", "started"), ("slow", "ended"), 6, ("flag", False), ("slow", "started")], "fail"),
    ("all tries are good", {"operator": "always", "during": "slow", "occurrence": "all"}, [("flag", True), ("slow", "started"), ("slow", "ended"), 6, ("slow", "started"), ("slow", "ended"), 6], "pass"),
    ("an anchor with an offset", {"operator": "always", "start": "slow.end+5s", "until": "slow.end+9s"}, [("slow", "started"), ("slow", "ended"), 4, ("flag", True), 6], "pass"),
    ("before an anchor's offset", {"operator": "always", "start": "slow.end+5s", "until": "slow.end+9s"}, [("flag", True), ("slow", "started"), ("slow", "ended"), 4, ("flag", False), 2], "fail"),
    ("within after an anchor is not cut by submit", {"operator": "eventually", "start": "slow.end", "within": IN_10}, [("slow", "started"), ("slow", "ended"), ("submit", 0), 5, ("flag", True)], "pass"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "acts", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_operator(fields: dict[str, Any], acts: list[Act], expected: str) -> None:
    assert started(*acts, **fields).state == expected


def test_points_by_deadline() -> None:
    for seconds, points in ((0.0, 3), (10.0, 3), (10.5, 2), (20.0, 2)):
        run = started(seconds, ("flag", True), operator="eventually", within=((10.0, 3), (20.0, 2)))
        assert (run.verdict().points, run.verdict().of) == (points, 3)


BEFORE: list[tuple[list[Callable[[Judged], Any]], str]] = [
    ([lambda r: r.flag(True), lambda r: r.action("scale", "x", "x")], "pass"),
    ([lambda r: r.action("scale", "x", "x"), lambda r: r.flag(True)], "fail"),
    ([lambda r: r.flag(True), lambda r: r.submit()], "fail"),
    ([lambda r: r.flag(True)], "waiting"),
]


@pytest.mark.parametrize(("acts", "expected"), BEFORE)
def test_before(acts: list[Callable[[Judged], Any]], expected: str) -> None:
    each = check(
        "before",
        "",
        first=Moment(each="ConfigMap", when='object.data.on == "yes"'),
        then=Moment(each="action", when='object.verb == "scale"'),
    )
    run = Judged(each)
    run.start()
    for act in acts:
        act(run)
    assert run.state == expected


def test_before_of_two_states() -> None:
    moments = {"first": Moment(each=None, when=FLAG), "then": Moment(each=None, when=COUNT)}
    run = Judged(check("before", "", **moments))
    run.flag(False)
    run.start()
    run.flag(True)
    run.services(2)
    assert run.state == "pass"
    same = Judged(check("before", "", **moments))
    same.flag(True)
    same.services(2)
    same.start()
    assert same.state == "fail"


def test_a_mark_opens_and_closes_a_window() -> None:
    mark = Mark(
        id="rollout",
        each="Deployment",
        when="old != null && object.spec.template != old.spec.template",
        until='ready(one("Deployment", "shop"))',
    )
    run = Judged(check("always", COUNT, during="rollout"), marks=(mark,))

    def deploy(image: str, ready: int) -> None:
        status = {"updatedReplicas": ready, "availableReplicas": ready}
        run.put(
            named("Deployment", "shop", spec={"replicas": 1, "template": {"image": image}}, status=status)
        )

    run.services(2)
    deploy("a", 1)
    run.start()
    run.services(1)
    assert run.state == "waiting"
    run.services(2)
    deploy("b", 0)
    assert run.state == "holding"
    deploy("b", 1)
    assert run.state == "pass"
    run.services(1)
    assert run.state == "pass"
    run.services(2)
    deploy("c", 0)
    run.services(1)
    assert run.state == "fail"


def test_needs_gate_the_verdict_and_not_the_window() -> None:
    run = Judged(check("eventually", COUNT, id="first"), check("eventually", needs=("first",)))
    run.start()
    run.flag(True)
    assert (run.state, run.line) == ("waiting", "first: It holds")
    run.services(2)
    assert run.verdict("first").state == "pass"
    assert run.state == "pass"


def test_unmet_needs_fail_at_submit_only() -> None:
    run = Judged(check("eventually", COUNT, id="first"), check("eventually", needs=("first",)))
    run.start()
    run.flag(True)
    run.submit()
    assert (run.state, run.line) == ("fail", "not reached: It holds")


def test_needs_that_could_not_be_graded_cost_nothing() -> None:
    run = Judged(check("always", during="slow", id="first"), check("eventually", needs=("first",)))
    run.flag(True)
    run.start()
    run.slow()
    run.wait(5)
    run.gap(-3, 0)
    run.slow("ended")
    run.wait(6)
    assert run.verdict("first").state == "could-not-grade"
    assert run.state == "could-not-grade"
    assert run.engine.summary() == (0, 2, 0)


def test_a_check_that_passes_is_an_anchor() -> None:
    run = Judged(
        check("eventually", COUNT, id="first"),
        check("eventually", start="first.pass", within=IN_10),
        check("stays", COUNT, id="calm", start="first.pass+5s", lasting=2.0),
    )
    run.flag(True)
    run.start()
    assert run.state == "waiting"
    run.services(2)
    assert run.state == "pass"
    run.wait(7)
    assert run.verdict("calm").state == "waiting"
    run.wait(0.1)
    assert run.verdict("calm").state == "pass"


def test_a_reset_makes_everything_void() -> None:
    run = Judged(check("eventually"))
    run.flag(True)
    run.start()
    assert run.state == "pass"
    run.add("reset", "", {"attempt": 1})
    assert run.state == "waiting"
    run.flag(True)
    assert run.state == "waiting"
    run.start()
    assert run.state == "pass"


def test_a_fault_of_ours_that_failed_is_no_fail() -> None:
    run = Judged(check("always", during="slow"))
    run.flag(True)
    run.start()
    run.slow()
    run.slow("failed", ours=True, text="the API server did not answer")
    assert run.state == "waiting"
    run.hand_in()
    assert run.state == "could-not-grade"


def test_a_fault_without_a_target_is_not_reached() -> None:
    run = Judged(check("always", during="later"))
    run.flag(True)
    run.start()
    run.submit()
    run.fault("later", "failed", ours=False, text="no such Pod")
    assert run.state == "fail"


def test_a_failed_fault_after_a_good_try_leaves_the_good_one() -> None:
    run = Judged(check("always", during="slow"))
    run.flag(True)
    run.start()
    run.slow()
    run.slow("ended")
    run.wait(6)
    run.slow()
    run.slow("failed", ours=True)
    assert run.state == "pass"


def test_lines_of_evidence() -> None:
    run = Judged(
        check("always", COUNT, during="slow"),
        check("eventually", 'objects("Pod").size() >= 3', id="e", within=IN_10),
    )
    run.services(3)
    run.start()
    assert run.verdict("e").line == "0 s gone, 0 of 3 Pods"
    run.slow()
    run.services(2)
    assert (run.line, run.verdict().facts) == ("lowest so far: 2 Services", {"Services": 2})
    run.services(1)
    verdict = run.verdict()
    assert (verdict.state, verdict.line) == ("fail", "Services went 2 → 1")
    assert verdict.decided_by[0].seq == run.entries[-1].seq
    assert verdict.outcome == "fail"


def test_verdicts_are_told_when_they_change_and_not_otherwise() -> None:
    run = Judged(check("eventually"))
    run.flag(False)
    run.start()
    told = [each.change["state"] for each in run.found if each.kind == "verdict"]
    assert told == ["waiting"]
    run.wait(30)
    run.services(2)
    assert len([each for each in run.found if each.kind == "verdict"]) == 1
    run.flag(True)
    assert [each.change["outcome"] for each in run.found if each.kind == "verdict"] == [None, "pass"]


def test_a_required_check_that_failed_caps_the_score() -> None:
    run = Judged(
        check("eventually", points=4), check("eventually", COUNT, id="must", points=4, required=True)
    )
    run.flag(True)
    run.start()
    run.submit()
    assert run.engine.summary() == (4, 8, 8)
    more = Judged(
        check("eventually", points=6), check("eventually", COUNT, id="must", points=2, required=True)
    )
    more.flag(True)
    more.start()
    more.submit()
    assert more.engine.summary() == (4, 8, 8)


def test_entries_twice_or_out_of_order_change_nothing() -> None:
    run = Judged(check("eventually"))
    run.start()
    first = run.entries[0]
    run.flag(True)
    assert run.engine.feed(first) == []
    assert run.state == "pass"


def test_a_clock_that_jumps_back_harms_nothing() -> None:
    run = Judged(check("eventually", within=IN_10))
    run.start()
    run.wait(5)
    run.at -= 100
    run.flag(True)
    assert run.state == "pass"


def test_undecided_states_are_reported_with_their_reason() -> None:
    run = Judged(check("always", during="slow"), check("never", "object.none == 1", id="n", each="action"))
    run.flag(True)
    run.start()
    run.flag(None)
    run.flag(True)
    assert run.engine.undecided == {}
    run.slow()
    run.flag(None)
    run.action("get", "pods", "x")
    assert set(run.engine.undecided) == {"c", "n"}
    assert "Key not found" in run.engine.undecided["n"]


def test_a_load_is_a_window_as_long_as_it_lasts() -> None:
    load = Load(id="rush", target="x:80/", rate=12.0, lasting=5.0)
    run = Judged(
        check("always", during="rush"),
        check("eventually", "object.distinctPods >= 2", id="turns", each="load/rush"),
        loads=(load,),
    )
    run.flag(True)
    run.start()
    for second in range(8):
        run.add("load", "rush", {"id": "rush", "sent": 12, "failed": 0, "distinctPods": 1 + second // 3})
        assert run.state == ("holding" if second <= 5 else "pass")
        run.wait(1)
    assert run.verdict("turns").state == "pass"
    ended = Judged(check("always", during="rush"), loads=(load,))
    ended.flag(True)
    ended.start()
    ended.add("load", "rush", {"id": "rush", "phase": "started"})
    ended.wait(2)
    ended.add("load", "rush", {"id": "rush", "phase": "ended"})
    assert ended.state == "pass"


def test_after_hand_in_a_test_is_judged_at_once_when_what_it_needs_has_failed() -> None:
    """Else every unfinished attempt waited a minute and a half for a verdict that could not come."""
    run = Judged(check("eventually", id="a"), check("always", id="b", during="later", needs=("a",)))
    run.start()
    run.flag(False)
    run.submit()
    assert {each.check: (each.state, each.line) for each in run.engine.verdicts} == {
        "a": ("fail", "not in time"),
        "b": ("fail", "not reached: It holds"),
    }


# --- windows whose end does not come --------------------------------------------------------------------
ROLLOUT = Mark(
    id="rollout",
    each="Deployment",
    when="old != null && object.spec.replicas != old.spec.replicas",
    until='ready(one("Deployment", "storefront"))',
)
ASKED = Prediction(id="p", ask="What comes?", answer="choice", observed='["a"]', before="rollout")


def until(moment: str, **fields: Any) -> Judged:
    run = Judged(
        check("always", COUNT, until=moment),
        check("eventually", FLAG, id="up", within=((900.0, 1),)),
        marks=(ROLLOUT,),
        predictions=(ASKED,),
        **fields,
    )
    run.services(2)
    run.put(deployment(1, 1))
    run.start()
    run.wait(10)
    return run


@pytest.mark.parametrize(
    "moment", ["rollout", "rollout.end", "p", "p+5s", "slow.start", "slow.end", "up.pass"]
)
@pytest.mark.parametrize(("held", "expected"), [(True, "pass"), (False, "fail")])
def test_a_window_until_what_never_comes_is_over_at_hand_in(moment: str, held: bool, expected: str) -> None:
    run = until(moment)
    if not held:
        run.services(1)
    run.submit()
    run.services(0)  # nothing of this is looked at any more, but for a check that may pass yet
    assert run.state == ("fail" if moment == "up.pass" or not held else "pass")
    run = until(moment)
    if not held:
        run.services(1)
    run.hand_in(1)
    assert run.state == expected


def test_what_is_under_way_at_hand_in_runs_to_its_end() -> None:
    run = until("rollout.end")
    run.put(deployment(2, 1))
    run.submit()
    assert run.state == "holding"
    run.services(1)
    assert run.state == "fail"


def during_a_rollout() -> Judged:
    """The customers are watched while a roll-out goes on, and what is said of it beforehand."""
    run = Judged(
        check("always", COUNT, during="rollout"),
        check("predicted", "p", id="foresaw"),
        marks=(ROLLOUT,),
        predictions=(ASKED,),
    )
    run.services(2)
    run.put(deployment(1, 1))
    run.start()
    run.predict("p", "a")
    run.put(deployment(2, 1))
    run.wait(30)
    return run


def test_a_roll_out_that_deadlocks_is_not_reached() -> None:
    """The quota lets no further Pod in: the Deployment waits for ever, and nothing of ours is to blame."""
    run = during_a_rollout()
    run.submit()
    run.wait(60)
    assert run.state == "holding"
    run.add("handover", "", {"attempt": 1})
    assert (run.state, run.line) == ("fail", "not reached: rollout did not end")
    assert run.verdict("foresaw").state == "fail"
    assert run.engine.summary() == (0, 2, 2)


def test_a_roll_out_of_which_a_part_was_not_seen_is_not_graded() -> None:
    run = during_a_rollout()
    run.gap(-5, 0)
    run.hand_in(60)
    assert run.state == "could-not-grade"


def test_a_question_in_needs_means_answered() -> None:
    question = Prediction(id="q", ask="Which one?", answer="choice", observed='["a"]')
    run = Judged(check("eventually", COUNT, needs=("q",)), questions=(question,))
    run.services(2)
    run.start()
    assert (run.state, run.line) == ("waiting", "first: Which one?")
    run.add("answer", "q", {"id": "q", "value": "wrong"})
    assert run.state == "pass"
    run = Judged(check("eventually", COUNT, needs=("q",)), questions=(question,))
    run.services(2)
    run.start()
    run.hand_in()
    assert (run.state, run.line) == ("fail", "not reached: Which one?")


def test_a_fault_may_wait_for_an_answer() -> None:
    kill = Fault(id="kill", kind="slow-app", target="pod:app=x", by="student", needs=("q",))
    question = Prediction(id="q", ask="Which one?", answer="choice", observed='["a"]')
    run = Judged(check("eventually", COUNT), faults=(kill,), questions=(question,))
    run.start()
    assert run.engine.missing_for("kill") == ["q"]
    run.add("answer", "q", {"id": "q", "value": "b"})
    assert run.engine.missing_for("kill") == []

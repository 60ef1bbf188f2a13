"""What we did not see is never a fail, and never a pass either."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.record.marking import work_out
from tests.sandbox.record.build import endpoints, named, pod
from tests.sandbox.record.judging import Fault, Judged, Mark, Prediction, check

IN_10 = ((10.0, 1),)
BEHIND = 'endpoints("storefront").size() >= 2'


def begun(operator: str, flag: bool = True, **fields: Any) -> Judged:
    run = Judged(check(operator, **fields))
    run.flag(flag)
    run.start()
    return run


def test_a_witness_outside_a_lost_gap_decides() -> None:
    run = begun("eventually", False, within=IN_10)
    run.wait(4)
    run.gap(-2, 0)
    run.flag(True)
    assert run.state == "pass"


def test_no_witness_and_a_lost_gap() -> None:
    run = begun("eventually", False, within=IN_10)
    run.wait(4)
    run.gap(-2, 0)
    run.wait(7)
    assert run.state == "waiting"  # two seconds longer, for the two that were lost
    run.wait(2)
    assert run.state == "could-not-grade"


def test_a_deadline_is_at_most_doubled() -> None:
    run = begun("eventually", False, within=IN_10)
    run.wait(9)
    run.gap(-9, 0)
    run.gap(-9, 0)
    run.wait(10.9)
    assert run.state == "waiting"
    run.wait(0.2)
    assert run.state == "could-not-grade"


def test_a_deadline_that_passed_unseen_is_taken_back() -> None:
    for how in ("lost", "late"):
        run = begun("eventually", False, within=IN_10)
        run.wait(12)
        assert run.state == "fail"
        run.gap(-4, 0, how)
        assert run.state == "could-not-grade"


def test_a_counterexample_outside_decides_and_silence_does_not() -> None:
    run = begun("always", during="slow")
    run.slow()
    run.wait(5)
    run.gap(-3, 0)
    run.flag(False)
    assert run.state == "fail"
    run = begun("always", during="slow")
    run.slow()
    run.wait(5)
    run.gap(-3, 0)
    run.slow("ended")
    run.wait(6)
    assert run.state == "could-not-grade"


def test_a_gap_before_the_window_harms_nothing() -> None:
    run = begun("always", during="slow")
    run.wait(5)
    run.gap(-3, 0)
    run.wait(1)
    run.slow()
    run.slow("ended")
    run.wait(6)
    assert run.state == "pass"


def test_a_stretch_across_a_lost_gap_is_not_unbroken() -> None:
    run = begun("stays", lasting=5.0)
    run.wait(4)
    run.gap(-1, 0)
    run.wait(4)
    assert run.state == "waiting"
    run.wait(1.1)
    assert run.state == "pass"


@pytest.mark.parametrize(("back", "expected"), [(True, "could-not-grade"), (False, "fail")])
def test_recovered_with_a_lost_gap(back: bool, expected: str) -> None:
    run = begun("recovered", after="slow.start", within=IN_10)
    run.slow()
    run.flag(False)
    run.wait(4)
    run.gap(-2, 0)
    run.flag(back)
    run.wait(20)
    assert run.state == expected


def test_trouble_of_ours_is_a_lost_gap() -> None:
    run = begun("always", during="slow")
    run.slow()
    run.add("trouble", "", {"text": "a node went away", "from": run.at, "until": run.at + 1})
    run.slow("ended")
    run.wait(6)
    assert run.state == "could-not-grade"


def behind() -> Judged:
    run = Judged(check("always", BEHIND, during="slow"))
    run.put(endpoints({"a": "ready", "b": "ready"}))
    run.start()
    run.slow()
    run.wait(5)
    run.gap(-3, 0)
    return run


def test_what_is_not_in_the_news_after_a_lost_gap_did_not_change() -> None:
    run = behind()
    run.flag(True)  # something else changed
    run.slow("ended")
    run.wait(6)
    assert run.state == "pass"


def test_what_is_in_the_news_after_a_lost_gap_may_have_changed_twice() -> None:
    run = behind()
    run.put(endpoints({"a": "ready", "c": "ready"}), synthetic=True)
    run.slow("ended")
    run.wait(6)
    assert run.state == "could-not-grade"


def test_a_gap_of_other_kinds_harms_nothing() -> None:
    run = begun("always", during="slow")
    run.slow()
    run.gap(0, 1, kinds=["Pod"])
    run.slow("ended")
    run.wait(6)
    assert run.state == "pass"


def test_late_news_counts_when_both_ends_say_the_same() -> None:
    run = begun("eventually", False, within=IN_10)
    run.wait(6)
    run.gap(-3, 0, "late")
    run.flag(True)
    assert run.state == "pass"


def test_late_news_that_could_mean_two_things() -> None:
    run = begun("eventually", False, within=((4.0, 2), (10.0, 1)))
    run.wait(6)
    run.gap(-3, 0, "late")
    run.flag(True)
    assert run.state == "could-not-grade"


def test_late_news_of_a_violation_is_a_violation() -> None:
    run = begun("always", during="slow")
    run.slow()
    run.wait(6)
    run.gap(-3, 0, "late")
    run.flag(False)
    assert run.state == "fail"


@pytest.mark.parametrize("how", ["lost", "late"])
def test_a_violation_seen_while_the_kinds_came_back_one_by_one_is_taken_back(how: str) -> None:
    run = Judged(check("always", BEHIND, during="slow"), check("always", id="flag", during="slow"))
    run.flag(True)
    run.put(endpoints({}))
    run.start()
    run.wait(3)
    run.slow()  # Pods are up to date already, EndpointSlices are not
    assert run.verdict("c").state == "fail"
    run.wait(0.3)
    run.put(endpoints({"a": "ready", "b": "ready"}))
    run.gap(-2, 0, how)
    assert run.verdict("c").state == "could-not-grade"
    assert run.verdict("flag").state == "holding"


def test_a_violation_from_before_a_gap_stands() -> None:
    run = begun("always", during="slow")
    run.slow()
    run.flag(False)
    run.wait(3)
    run.gap(-2, 0)
    assert run.state == "fail"


def test_late_news_leaves_the_length_of_a_stretch_open() -> None:
    run = begun("always", during="slow", grace=2.0)
    run.slow()
    run.wait(6)
    run.gap(-3, 0, "late")
    run.flag(False)
    run.flag(True)
    run.slow("ended")
    run.wait(6)
    assert run.state == "could-not-grade"


def test_a_prediction_over_a_lost_gap_costs_nothing() -> None:
    prediction = Prediction(id="p", ask="?", answer="choice", observed='["a"]', before="slow", settle=5.0)
    run = Judged(check("predicted", "p"), predictions=(prediction,))
    run.start()
    run.predict("p", "b")
    run.slow()
    run.wait(2)
    run.gap(-1, 0)
    run.slow("ended")
    run.wait(6)
    assert run.state == "could-not-grade"
    assert run.engine.summary() == (0, 1, 0)
    run.slow()
    run.slow("ended")
    run.wait(6)
    assert run.state == "fail"  # the next time was seen


def test_lists_read_again_show_no_state_that_never_was() -> None:
    run = Judged(
        check("always", 'readyPods("").size() >= 1', during="slow"),
        check("eventually", 'readyPods("").size() == 2', id="two"),
    )

    def put(name: str, ready: bool, **extra: Any) -> None:
        run.put(pod(name, uid=name, owner=None, ready=ready), **extra)

    put("a", True)
    put("b", False)
    run.start()
    run.slow()
    run.wait(5)
    run.gap(-3, 0)
    put("a", False, synthetic=True)
    assert run.state == "holding"
    put("b", True, synthetic=True)
    put("c", True)
    run.remove("b")
    assert run.state == "holding"
    assert run.verdict("two").state == "waiting"
    run.slow("ended")
    run.wait(6)
    assert run.state == "could-not-grade"


def test_the_state_after_the_lists_is_seen_at_the_next_tick() -> None:
    run = Judged(check("always", 'readyPods("").size() >= 1', during="slow"))
    run.put(pod("a", uid="a", owner=None, ready=True))
    run.start()
    run.slow()
    run.wait(5)
    run.gap(-3, 0)
    run.put(pod("a", uid="a", owner=None, ready=False), synthetic=True)
    assert run.state == "holding"
    run.wait(0.25)
    assert run.state == "fail"


# --- trouble that lasts: the cluster was away, and its network has not caught up ----------------------
SERVED = {"each": "probe/front", "during": "slow", "maximum": 2}


def away(run: Judged, since: float, until: float) -> None:
    run.add(
        "trouble",
        "",
        {"text": "away", "from": run.at + since, "until": run.at + until, "kinds": ["probe", "load"]},
    )


def lose(run: Judged, number: int) -> None:
    for _ in range(number):
        run.wait(0.25)
        run.probe(ok=False)


def served(**fields: Any) -> Judged:
    run = Judged(check("count", "!object.ok", **{**SERVED, **fields}))
    run.start()
    run.slow()
    return run


@pytest.mark.parametrize(("before", "during", "after"), [(1, 3, 1), (0, 3, 0), (1, 0, 3), (2, 9, 9)])
def test_requests_lost_in_trouble_of_ours_count_for_nobody(before: int, during: int, after: int) -> None:
    """`during`: before we knew; `after`: while the network was still catching up."""
    run = served()
    lose(run, before)
    run.wait(1)
    lose(run, during)
    away(run, -0.25 * during - 0.1, 5)
    lose(run, after)
    run.slow("ended")
    run.wait(11)
    assert run.state == "could-not-grade"


def test_requests_lost_outside_the_trouble_still_decide() -> None:
    run = served()
    lose(run, 2)
    run.wait(1)
    away(run, -0.5, 2)
    run.wait(3)
    lose(run, 1)
    assert run.state == "fail"


def test_trouble_about_requests_leaves_other_checks_alone() -> None:
    run = begun("always", during="slow")
    run.slow()
    away(run, -0.5, 5)
    run.slow("ended")
    run.wait(6)
    assert run.state == "pass"


def test_trouble_that_lasts_reaches_a_window_that_opens_in_it() -> None:
    run = Judged(check("count", "!object.ok", **SERVED))
    run.start()
    run.wait(2)
    away(run, -1, 5)
    run.slow()
    lose(run, 4)
    run.slow("ended")
    run.wait(6)
    assert run.state == "could-not-grade"


def test_trouble_that_is_over_reaches_no_later_window() -> None:
    run = Judged(check("count", "!object.ok", **SERVED))
    run.start()
    run.wait(2)
    away(run, -1, 1)
    run.wait(2)
    run.slow()
    lose(run, 4)
    assert run.state == "fail"


def test_a_state_of_a_probe_in_trouble_fails_nobody() -> None:
    run = Judged(check("always", "probe.front.ok", during="slow"))
    run.probe()
    run.start()
    run.slow()
    away(run, -0.1, 5)
    lose(run, 1)
    run.probe()
    run.slow("ended")
    run.wait(8)
    assert run.state == "could-not-grade"


def test_a_witness_in_trouble_is_a_witness() -> None:
    run = Judged(check("eventually", "probe.front.ok", within=IN_10))
    run.probe(ok=False)
    run.start()
    away(run, -0.1, 5)
    run.wait(1)
    run.probe()
    assert run.state == "pass"


# --- a mark that came while nothing was seen: the gap hides what followed it ---------------------------
ROLLED = Mark(
    id="rollout",
    each="Deployment",
    when="old != null && object.spec.template != old.spec.template",
    until='one("Deployment", "shop").spec.done',
)


def shop(run: Judged, template: int, *, done: bool = False, **extra: Any) -> None:
    run.put(named("Deployment", "shop", spec={"template": template, "done": done}), **extra)


def before_rollout(operator: str, predicate: str, **fields: Any) -> Judged:
    run = Judged(check(operator, predicate, **fields), marks=(ROLLED,))
    run.flag(True)
    shop(run, 1, done=True)
    run.start()
    run.wait(10)
    return run


def read_again(run: Judged, template: int) -> None:
    """Its start came in a lost gap of five seconds that is just over."""
    run.gap(-5, 0)
    shop(run, template, synthetic=True)


def test_what_a_gap_hid_after_a_mark_is_no_pass() -> None:
    run = before_rollout("never", 'object.verb == "delete"', each="action", during="rollout")
    read_again(run, 2)
    run.wait(5)
    shop(run, 2, done=True)
    run.wait(1)
    assert run.state == "could-not-grade"
    shop(run, 3)  # the next time is seen whole
    shop(run, 3, done=True)
    run.wait(1)
    assert run.state == "pass"


def test_what_is_seen_after_a_hidden_mark_still_decides() -> None:
    run = before_rollout("never", 'object.verb == "delete"', each="action", during="rollout")
    read_again(run, 2)
    run.wait(1)
    run.action("delete", "pods", "x")
    assert run.state == "fail"


@pytest.mark.parametrize(
    ("after", "within", "expected", "points"),
    [
        (1.0, ((10.0, 2), (20.0, 1)), "pass", 2),
        (7.0, ((10.0, 2), (20.0, 1)), "could-not-grade", 0),  # between seven and twelve seconds
        (16.0, ((10.0, 2), (20.0, 1)), "could-not-grade", 0),
    ],
)
def test_time_since_a_hidden_mark_is_a_stretch(after: float, within: Any, expected: str, points: int) -> None:
    run = before_rollout("eventually", 'object.verb == "get"', each="action", start="rollout", within=within)
    read_again(run, 2)
    run.wait(after)
    run.action("get", "pods", "x")
    assert (run.state, run.verdict().points) == (expected, points)


def test_a_window_opened_by_a_check_that_the_lists_made_pass() -> None:
    run = Judged(
        check("eventually", 'one("Deployment", "shop").spec.done', id="up"),
        check("never", 'object.verb == "delete"', each="action", start="up.pass"),
    )
    shop(run, 1)
    run.start()
    run.wait(10)
    run.gap(-5, 0)
    shop(run, 1, done=True, synthetic=True)
    run.wait(1)
    assert run.verdict("up").state == "pass"
    run.hand_in()
    assert run.state == "could-not-grade"


def test_a_mark_that_may_have_come_unseen_is_no_fail() -> None:
    run = before_rollout("never", 'object.verb == "delete"', each="action", during="rollout")
    run.gap(-5, 0)
    run.hand_in()
    assert run.state == "could-not-grade"
    run = before_rollout("never", 'object.verb == "delete"', each="action", during="rollout")
    run.gap(-5, 0, kinds=["Pod"])
    run.hand_in()
    assert run.state == "fail"


@pytest.mark.parametrize("told", [True, False])
def test_the_students_own_kill_in_a_lost_gap(told: bool) -> None:
    """Confirmed by a request from anywhere in the gap; when the request was lost as well, it may have been."""
    kill = Fault(id="kill", kind="kill-pod", target="pod:app=storefront", by="student", settle=2.0)
    run = Judged(check("always", 'pods("").size() == 0', during="kill"), faults=(kill,))
    run.put(pod("a", uid="a", owner=None))
    run.start()
    run.wait(10)
    if told:
        run.action("delete", "pods", "a")
    run.wait(4)
    run.gap(-5, 0)
    run.remove("a", synthetic=True)
    run.wait(3)
    run.hand_in(5)
    assert run.state == "could-not-grade"


def test_what_was_read_again_is_judged_alike_live_and_later() -> None:
    """The clock of a live sandbox ticks between two entries, that of a replay does not."""
    run = begun("always", during="slow")
    run.slow()
    run.wait(5)
    run.gap(-3, 0)
    run.put(named("ConfigMap", "flag", data={"on": "no"}), synthetic=True)
    run.wait(1)
    run.flag(True)
    assert run.state == "fail"
    run.hand_in()
    verdicts = work_out(run.engine.exercise, {}, run.entries).verdicts
    assert [each.state for each in verdicts] == ["fail"]

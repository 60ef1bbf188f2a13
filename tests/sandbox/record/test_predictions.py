from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sandbox.record.checks import ExerciseInvalid
from sandbox.record.checks.answers import is_right, right_pairs
from sandbox.record.exercise import Load
from tests.sandbox.record.build import named, pod
from tests.sandbox.record.judging import COUNT, Fault, Judged, Mark, Prediction, check

S = dt.timedelta


@pytest.mark.parametrize(
    ("answer", "value", "observed", "tolerance", "right"),
    [
        ("choice", "new", ["new"], None, True),
        ("choice", "same", ["new"], None, False),
        ("node", "worker-3", ["worker-1", "worker-3"], None, True),
        ("object", "uid-1", [], None, False),
        ("number", 10, [10], None, True),
        ("number", 11, [10], "10%", True),
        ("number", 12, [10], "10%", False),
        ("number", "12", [10], "±2", True),
        ("number", True, [1], None, False),
        ("number", "many", [1], None, False),
        ("duration", 12, [S(seconds=10)], "±2s", True),
        ("duration", "1m", [S(seconds=60)], None, True),
        ("duration", "500ms", [0.5], None, True),
        ("duration", "90s", [S(seconds=60)], "10%", False),
        ("order", ["a", "b"], [["a", "b"]], None, True),
        ("order", ["b", "a"], [["a", "b"]], None, False),
        ("set", ["b", "a"], [["a", "b"]], None, True),
        ("set", ["a"], [["a", "b"], ["a"]], None, True),
        ("set", "ab", [["a", "b"]], None, False),
        ("match", {"a": "1", "b": "2"}, [{"a": "1", "b": "2"}], None, True),
        ("match", {"a": "1"}, [{"a": "1", "b": "2"}], None, False),
        ("curve", [1, 2, 4], [[1, 2, 3]], "±1", True),
        ("curve", [1, 2], [[1, 2, 3]], "±1", False),
        ("curve", "x", [[1]], "±1", False),
    ],
)
def test_right(answer: str, value: Any, observed: list[Any], tolerance: str | None, right: bool) -> None:
    assert is_right(answer, value, observed, tolerance) is right


def test_pairs_of_a_match() -> None:
    assert right_pairs({"a": "1", "b": "x"}, [{"a": "1", "b": "2"}, {"a": "9", "b": "9"}]) == (1, 2)
    assert right_pairs("nonsense", [{"a": "1"}]) == (0, 1)


def predicting(**fields: Any) -> Judged:
    values: dict[str, Any] = {"answer": "choice", "before": "slow", "settle": 5.0}
    values["observed"] = f'{COUNT} ? ["two"] : ["one"]'
    prediction = Prediction(id="p", ask="?", **{**values, **fields})
    run = Judged(check("predicted", "p", points=2), predictions=(prediction,))
    run.start()
    return run


def test_it_is_looked_at_after_its_settle_time() -> None:
    run = predicting()
    assert (run.state, run.line) == ("your-turn", "needs your answer")
    run.predict("p", "two")
    assert run.state == "waiting"
    run.slow()
    run.slow("ended")
    run.wait(4)
    run.services(2)
    assert run.state == "waiting"
    run.wait(2)
    assert run.state == "pass"
    told = [each.change for each in run.found if each.kind == "prediction"]
    assert told == [{"id": "p", "observed": ["two"], "right": True}]


def test_what_happens_at_the_very_end_counts_and_later_does_not() -> None:
    for wait, state in ((5.0, "pass"), (5.1, "fail")):
        run = predicting()
        run.predict("p", "two")
        run.slow()
        run.slow("ended")
        run.wait(wait)
        run.services(2)
        run.wait(1)
        assert run.state == state


def test_only_the_first_answer_counts() -> None:
    run = predicting()
    run.predict("p", "one")
    assert run.engine.may_predict("p") == "It is locked already."
    run.predict("p", "two")
    run.slow()
    run.slow("ended")
    run.wait(6)
    assert run.state == "pass"


def test_after_the_fact_is_too_late() -> None:
    run = predicting()
    run.slow()
    run.predict("p", "one")
    run.slow("ended")
    run.wait(6)
    assert run.state == "your-turn"
    run.submit()
    assert (run.state, run.verdict().points) == ("fail", 0)


def test_answered_but_it_never_happened() -> None:
    run = predicting()
    run.predict("p", "one")
    run.submit()
    assert run.state == "fail"
    assert "not reached" in run.line


def test_handed_in_while_it_is_watched() -> None:
    run = predicting()
    run.predict("p", "one")
    run.slow()
    run.submit()
    assert run.state == "waiting"
    run.slow("ended")
    run.wait(6)
    assert run.state == "pass"


def test_an_observation_without_a_value_costs_nothing() -> None:
    run = predicting(observed='[string(1 / (objects("Service").size()))]')
    run.predict("p", "one")
    run.slow()
    run.slow("ended")
    run.wait(6)
    assert run.state == "could-not-grade"


def test_a_prediction_in_needs_means_committed() -> None:
    prediction = Prediction(id="p", ask="?", answer="choice", observed='["a"]', before="slow")
    run = Judged(check("eventually", COUNT, needs=("p",)), predictions=(prediction,))
    run.services(2)
    run.start()
    assert run.state == "waiting"
    run.predict("p", "wrong")
    assert run.state == "pass"


def asking(**fields: Any) -> Judged:
    values: dict[str, Any] = {"answer": "number", "observed": '[objects("Service").size()]'}
    question = Prediction(id="q", ask="?", **{**values, **fields})
    run = Judged(check("answered", "q", points=2), questions=(question,))
    run.services(2)
    run.start()
    return run


def answered(run: Judged, value: Any) -> Judged:
    run.add("answer", "q", {"id": "q", "value": value})
    return run


def test_a_question_is_marked_with_the_entry_that_answers_it() -> None:
    run = answered(asking(), 2)
    assert (run.state, run.line) == ("pass", "right")
    told = [each for each in run.found if each.kind == "answer"]
    assert [(each.uid, each.change) for each in told] == [
        ("q", {"id": "q", "observed": [2.0], "right": True})
    ]
    run = answered(asking(), 3)
    assert (run.state, run.verdict().points, run.line) == ("fail", 0, "it is different")


def test_an_answer_is_given_once_and_not_after_hand_in() -> None:
    run = answered(asking(), 3)
    assert run.engine.may_predict("q", question=True) == "It is locked already."
    answered(run, 2)
    assert run.state == "fail"
    run = asking()
    run.submit()
    answered(run, 2)
    assert (run.state, run.engine.may_predict("q", question=True)) == ("fail", "This attempt is not open.")


def test_what_came_of_an_answer_is_no_answer() -> None:
    run = Judged(
        check("count", "true", each="answer", maximum=1, id="c"),
        questions=(Prediction(id="q", ask="?", answer="number", observed="[1]"),),
    )
    run.start()
    answered(run, 1)
    run.add("answer", "q", {"id": "q", "observed": [1.0], "right": True})
    run.hand_in()
    assert run.verdict().facts == {"count": 1}


def test_a_lost_gap_takes_an_answer_back_and_says_so() -> None:
    run = asking()
    run.wait(5)
    answered(run, 3)
    run.gap(-2, 0)
    assert run.state == "could-not-grade"
    told = [each.change for each in run.found if each.kind == "answer"]
    assert told[-1] == {"id": "q", "observed": [], "right": None}
    run = answered(asking(observed="[2]"), 3)  # nothing in the cluster is asked: nothing can be lost
    run.gap(-2, 0)
    assert run.state == "fail"


def test_after_a_lost_gap_a_question_waits_until_the_lists_are_read() -> None:
    run = asking()
    run.wait(5)
    run.gap(-2, 0)
    run.wait(0.5)
    answered(run, 2)
    assert run.state == "waiting"
    run.wait(0.6)
    assert run.state == "pass"


def test_trouble_of_ours_that_lasts_costs_no_answer() -> None:
    run = asking()
    run.add("trouble", "", {"text": "node lost", "from": run.at, "until": run.at + 9, "kinds": ["Service"]})
    run.wait(2)
    assert answered(run, 3).state == "could-not-grade"
    run = asking()
    run.add("trouble", "", {"text": "node lost", "from": run.at, "until": run.at + 9, "kinds": ["Pod"]})
    assert answered(run, 3).state == "fail"


def test_another_prediction_is_unknown() -> None:
    run = predicting()
    assert run.engine.may_predict("none") == "There is no prediction none in this exercise."
    assert run.engine.may_predict("p", question=True) == "There is no question p in this exercise."
    run.predict("none", 1)
    assert run.state == "your-turn"


# --- every form, before the fact only ------------------------------------------------------------------
FORMS: dict[str, tuple[dict[str, Any], Any, Any]] = {  # fields, a right value, a wrong one
    "choice": ({"observed": '["a", "b"]'}, "b", "c"),
    "number": ({"observed": "[10]", "tolerance": "10%"}, 11, 12),
    "duration": ({"observed": '[duration("60s")]', "tolerance": "±2s"}, 61, 90),
    "object": ({"observed": 'objects("ConfigMap")'}, "ConfigMap/flag", "ConfigMap/flags"),
    "node": ({"observed": '["worker-1", "worker-2"]'}, "worker-2", "worker-3"),
    "order": ({"observed": '[["a", "b", "c"]]'}, ["a", "b", "c"], ["a", "c", "b"]),
    "set": ({"observed": '[["a", "b"], ["c"]]'}, ["b", "a"], ["a"]),
    "match": ({"observed": '[{"l": "a", "r": "b"}]'}, {"l": "a", "r": "b"}, {"l": "b", "r": "a"}),
    "curve": ({"observed": "[[20.0, 20.0, 20.0]]", "tolerance": "±15"}, [5, 20, 35], [4, 20, 35]),
}


@pytest.mark.parametrize("answer", FORMS)
def test_every_form_is_marked_by_the_record(answer: str) -> None:
    fields, right, wrong = FORMS[answer]
    for value, state in ((right, "pass"), (wrong, "fail")):
        run = predicting(answer=answer, **fields)
        run.flag(True)
        run.predict("p", value)
        run.slow()
        run.slow("ended")
        run.wait(6)
        assert (run.state, run.verdict().points) == (state, 2 if state == "pass" else 0)


@pytest.mark.parametrize("answer", FORMS)
@pytest.mark.parametrize("before", ["slow", "rush", "rollout"])
def test_after_the_fact_every_form_is_too_late(answer: str, before: str) -> None:
    fields, right, _ = FORMS[answer]
    prediction = Prediction(id="p", ask="?", answer=answer, before=before, settle=1.0, **fields)  # type: ignore[arg-type]
    run = Judged(
        check("predicted", "p"),
        predictions=(prediction,),
        marks=(Mark(id="rollout", each="ConfigMap", when="old != null", until="true"),),
        loads=(Load(id="rush", target="x:80/", rate=5, lasting=20),),
    )
    run.flag(False)
    run.start()
    assert run.engine.may_predict("p") is None
    happen(run, before)
    assert run.engine.may_predict("p") == (
        "Too late for this one: it has already happened. Reset to predict."
    )
    run.predict("p", right)
    run.wait(60)
    assert run.state == "your-turn"
    run.add("reset", "1", {"attempt": 1})
    run.start()
    run.predict("p", right)
    happen(run, before)
    run.wait(60)
    assert run.state == "pass"


def happen(run: Judged, what: str) -> None:
    if what == "slow":
        run.slow()
        run.slow("ended")
    elif what == "rush":
        run.add("load", "rush", {"id": "rush", "phase": "started"})
    else:
        run.flag(True)
        run.put(named("Service", "storefront"))


def test_a_mark_without_an_end_is_over_as_soon_as_it_has_come() -> None:
    mark = Mark(id="first-apply", each="Deployment", when='op == "ADDED"')
    prediction = Prediction(
        id="hops", ask="?", answer="order", observed='[["a", "b"]]', before="first-apply", settle=2.0
    )
    run = Judged(check("predicted", "hops"), predictions=(prediction,), marks=(mark,))
    run.start()
    run.predict("hops", ["a", "b"])
    run.put(named("Deployment", "storefront"))
    assert run.state == "waiting"
    run.wait(2.1)
    assert run.state == "pass"


@pytest.mark.parametrize(
    ("how", "kinds", "state"),
    [
        ("lost", None, "could-not-grade"),
        ("late", None, "fail"),
        ("lost", ["Deployment"], "could-not-grade"),
        ("lost", ["probe"], "fail"),
    ],
)
def test_a_mark_that_a_gap_may_hide_is_not_called_missed(how: str, kinds: Any, state: str) -> None:
    mark = Mark(id="first-apply", each="Deployment", when='op == "ADDED"')
    prediction = Prediction(id="hops", ask="?", answer="order", observed='[["a", "b"]]', before="first-apply")
    run = Judged(check("predicted", "hops"), predictions=(prediction,), marks=(mark,))
    run.start()
    run.predict("hops", ["a", "b"])
    run.wait(5)
    run.gap(-3, 0, how, **({"kinds": kinds} if kinds else {}))
    run.hand_in(5)
    assert run.state == state


def test_a_mark_after_a_gap_counts_as_ever() -> None:
    mark = Mark(id="first-apply", each="Deployment", when='op == "ADDED"')
    prediction = Prediction(id="hops", ask="?", answer="order", observed='[["a", "b"]]', before="first-apply")
    run = Judged(check("predicted", "hops"), predictions=(prediction,), marks=(mark,))
    run.start()
    run.predict("hops", ["b", "a"])
    run.gap(-3, 0)
    run.wait(5)
    run.put(named("Deployment", "storefront"))
    run.hand_in(5)
    assert run.state == "fail"


# --- a match is right by pairs -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("points", "value", "state", "got"),
    [
        (3, {"l": "a", "r": "b"}, "pass", 3),
        (3, {"l": "a", "r": "a"}, "fail", 1),
        (1, {"l": "a", "r": "a"}, "fail", 0),
        (3, {"l": "b", "r": "a"}, "fail", 0),
    ],
)
def test_a_match_earns_points_by_its_pairs(points: int, value: Any, state: str, got: int) -> None:
    question = Prediction(id="q", ask="?", answer="match", observed='[{"l": "a", "r": "b"}]')
    run = Judged(check("answered", "q", points=points), questions=(question,))
    run.start()
    answered(run, value)
    assert (run.state, run.verdict().points, run.engine.summary()[0]) == (state, got, got)
    told = next(each.change for each in run.found if each.kind == "answer")
    assert told["pairs"][1] == 2


def test_an_ill_formed_observation_costs_nobody() -> None:
    run = answered(asking(answer="set", observed='["a", "b"]'), ["a", "b"])
    assert run.state == "could-not-grade"


def test_misconceptions_are_told_with_the_verdict_until_it_is_right() -> None:
    fields = {
        "answer": "choice",
        "choices": {"1": "One", "2": "Two"},
        "misconceptions": {"1": "m1", "2": "m2"},
    }
    run = answered(asking(**fields), "1")
    assert run.verdict().facts == {"misconceptions": ["m1"]}
    assert answered(asking(**fields), "2").verdict().facts == {}


# --- how long it took ----------------------------------------------------------------------------------
def timing(value: float, **fields: Any) -> Judged:
    known: dict[str, Any] = {"first": COUNT, "after": "slow.start", "tolerance": "±2s", "settle": 20.0}
    prediction = Prediction(
        id="p", ask="?", answer="duration", observed="", before="slow", **{**known, **fields}
    )
    run = Judged(check("predicted", "p", points=2), predictions=(prediction,))
    run.start()
    run.predict("p", value)
    return run


def observed(run: Judged) -> Any:
    return [each.change for each in run.found if each.kind == "prediction"][-1]


@pytest.mark.parametrize(
    ("value", "state"), [(7, "pass"), (5, "pass"), (9, "pass"), (4.9, "fail"), (10, "fail")]
)
def test_the_time_until_it_first_held(value: float, state: str) -> None:
    run = timing(value)
    run.slow()
    run.slow("ended")
    run.wait(7)
    run.services(2)
    run.wait(1)
    run.services(0)
    run.wait(2)
    run.services(2)
    run.wait(20)
    assert run.state == state
    assert observed(run) == {"id": "p", "observed": [7.0], "right": state == "pass"}


def test_the_time_counts_from_the_moment_named() -> None:
    run = timing(3, after="slow.end")
    run.slow()
    run.wait(10)
    run.slow("ended")
    run.wait(3)
    run.services(2)
    run.wait(20)
    assert (run.state, observed(run)["observed"]) == ("pass", [3.0])


def test_it_held_already() -> None:
    run = timing(0)
    run.services(2)
    run.slow()
    run.slow("ended")
    run.wait(21)
    assert (run.state, observed(run)["observed"]) == ("pass", [0.0])


def test_it_never_came() -> None:
    run = timing(7)
    run.slow()
    run.slow("ended")
    run.wait(21)
    assert run.state == "fail"
    assert observed(run) == {"id": "p", "observed": [], "right": False}


def test_the_last_time_counts_again() -> None:
    run = timing(4)
    for seconds in (9, 4):
        run.services(0)
        run.slow()
        run.slow("ended")
        run.wait(seconds)
        run.services(2)
        run.wait(21)
    assert (run.state, observed(run)["observed"]) == ("pass", [4.0])


def test_a_lost_gap_in_the_time_costs_nothing() -> None:
    run = timing(7)
    run.slow()
    run.slow("ended")
    run.wait(6)
    run.gap(-2, 0)
    run.services(2)
    run.wait(21)
    assert run.state == "could-not-grade"


def test_news_that_came_late_leaves_a_stretch() -> None:
    for value, state in ((9, "pass"), (2, "could-not-grade"), (30, "fail")):
        run = timing(value, tolerance="±5s")
        run.slow()
        run.wait(10)
        run.gap(-4, 0, "late")
        run.services(2)
        run.slow("ended")
        run.wait(21)
        assert run.state == state


def test_a_time_is_measured_from_a_plain_moment() -> None:
    for after, words in (("slow.end+5s", "without what is added"), ("slw.end", '"slw" is not an id')):
        with pytest.raises(ExerciseInvalid, match=words):
            timing(1, after=after)


# --- who acts by kubectl before saying anything ---------------------------------------------------------
LATE = "Too late for this one: the Pod is already gone. Reset to predict."


def a_pod_goes() -> Judged:
    kill = Fault(id="kill", kind="kill-pod", target="pod:app=storefront", by="student", settle=5.0)
    asked = Prediction(id="p", ask="?", answer="choice", observed='["a"]', before="kill")
    run = Judged(check("predicted", "p"), faults=(kill,), predictions=(asked,))
    run.put(pod("a", uid="a"))
    run.start()
    run.wait(5)
    run.remove("a")
    return run


def test_who_deleted_the_pod_by_kubectl_first_is_too_late_and_may_reset() -> None:
    run = a_pod_goes()
    run.wait(0.5)
    run.action("delete", "pods", "a", through="terminal")
    assert run.engine.may_predict("p") == LATE
    run.predict("p", "a")
    run.wait(20)
    assert run.state == "your-turn"
    run.add("reset", "1", {"attempt": 1})
    run.put(pod("b", uid="b"))
    run.start()
    assert run.engine.may_predict("p") is None
    run.predict("p", "a")
    run.remove("b")
    run.action("delete", "pods", "b", through="terminal")
    run.wait(20)
    assert run.state == "pass"


def test_until_it_is_known_who_deleted_the_pod_nothing_is_locked() -> None:
    run = a_pod_goes()
    run.wait(0.5)
    assert "In two seconds it is known" in str(run.engine.may_predict("p"))
    run.predict("p", "a")
    run.wait(3)  # nobody's request came: it was a controller
    assert run.engine.may_predict("p") is None
    assert run.state == "your-turn"

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sandbox.record.checks.answers import is_right, right_pairs
from tests.sandbox.record.judging import COUNT, Judged, Prediction, check

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
    values: dict[str, Any] = {"before": "slow", "settle": 5.0, "observed": f'{COUNT} ? ["two"] : ["one"]'}
    prediction = Prediction(id="p", ask="?", answer="choice", **{**values, **fields})
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


def test_a_question_is_marked_at_once() -> None:
    question = Prediction(id="q", ask="?", answer="number", observed='[objects("Service").size()]')
    run = Judged(check("answered", "q"), questions=(question,))
    run.services(2)
    run.start()
    run.add("answer", "q", {"id": "q", "value": 2})
    run.wait(0.1)
    assert run.state == "pass"


def test_another_prediction_is_unknown() -> None:
    run = predicting()
    assert run.engine.may_predict("none") == "There is no prediction none in this exercise."
    run.predict("none", 1)
    assert run.state == "your-turn"

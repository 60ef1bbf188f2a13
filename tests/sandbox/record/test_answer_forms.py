"""What may be said to a prediction or question, in every form; and what saying it tells."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from sandbox.record.checks.answers import plain_answers, read_tolerance
from sandbox.record.checks.forms import ValueRefused, misconceptions_of, read_value, why_of
from sandbox.record.exercise import Prediction

THREE = {"api": "The request", "plan": "The plan", "run": "The Pod"}
SIDES = {"mono": "The monolith", "micro": "The microservices"}


def asked(answer: str, **fields: Any) -> Prediction:
    known: dict[str, Any] = {"choices": THREE} if answer in ("choice", "set", "order", "match") else {}
    known |= {"given": SIDES} if answer == "match" else {}
    known |= {"points": 3} if answer == "curve" else {}
    return Prediction(id="p", ask="?", answer=answer, observed="[]", **{**known, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "value", "read"),
    [
        ("choice", "plan", "plan"),
        ("set", ["run", "api"], ["run", "api"]),
        ("set", [], []),
        ("order", ["run", "api", "plan"], ["run", "api", "plan"]),
        ("match", {"micro": "run", "mono": "api"}, {"mono": "api", "micro": "run"}),
        ("number", 3, 3),
        ("number", 2.5, 2.5),
        ("number", " 4 ", 4),
        ("number", -1, -1),
        ("duration", 12, 12),
        ("duration", "1m", 60),
        ("duration", "500ms", 0.5),
        ("node", "worker-2", "worker-2"),
        ("object", "Pod/storefront-7c9d8-h6wvd", "Pod/storefront-7c9d8-h6wvd"),
        ("curve", [1, 2.5, 0], [1, 2.5, 0]),
    ],
)
def test_an_answer_is_kept_in_its_plain_form(answer: str, value: Any, read: Any) -> None:
    found = read_value(asked(answer), value)
    assert found == read
    assert json.loads(json.dumps(found)) == read


@pytest.mark.parametrize(
    ("answer", "values", "sentence"),
    [
        ("choice", ["Plan", "", None, 1, ["plan"], {"plan": 1}], "none of the answers to choose from"),
        ("set", ["plan", None, ["plan", "plan"], ["soup"], [1], {"plan": True}], "each at most once"),
        (
            "order",
            [["api", "plan"], ["api", "plan", "plan"], ["api", "plan", "soup"], "api", []],
            "all 3 in order",
        ),
        (
            "match",
            [{}, {"mono": "api"}, {"mono": "api", "micro": "api", "x": "api"}, [], "api"],
            "each of the 2 lines",
        ),
        ("match", [{"mono": "api", "micro": "soup"}, {"mono": "api", "micro": None}], "none of the answers"),
        (
            "number",
            ["", "many", None, True, [1], float("nan"), float("inf"), 10**400, 1e300],
            "Type a number",
        ),
        ("duration", [-1, "soon", None, 10**9, float("inf")], "how many seconds"),
        ("node", ["", "Worker 2", "../x", 3, None, "a" * 300], "a node in the picture"),
        (
            "object",
            ["storefront", "pod/x", "Pod/", "Pod/a b", None, {"kind": "Pod"}],
            "an object in the picture",
        ),
        ("curve", [[1, 2], [1, 2, 3, 4], [1, 2, "x"], "123", [1, 2, float("nan")], None], "Give 3 numbers"),
    ],
)
def test_what_cannot_be_an_answer_is_refused_with_a_sentence(
    answer: str, values: list[Any], sentence: str
) -> None:
    for value in values:
        with pytest.raises(ValueRefused, match=sentence):
            read_value(asked(answer), value)


@pytest.mark.parametrize(
    ("answer", "value", "shows"),
    [
        ("choice", "run", ["A"]),
        ("choice", "api", []),
        ("set", ["run", "plan"], ["A", "B"]),
        ("order", ["run", "plan", "api"], ["A"]),
        ("order", ["api", "run", "plan"], []),
        ("match", {"mono": "run", "micro": "api"}, ["A", "C"]),
        ("match", {"mono": "api", "micro": "api"}, ["C"]),
    ],
)
def test_wrong_choices_are_pointed_to_misconceptions(answer: str, value: Any, shows: list[str]) -> None:
    spec = asked(answer, misconceptions={"run": "A", "plan": "B", "micro/api": "C"})
    assert misconceptions_of(spec, value) == shows


def test_a_number_is_pointed_to_a_misconception_however_it_is_written() -> None:
    assert misconceptions_of(asked("number", misconceptions={"4": "old-one-stays"}), 4.0) == ["old-one-stays"]
    assert misconceptions_of(asked("duration", misconceptions={"1m": "slow"}), 60) == ["slow"]
    assert misconceptions_of(asked("number", misconceptions={"4": "old-one-stays"}), 5) == []


def test_what_the_author_says_to_an_answer() -> None:
    spec = asked("set", why={"run": "It runs.", "plan": "It is planned."})
    assert why_of(spec, ["plan", "api", "run"]) == "It is planned. It runs."
    assert why_of(spec, ["api"]) is None
    assert why_of(asked("number"), 3) is None


NODE = {"kind": "Node", "metadata": {"name": "worker-1"}}


@pytest.mark.parametrize(
    ("answer", "found", "plain"),
    [
        ("choice", ["new", 3, 2.0, True], ["new", "3", "2", "true"]),
        ("node", [NODE, "worker-2"], ["worker-1", "worker-2"]),
        ("object", [NODE, "Pod/a"], ["Node/worker-1", "Pod/a"]),
        ("set", [["a", 1]], [["a", "1"]]),
        ("order", [], []),
        ("match", [{"a": 1}], [{"a": "1"}]),
        ("number", [3, "4"], [3.0, 4.0]),
        ("duration", [dt.timedelta(minutes=1), 5], [60.0, 5.0]),
        ("curve", [[1, 2]], [[1.0, 2.0]]),
        # an author's mistake, which costs nobody anything
        ("set", ["a", "b"], None),
        ("order", [["a", None]], None),
        ("match", [["a"]], None),
        ("match", [{"a": {}}], None),
        ("number", ["many"], None),
        ("object", [{"metadata": {}}], None),
        ("choice", "new", None),
        ("choice", None, None),
    ],
)
def test_right_answers_in_plain_form(answer: str, found: Any, plain: Any) -> None:
    assert plain_answers(answer, found) == plain


def test_tolerances() -> None:
    assert read_tolerance("10%").allows(110, 100)
    assert not read_tolerance("10%").allows(111, 100)
    assert read_tolerance("±2").allows(8, 10)
    assert read_tolerance("± 500ms").allows(1.5, 1)
    assert not read_tolerance(None).allows(1.01, 1)
    with pytest.raises(ValueError, match="is no tolerance; write it like 10%"):
        read_tolerance("about 2")

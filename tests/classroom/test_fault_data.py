"""What the lesson page is told of faults: the menu, and nothing that a student has to find out."""

from __future__ import annotations

from typing import Any

from classroom.courseware import page_data
from sandbox.record.exercise import Exercise, Fault


def told(*faults: Fault) -> dict[str, Any]:
    exercise = Exercise(id="x", title="t", task="t", time=60.0, checks=(), faults=faults)
    return page_data._exercise(exercise, {}, {}, {}, b"seed")


def test_the_menu_is_there_with_a_reason_for_what_cannot_be_had() -> None:
    menu = told()["menu"]
    assert {each["group"] for each in menu} == {"pod", "traffic", "node", "control-plane", "config"}
    by_kind = {each["kind"]: each for each in menu}
    assert by_kind["fail-readiness"]["refused"] is None
    assert "shared" in by_kind["drain-node"]["refused"]


def test_a_value_may_be_corrupted_where_the_lesson_names_one() -> None:
    value = {"object": "ConfigMap/prices", "path": "data.ROPE", "value": "free"}
    fault = Fault(id="f", kind="corrupt-config", target="", parameters=value)
    found = told(fault)
    assert {each["kind"]: each["refused"] for each in found["menu"]}["corrupt-config"] is None
    assert "ROPE" not in str(found)


def test_what_breaks_by_the_clock_is_not_told() -> None:
    fault = Fault(id="noon", kind="slow-app", target="pod:app=stock", by="timeline", at="start+40s")
    (found,) = told(fault)["faults"]
    assert found == {"id": "noon", "kind": "", "how": None, "by": "timeline", "target": "", "needs": []}

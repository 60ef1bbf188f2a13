"""What judges a viewer's own answers to a recording: in the browser, from what the recorded run showed.

Nothing of it is secret there: the recording tells what came. Of an exercise that never tells it there is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lessons.manifests_loading import substitute
from sandbox.record.exercise import Exercise, Prediction


def practice_of(exercise: Exercise | None, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """`{"asked": {item key: {"tolerance", "why"}}, "checks": {check id: item key}}`; None where nothing is told.

    An item key is "prediction/<id>" or "answer/<id>"; `checks` are those that are decided by what somebody said.
    """
    if exercise is None or exercise.feedback == "after-close":
        return None
    asked = {
        **{f"prediction/{each.id}": _judged(each) for each in exercise.predictions},
        **{f"answer/{each.id}": _judged(each) for each in exercise.questions},
    }
    kinds = {"predicted": "prediction", "answered": "answer"}
    checks = {
        check.id: f"{kinds[check.operator]}/{check.predicate}"
        for check in exercise.checks
        if check.operator in kinds
    }
    said: dict[str, Any] = substitute({"asked": asked, "checks": checks}, params)
    return said


def _judged(asked: Prediction) -> dict[str, Any]:
    return {"tolerance": asked.tolerance, "why": dict(asked.why)}

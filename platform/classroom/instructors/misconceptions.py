"""Which misconceptions a class's answers show: what to talk about in the room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from classroom.exercises.models import Mark
from classroom.workspaces.models import Sandbox
from sandbox.record.checks.forms import misconceptions_of
from sandbox.record.exercise import Prediction

Shown = tuple[str, str]  # id of the prediction or question, id of the misconception


def misconceptions_in(box: Sandbox, items: dict[str, Any], mark: Mark | None) -> list[dict[str, str]]:
    """`{of, id}` for each, of what stands in the live picture and of what was marked before."""
    shown = dict.fromkeys([*_now(box, items), *_marked(box, mark)])
    return [{"of": of, "id": each} for of, each in shown]


def count_misconceptions(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """`{lesson, of, id, words, people}`, most frequent first: each person once, however often they tried."""
    seen = {
        (row["lesson_title"], each["of"], each["id"], row["person"])
        for row in rows
        for each in row["misconceptions"]
    }
    counted = Counter(key[:3] for key in seen)
    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return [
        {"lesson": lesson, "of": of, "id": each, "words": each.replace("-", " "), "people": people}
        for (lesson, of, each), people in ordered
    ]


def _now(box: Sandbox, items: dict[str, Any]) -> Iterator[Shown]:
    """An answer that turned out right shows none, whatever the lesson's file says."""
    for kind, section in (("prediction", "predictions"), ("answer", "questions")):
        for asked in box.rubric.get(section, []):
            said = items.get(f"{kind}/{asked['id']}")
            if said and said.get("value") is not None and not said.get("right"):
                for each in misconceptions_of(msgspec.convert(asked, Prediction), said["value"]):
                    yield asked["id"], each


def _marked(box: Sandbox, mark: Mark | None) -> Iterator[Shown]:
    """The engine's verdict on a prediction carries them as facts."""
    asked = {check["id"]: check.get("predicate", "") for check in box.rubric.get("checks", [])}
    for verdict in mark.verdicts.all() if mark else ():
        facts = verdict.evidence.get("facts") or {}
        for each in facts.get("misconceptions", ()):
            yield asked.get(verdict.check_id, verdict.check_id), str(each)

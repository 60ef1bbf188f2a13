"""Lesson 12 as it stands in the course: right ways pass, each wrong one meets its hint. Without a cluster."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from lessons.loading import load_lesson
from sandbox.record.checks import Engine
from sandbox.record.exercise import Exercise
from tests.sandbox.record.build import Script, endpoints, named, pod, service

LESSON = Path(__file__).parents[3] / "lessons" / "how-clusters-work" / "12-first-app"
SHIP = {"shop": "alba"}
HOPS = ["request", "object", "controller", "scheduler", "kubelet", "container"]


@functools.cache
def exercise() -> Exercise:
    found = load_lesson(LESSON).exercise
    assert found is not None
    return found


class Attempt(Script):
    """A student's attempt: what is written is judged at once."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = Engine(exercise(), params=SHIP)
        self.start(**SHIP)

    def add(self, kind: str, uid: str, change: dict[str, Any], source: str = "test") -> Any:
        entry = super().add(kind, uid, change, source)
        for finding in self.engine.feed(entry):
            super().add(finding.kind, finding.uid, finding.change, "checks")
        return entry

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        for finding in self.engine.advance(self.at):
            super().add(finding.kind, finding.uid, finding.change, "checks")

    def foretells(self, hops: list[str] = HOPS) -> None:
        self.add("answer", "history", {"id": "history", "value": ["borg", "omega", "kubernetes"]})
        self.predict("hops", hops)

    def runs(
        self, app: str, *, owner: str | None = "ReplicaSet", kind: str = "Deployment", on_pods: bool = True,
        on_top: bool = False, behind: bool = True, answers: bool = True,
    ) -> None:  # fmt: skip
        """One app, as its file says: its objects, its Pod, its Service, its customers."""
        if owner:
            labels = {"labels": SHIP} if on_top else {}
            self.put(named(kind, app, metadata=labels, spec={"replicas": 1}))
        made = pod(f"{app}-1", app=app, owner=owner, node="worker-1", phase="Running", ready=True)
        if on_pods:
            made["metadata"]["labels"] |= SHIP
        self.put(made)
        self.put(service(app, app))
        self.put(endpoints({f"uid-{app}-1": "ready"} if behind else {}, service=app))
        asked = "front" if app == "storefront" else app
        self.probe(asked, ok=behind and answers, podUid=f"uid-{app}-1" if behind and answers else "")

    def hands_in(self) -> dict[str, str]:
        self.wait(10)
        self.submit()
        self.wait(1)
        self.add("handover", "", {"attempt": 1})
        return {each.check: each.state for each in self.engine.verdicts}


@pytest.mark.parametrize(
    ("kind", "owner"),
    [("Deployment", "ReplicaSet"), ("StatefulSet", "StatefulSet"), ("ReplicaSet", "ReplicaSet")],
)
def test_any_controller_will_do(kind: str, owner: str) -> None:
    attempt = Attempt()
    attempt.foretells()
    attempt.runs("storefront", kind=kind, owner=owner)
    attempt.runs("stock", kind=kind, owner=owner)
    states = attempt.hands_in()
    assert states == dict.fromkeys(states, "pass")
    assert attempt.engine.summary() == (10, 10, 10)


def test_nothing_done_passes_nothing() -> None:
    states = Attempt().hands_in()
    assert "pass" not in states.values()


def test_a_wrong_order_costs_its_own_points_only() -> None:
    attempt = Attempt()
    attempt.foretells([HOPS[-1], *HOPS[:-1]])
    attempt.runs("storefront")
    attempt.runs("stock")
    states = attempt.hands_in()
    assert [check for check, state in states.items() if state != "pass"] == ["p1"]
    found = next(each for each in attempt.engine.verdicts if each.check == "p1")
    assert found.facts["misconceptions"] == ["kubectl-starts"]


@pytest.mark.parametrize(
    ("way", "hint", "failing"),
    [
        ({"owner": None}, "no-controller", "owned"),
        ({"on_pods": False, "on_top": True}, "not-on-pods", "labelled"),
        ({"behind": False}, "nobody-behind", "named"),
        ({"answers": False}, "refused", "named"),
    ],
)
def test_a_wrong_way_meets_its_hint(way: dict[str, Any], hint: str, failing: str) -> None:
    attempt = Attempt()
    attempt.foretells()
    attempt.runs("storefront", **(way if hint in ("no-controller", "not-on-pods") else {}))
    attempt.runs("stock", **way)
    attempt.wait(3)
    assert attempt.engine.valid_hint == hint
    assert attempt.hands_in()[failing] == "fail"


def test_one_app_of_two_is_told_what_is_missing() -> None:
    attempt = Attempt()
    attempt.foretells()
    attempt.runs("storefront")
    attempt.wait(3)
    assert attempt.engine.valid_hint == "second-missing"

"""The incident of docs/authoring-lessons.md, word by word: it lints, and means the same for every student."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from sandbox.record.attempt import AttemptCourse, StartFault
from sandbox.record.checks import Engine
from sandbox.record.exercise import Exercise
from tests.sandbox.record.build import Script

PAGE = Path(__file__).resolve().parents[2] / "docs/authoring-lessons.md"
LESSON = """\
---
title: A slow noon
minutes: 10
outcomes: [repair a shop that became slow]
budget: {pods: 3, memory: 120Mi}
apps: [storefront, stock]
scene: cluster
---
## Noon
:::{step} noon
:concepts: S013, S109
:::
:::{exercise}
:::
:::{question} what-is-slow
:::
:::{checks} all
:::
"""
AROUND = """\
task: Customers of `storefront` shall be served.
probes: {front: {http: "storefront:80/whoami", ok: 'object.status == 200'}}
questions:
  - id: what-is-slow
    ask: What is slow?
    answer: choice
    choices: {stock: The stock, front: The storefront}
    observed: '["stock"]'
"""
NOON = 40.0
SECONDS_OPEN = 90.0


@pytest.fixture
def incident(bench) -> Exercise:
    text = PAGE.read_text().partition("**An incident**")[2]
    found = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert found is not None
    for other in ("wrong", "right", "files"):
        shutil.rmtree(bench.lesson_path / other)
    bench.file("solution.steps").unlink()
    bench.replace("solution.yaml", "${params.replicas}", "2")
    bench.write("lesson.md", LESSON)
    bench.write("exercise.yaml", AROUND + found[1])
    assert [each for each in bench.lint() if each.is_error] == []
    return bench.load().exercises["main"]


class Told(Script):
    """One student's attempt at it: an engine, and the moments at which the platform breaks something."""

    def __init__(self, incident: Exercise, *, start: float) -> None:
        super().__init__(at=start, tick=0.0)
        self.engine, self.course = Engine(incident, params={}), AttemptCourse(incident)
        self.broken_at: list[float] = []
        self.start()
        self.probe(ok=True)
        self.began = start

    def add(self, kind, uid, change, source="test"):
        entry = super().add(kind, uid, change, source)
        self.engine.feed(entry)
        self._obey(self.course.feed(entry))
        return entry

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            super().wait(1.0)
            self.engine.advance(self.at)
            self._obey(self.course.advance(self.at))

    def _obey(self, told) -> None:
        for each in told:
            if isinstance(each, StartFault):
                self.broken_at.append(self.at - self.began)
                self.fault(each.id, "started")
                self.probe(ok=False)

    def answer(self, value: str) -> None:
        self.add("answer", "what-is-slow", {"id": "what-is-slow", "value": value})

    def mend(self) -> None:
        self.probe(ok=True)

    def outcomes(self) -> dict[str, str]:
        self.add("submit", "1", {"attempt": 1, "by": "student"})
        self.fault("noon", "reverted")
        self.wait(10)
        self.add("handover", "", {"attempt": 1})
        return {each.check: each.state for each in self.engine.verdicts}


@pytest.mark.parametrize("start", [1_000.0, 1_764_000_123.0])
def test_it_breaks_at_the_same_second_for_everybody(incident, start):
    run = Told(incident, start=start)
    run.wait(NOON + 30)
    assert run.broken_at == [NOON]


def test_who_detects_explains_and_recovers_in_time_passes(incident):
    run = Told(incident, start=1_000.0)
    run.wait(NOON + 20)
    run.answer("stock")
    run.mend()
    run.wait(10)
    assert run.outcomes() == {"noticed": "pass", "explained": "pass", "recovered": "pass"}


def test_each_of_the_three_times_is_its_own(incident):
    run = Told(incident, start=1_000.0)
    run.wait(NOON + SECONDS_OPEN + 1)
    run.answer("stock")
    run.mend()
    run.wait(10)
    assert run.outcomes() == {"noticed": "fail", "explained": "pass", "recovered": "fail"}


def test_a_guess_before_anything_broke_detects_nothing(incident):
    run = Told(incident, start=1_000.0)
    run.answer("front")
    run.wait(NOON + 10)
    run.mend()
    run.wait(SECONDS_OPEN)
    assert run.outcomes() == {"noticed": "fail", "explained": "fail", "recovered": "pass"}

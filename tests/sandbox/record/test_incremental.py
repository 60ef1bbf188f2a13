"""Only what reads a changed kind is evaluated again, and the verdicts are those of one who evaluates everything."""

from __future__ import annotations

from collections import Counter

import pytest

from sandbox.record.cel import Predicate
from tests.sandbox.record.build import deployment, endpoints, named, pod
from tests.sandbox.record.judging import Judged, check

PODS = 'readyPods("app=storefront").size() >= 1'
CONFIG = 'one("ConfigMap", "flag").?data.on.orValue("") == "yes"'
PROBE = "probe.front.ok"
BOTH = f"{PODS} && {CONFIG}"


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each expression was evaluated, by its text."""
    counted: Counter[str] = Counter()
    evaluate = Predicate.evaluate

    def counting(self: Predicate, view):
        counted[self.text] += 1
        return evaluate(self, view)

    monkeypatch.setattr(Predicate, "evaluate", counting)
    return counted


@pytest.fixture
def run(evaluated: Counter[str]) -> Judged:
    made = Judged(*(check("stays", text, id=f"c{n}", lasting=500.0) for n, text in enumerate(TEXTS)))
    made.flag(False)
    made.start()
    evaluated.clear()
    return made


TEXTS = (PODS, CONFIG, PROBE, BOTH)


def test_a_change_of_one_kind_asks_only_those_that_read_it(run: Judged, evaluated: Counter[str]) -> None:
    run.flag(True)
    assert evaluated == {CONFIG: 1, BOTH: 1}
    run.put(pod(ready=True, phase="Running"))
    assert evaluated == {CONFIG: 1, BOTH: 2, PODS: 1}
    run.probe(ok=True)
    assert evaluated == {CONFIG: 1, BOTH: 2, PODS: 1, PROBE: 1}


def test_what_nobody_reads_and_time_that_passes_ask_nobody(run: Judged, evaluated: Counter[str]) -> None:
    run.put(deployment())
    run.put(endpoints({"u": "ready"}))
    run.put(named("Service", "storefront"))
    run.summary()
    run.action("get", "pods", "x")
    run.wait(100)
    assert evaluated == {}


def test_many_changes_cost_each_expression_its_own_only(run: Judged, evaluated: Counter[str]) -> None:
    for n in range(100):
        run.put(named("Service", f"s{n}"))
        run.flag(n % 2 == 0)
    assert evaluated == {CONFIG: 100, BOTH: 100}

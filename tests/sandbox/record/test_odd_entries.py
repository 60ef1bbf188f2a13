"""Entries that this version does not know, and predicates that break in the middle of an attempt."""

from __future__ import annotations

import pytest

from sandbox.record.entry import Entry
from sandbox.record.picture import Picture
from tests.sandbox.record.judging import FLAG, Judged, check

LATER = [
    ("forecast", {"id": "x", "value": 3}),  # a kind of a later version
    ("fault", {"id": "slow", "phase": "paused", "since": 3}),  # a phase of a later version
    ("gap", {"from": 0, "until": 0, "how": "foreseen", "kinds": []}),  # about nothing we know
    ("object", {"op": "RENAMED", "kind": "Sloop", "object": {"kind": "Sloop", "metadata": {"uid": "u"}}}),
    ("probe", {"id": "other", "ok": True, "status": 200, "hops": [1, 2]}),
    ("verdict", {"check": "elsewhere", "state": "pondered"}),
]


@pytest.mark.parametrize(("kind", "change"), LATER, ids=[kind for kind, _ in LATER])
def test_an_entry_of_a_newer_version_changes_no_verdict(kind, change):
    plain, run = (Judged(check("always", FLAG, during="slow")) for _ in range(2))
    for each in (plain, run):
        each.flag(True)
        each.start()
        each.slow()
        if each is run:
            each.add(kind, "x", dict(change))
        each.wait(1)
        each.slow("ended")
        each.wait(10)
        each.hand_in(1)
    assert (run.state, run.verdict().points) == (plain.state, plain.verdict().points) == ("pass", 1)


@pytest.mark.parametrize(("kind", "change"), LATER, ids=[kind for kind, _ in LATER])
def test_nor_does_it_break_the_picture(kind, change):
    picture = Picture()
    for seq, (each, what) in enumerate([("start", {"attempt": 1, "params": {}}), (kind, dict(change))], 1):
        picture.feed(Entry(epoch=1, seq=seq, at=1000.0 + seq, source="test", kind=each, uid="x", change=what))
    assert picture.snapshot()["seq"] == 2


BROKEN = '100 / size(one("ConfigMap", "flag").?data.on.orValue("")) > 0'  # nothing there: a division by zero


@pytest.mark.parametrize(
    ("operator", "window", "state"),
    [
        ("always", {"during": "slow"}, "could-not-grade"),
        ("never", {"during": "slow"}, "could-not-grade"),
        ("eventually", {"within": ((600.0, 1),)}, "fail"),
        ("now", {}, "could-not-grade"),
    ],
)
def test_a_division_by_zero_is_undecided_and_said(operator, window, state):
    run = Judged(check(operator, BROKEN, **window))
    run.flag(None)
    run.start()
    run.slow()
    run.slow("ended")
    run.wait(10)
    run.hand_in(1)
    assert "zero" in run.engine.undecided["c"]
    assert run.state == state
    points, of, gradable = run.engine.summary()
    assert (points, of) == (0, 1)
    assert gradable == (0 if state == "could-not-grade" else 1)


def test_a_division_by_zero_that_is_over_lets_a_later_state_decide():
    run = Judged(check("eventually", BROKEN))
    run.flag(None)
    run.start()
    run.flag(True)
    assert run.state == "pass"


def test_a_clock_that_jumps_ahead_costs_at_most_what_time_costs():
    run = Judged(check("eventually", FLAG, within=((60.0, 1),)), check("stays", FLAG, id="s", lasting=5.0))
    run.flag(False)
    run.start()
    run.wait(3600)
    run.flag(True)
    assert run.state == "fail"
    run.wait(6)
    assert run.verdict("s").state == "pass"

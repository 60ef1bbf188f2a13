"""Loads in the record: their windows, what checks see of them, and what the page draws."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.record.attempt import AttemptCourse
from sandbox.record.exercise import Check, Load
from sandbox.record.picture import fold
from tests.sandbox.record.build import Script, pod
from tests.sandbox.record.judging import Judged, check, exercise

RUSH = Load(id="rush", target="x:80/", rate=12.0, lasting=5.0)


class Run(Judged):
    """A started attempt with the load `rush`."""

    def __init__(self, *checks: Check) -> None:
        super().__init__(*checks, loads=(RUSH,))
        self.flag(True)
        self.start()

    def phase(self, phase: str, **fields: Any) -> None:
        self.add("load", "rush", {"id": "rush", "phase": phase, **fields})

    def second(self, **fields: Any) -> None:
        self.wait(1)
        change = {"id": "rush", "sent": 12, "failed": 0, "p95": 20.0, "distinctPods": 1, "lost": 0}
        self.add("load", "rush", {**change, **fields})

    def failure(self) -> None:
        self.add("load", "rush", {"id": "rush", "ok": False, "status": 0, "ms": 2000.0, "error": "timeout"})


def test_the_window_is_open_until_the_last_answer_is_told() -> None:
    run = Run(check("count", "object.failed > 0", each="load/rush", during="rush", maximum=0))
    run.phase("started")
    for _ in range(6):  # a second more than it lasts: the last customers waited
        run.second()
    assert run.state == "holding"
    run.second(sent=3, failed=3)
    assert run.state == "fail"


def test_a_load_that_ends_closes_its_window_and_one_that_is_never_heard_of_again_does_too() -> None:
    run = Run(check("always", during="rush"))
    run.phase("started")
    run.wait(2)
    run.phase("ended")
    assert run.state == "pass"
    lost = Run(check("always", during="rush"))
    lost.phase("started")
    lost.wait(9)
    assert lost.state == "holding"
    lost.wait(2)
    assert lost.state == "pass"


def test_a_stopped_load_may_be_sent_again_at_once_and_the_last_one_counts() -> None:
    run = Run(check("always", during="rush"))
    run.phase("started")
    run.flag(False)
    assert run.state == "fail"
    run.phase("ended")
    run.flag(True)
    run.phase("started")
    assert run.state == "holding"
    run.second()
    run.phase("ended")
    assert run.state == "pass"


def test_a_pause_of_ours_in_the_middle_is_no_second_load() -> None:
    run = Run(check("always", during="rush"))
    run.phase("started")
    run.flag(False)
    run.flag(True)
    run.wait(4)
    run.second()
    run.phase("ended")
    assert run.state == "fail"


@pytest.mark.parametrize(
    ("anchor", "wanted"), [("rush.start", "fail"), ("rush.end", "pass"), ("rush.end+5s", "pass")]
)
def test_moments_of_a_load_open_windows(anchor: str, wanted: str) -> None:
    run = Run(check("always", start=anchor))
    run.phase("started")
    run.flag(False)
    run.flag(True)
    run.phase("ended")
    run.wait(6)
    run.hand_in()
    assert run.state == wanted


def test_checks_see_whole_seconds_and_no_single_failures() -> None:
    run = Run(
        check("count", "object.p95 < 600", id="fast", each="load/rush", during="rush", share=0.75),
        check("never", "object.lost > 0", id="kept", each="load/rush", during="rush"),
        check("eventually", "object.distinctPods >= 2", id="turns", each="load/rush", within=((90.0, 1),)),
    )
    run.phase("started")
    run.second()
    run.second(distinctPods=2)
    for _ in range(20):
        run.failure()
    run.second(failed=12, p95=2000.0)
    run.second(sent=0, p95=None)  # nobody came: no second to judge
    run.second()
    run.phase("ended")
    assert {each.check: each.state for each in run.engine.verdicts} == {
        "fast": "pass", "kept": "pass", "turns": "pass",
    }  # fmt: skip
    assert run.engine.undecided == {}


def test_a_second_in_which_nobody_was_answered_is_not_a_fast_one() -> None:
    run = Run(check("count", "object.p95 < 600", each="load/rush", during="rush", share=0.75))
    run.phase("started")
    run.second()
    run.second(failed=12, p95=None)  # all were refused
    run.phase("ended")
    assert run.state == "fail"


def test_a_load_that_broke_off_costs_nobody() -> None:
    run = Run(check("count", "object.failed > 0", each="load/rush", during="rush", maximum=0))
    run.phase("started")
    run.second()
    run.add("trouble", "", {"text": "ours", "from": run.at, "until": run.at, "kinds": ["load"]})
    run.phase("ended", why="the sender was lost")
    assert run.state == "could-not-grade"
    run.wait(1)
    run.phase("started")
    run.second()
    run.phase("ended")
    assert run.state == "pass"


def test_a_load_that_was_sent_away_shows_nothing() -> None:
    """Else starting and stopping it would pass every check that only must not be broken."""
    run = Run(check("count", "object.failed > 0", each="load/rush", during="rush", maximum=0))
    run.phase("started")
    run.second()
    run.phase("ended", stopped=True)
    assert run.state == "waiting"
    run.phase("started")
    run.second(failed=1)
    run.phase("ended")
    assert run.state == "fail"
    run.phase("started")
    run.second()
    run.phase("ended", stopped=True)
    assert run.state == "fail"  # the last that ran its time counts
    run.hand_in()
    assert run.state == "fail"


WINDOWS = st.lists(st.tuples(st.lists(st.integers(0, 2), max_size=4), st.booleans()), max_size=6)


@given(WINDOWS, st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_the_last_load_that_ran_its_time_decides(windows: list[tuple[list[int], bool]], most: int) -> None:
    """`windows`: failures of each second, and whether the student sent the customers away."""
    run = Run(check("count", "object.failed > 0", each="load/rush", during="rush", maximum=most))
    for seconds, stopped in windows:
        run.phase("started")
        for failed in seconds:
            run.second(failed=failed)
        run.phase("ended", **({"stopped": True} if stopped else {}))
        run.wait(1)
    whole = [seconds for seconds, stopped in windows if not stopped]
    bad = sum(failed > 0 for failed in whole[-1]) if whole else 0
    assert run.state == ("waiting" if not whole else "pass" if bad <= most else "fail")


def test_after_hand_in_a_load_under_way_runs_to_its_end() -> None:
    spec = exercise(
        check("always", during="rush"), loads=(Load(id="rush", target="x:80/", rate=1.0, lasting=60.0),)
    )
    course, script = AttemptCourse(spec), Script(at=1000.0, tick=0.0)

    def feed(kind: str, uid: str, change: dict[str, Any]) -> list[Any]:
        return course.feed(script.add(kind, uid, change))

    feed("start", "1", {"attempt": 1, "until": 2000.0})
    feed("load", "rush", {"id": "rush", "phase": "started", "until": script.at + 60})
    assert feed("verdict", "c", {"check": "c", "state": "pass"}) == []  # not while customers are there
    feed("submit", "1", {"by": "student"})
    assert course.state == "closing"
    script.wait(59)
    course.advance(script.at)
    assert course.state == "closing"
    feed("load", "rush", {"id": "rush", "phase": "ended"})
    script.wait(0.5)
    course.advance(script.at)
    assert course.state in ("testing", "handed-in")


# --- the picture ---------------------------------------------------------------------------------------
def shown(*changes: dict[str, Any]) -> dict[str, Any]:
    script = Script()
    script.start()
    for change in changes:
        script.add("load", "rush", {"id": "rush", **change})
    return fold(script.entries).items


STARTED = {"phase": "started", "rate": 12, "until": 1060.0, "by": "student"}
SECOND = {"sent": 12, "failed": 2, "p95": 40.0, "distinctPods": 1, "lost": 1, "pods": {"uid-a": 10}}


def test_the_picture_shows_a_load_and_its_last_second() -> None:
    items = shown(STARTED, SECOND, {**SECOND, "failed": 0, "p95": 20.0, "pods": {"uid-b": 12}})
    item = items["load/rush"]
    assert (item["t"], item["phase"], item["rate"], item["until"]) == ("load", "running", 12, 1060.0)
    assert (item["sent"], item["failed"], item["lost"], item["distinct"], item["p95"]) == (24, 2, 2, 2, 20.0)
    assert item["last"] == {"sent": 12, "failed": 0, "p95": 20.0}
    assert [each["text"] for each in items.values() if each["t"] == "marker"] == [
        "you sent customers: 12 requests a second"
    ]


def test_single_failures_are_counted_once_and_a_new_start_counts_from_nothing() -> None:
    failure = {"ok": False, "status": 0, "ms": 2000, "error": "timeout", "podUid": ""}
    ended = shown(STARTED, failure, failure, SECOND, {"phase": "ended"})["load/rush"]
    assert (ended["phase"], ended["failed"]) == ("ended", 2)
    assert ended["at"] < ended["until"] < 1e10  # when it began and really ended
    assert ended["until"] != STARTED["until"]
    again = shown(STARTED, SECOND, {"phase": "ended"}, STARTED)["load/rush"]
    assert (again["phase"], again["sent"], again["distinct"], again["last"]) == ("running", 0, 0, None)


def test_a_reset_takes_the_load_away_and_its_late_end_brings_nothing_back() -> None:
    script = Script()
    script.start()
    script.add("load", "rush", STARTED)
    script.add("reset", "1", {"attempt": 1})
    script.add("load", "rush", {"id": "rush", "phase": "ended"})
    assert "load/rush" not in fold(script.entries).items


def test_memory_stands_on_the_pod_and_stays_when_the_pod_changes() -> None:
    script = Script()
    script.put(pod("a", owner=None))
    assert "mem" not in fold(script.entries).items["pod/uid-a"]
    script.add("measure", "memory", {"pods": {"uid-a": 11_000_000, "uid-gone": 1}})
    script.put(pod("a", owner=None, node="worker-1"))
    items = fold(script.entries).items
    assert items["pod/uid-a"]["mem"] == 11_000_000
    assert "pod/uid-gone" not in items
    script.remove("uid-a")
    script.put(pod("a", owner=None))
    assert "mem" not in fold(script.entries).items["pod/uid-a"]


def test_a_probe_shows_the_pod_that_answered() -> None:
    script = Script()
    script.put(pod("a", owner=None))
    script.put(pod("b", owner=None))
    answer = {"id": "front", "ok": True, "status": 200, "ms": 2.0, "error": "", "podUid": "uid-a"}
    script.add("probe", "front", answer)
    assert fold(script.entries).items["probe/front"]["pod"] == "pod/uid-a"
    summary = {"id": "front", "summary": True, "sent": 4, "failed": 0}
    script.add("probe", "front", {**summary, "p95": 8.5, "pods": {"uid-a": 1, "uid-b": 3}})
    item = fold(script.entries).items["probe/front"]
    assert (item["pod"], item["pods"]) == ("pod/uid-b", {"pod/uid-a": 1, "pod/uid-b": 3})
    assert item["p95"] == 8.5
    script.add("probe", "front", {**summary, "failed": 4})
    assert fold(script.entries).items["probe/front"]["p95"] is None
    assert fold(script.entries).items["probe/front"]["pod"] is None
    script.add("probe", "front", {**answer, "podUid": "uid-of-somebody-else"})
    assert fold(script.entries).items["probe/front"]["pod"] is None

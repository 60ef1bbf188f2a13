"""The course of an attempt, and that no command is lost."""

from __future__ import annotations

from typing import Any

from sandbox.record.attempt import AttemptCourse, EndProbes, Handover, StartFault, Submit
from tests.sandbox.record.build import Script
from tests.sandbox.record.judging import Fault, check, exercise

TESTS = (
    Fault(id="again", kind="slow-app", target="x", by="submit", settle=2.0),
    Fault(id="more", kind="slow-app", target="x", by="submit"),
)


class Course(Script):
    def __init__(self, *checks: Any, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(at=1000.0, tick=0.0)
        self.course = AttemptCourse(exercise(*checks, faults=faults))
        self.told: list[Any] = []

    def add(self, kind: str, uid: str, change: dict[str, Any], source: str = "test") -> Any:
        entry = super().add(kind, uid, change, source)
        self.told += self.course.feed(entry)
        return entry

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        self.told += self.course.advance(self.at)

    def say(self, id_: str, state: str) -> None:
        self.add("verdict", id_, {"check": id_, "state": state})

    def take(self) -> list[Any]:
        told, self.told = self.told, []
        return told


def test_it_submits_when_all_passed_and_asks_again_if_nothing_came_of_it() -> None:
    run = Course(check("eventually", id="a"), check("always", id="b"))
    run.start()
    run.say("a", "waiting")
    run.say("b", "holding")
    assert run.take() == []
    run.say("a", "pass")
    assert run.take() == [Submit("checks")]
    run.wait(4)
    assert run.take() == []
    run.wait(2)
    assert run.take() == [Submit("checks")]
    run.submit("checks")
    run.say("b", "pass")
    assert run.take() == [Handover(), EndProbes()]
    run.add("handover", "", {})
    run.wait(100)
    assert run.take() == []


def test_a_failed_check_may_be_tried_again_until_time_is_up() -> None:
    run = Course(check("eventually", id="a"), check("eventually", id="b"))
    run.add("start", "", {"attempt": 1, "params": {}, "until": run.at + 60})
    run.say("a", "pass")
    run.say("b", "fail")
    run.wait(59)
    assert run.take() == []
    run.wait(1)
    assert run.take() == [Submit("time")]


def test_a_rule_that_only_holds_submits_nothing() -> None:
    run = Course(check("always", id="a"))
    run.start()
    run.say("a", "holding")
    run.wait(10)
    assert run.take() == []


def test_tests_run_one_after_another_each_with_its_settle_time() -> None:
    run = Course(check("always", id="a", during="again"), check("eventually", id="b"), faults=TESTS)
    run.start()
    run.say("a", "waiting")
    run.say("b", "pass")
    assert run.take() == [Submit("checks")]
    run.submit("checks")
    assert run.take() == [StartFault("again")]
    run.fault("again", "started")
    run.fault("again", "ended")
    run.wait(2)
    assert run.take() == []
    run.wait(0.1)
    assert run.take() == [StartFault("more")]
    run.fault("more", "failed", ours=False)
    run.say("a", "pass")
    run.wait(0.1)
    assert run.take() == [Handover(), EndProbes()]


def test_a_fault_that_never_begins_is_asked_for_again_and_then_left() -> None:
    run = Course(check("always", id="a", during="again"), faults=TESTS[:1])
    run.start()
    run.say("a", "waiting")
    run.submit()
    assert run.take() == [StartFault("again")]
    for _ in range(3):
        run.wait(5)
    assert run.take() == [StartFault("again")] * 3
    run.wait(5)
    assert run.take() == []
    run.wait(91)  # its check says nothing either
    assert run.take() == [Handover(), EndProbes()]


def test_a_window_of_the_student_runs_to_its_end_first() -> None:
    student = Fault(id="slow", kind="slow-app", target="x", by="student", settle=5.0)
    run = Course(check("always", id="a", during="slow"), faults=(student, *TESTS[:1]))
    run.start()
    run.say("a", "holding")
    run.fault("slow", "started")
    run.submit()
    run.fault("slow", "ended")
    run.wait(4)
    assert run.take() == []
    run.say("a", "pass")
    run.wait(2)
    assert run.take() == [StartFault("again")]


def test_a_fault_that_nobody_ends_holds_nothing_up_for_good() -> None:
    run = Course(check("always", id="a", during="again"), faults=TESTS[:1])
    run.start()
    run.submit()
    run.fault("again", "started")
    run.take()
    run.wait(240.1)
    assert run.take() == []
    run.wait(91)
    assert run.take() == [Handover(), EndProbes()]


def test_reset_and_start_again() -> None:
    run = Course(check("eventually", id="a"))
    run.start()
    run.say("a", "pass")
    run.take()
    run.add("reset", "", {"attempt": 1})
    run.wait(10)
    assert run.take() == []
    run.start()
    assert run.course.state == "running"
    run.wait(1)
    assert run.take() == []


def test_a_test_that_can_decide_nothing_any_more_is_left_out() -> None:
    run = Course(check("always", id="a", during="again"), check("eventually", id="b"), faults=TESTS[:1])
    run.start()
    run.say("a", "waiting")
    run.submit()
    run.say("a", "fail")  # what it needs has failed
    run.say("b", "fail")
    assert run.take() == [Handover(), EndProbes()]


def test_a_test_that_nothing_is_judged_by_runs_all_the_same() -> None:
    run = Course(check("eventually", id="b"), faults=TESTS[1:])
    run.start()
    run.submit()
    run.say("b", "fail")
    assert run.take() == [StartFault("more")]


def test_nobody_waits_for_the_last_test_to_settle_once_every_verdict_is_given() -> None:
    run = Course(check("always", id="a", during="again"), check("eventually", id="b"), faults=TESTS[:1])
    run.start()
    run.say("b", "pass")
    run.submit()
    run.fault("again", "started")
    run.take()
    run.say("a", "fail")
    assert run.take() == [Handover(), EndProbes()]


def test_a_first_test_settles_before_the_next_begins() -> None:
    run = Course(check("always", id="a", during="again"), faults=TESTS)
    run.start()
    run.submit()
    run.fault("again", "started")
    run.take()
    run.say("a", "fail")
    assert run.take() == []
    run.fault("again", "ended")
    run.wait(2.1)
    assert run.take() == [StartFault("more")]


def clocked(id_: str, by: str, at: str | None, **more: Any) -> Fault:
    return Fault(id=id_, kind="slow-app", target="x", by=by, at=at, **more)


def test_faults_of_the_clock_start_at_their_moments() -> None:
    faults = (
        clocked("first", "timeline", "start+20s"),
        clocked("second", "timeline", "first.end+5s"),
        clocked("seen", "check:a", None),
        clocked("said", "prediction:p", "start+3s"),
    )
    run = Course(check("eventually", id="a"), check("eventually", id="b"), faults=faults)
    run.start()
    run.wait(19)
    assert run.take() == []
    run.wait(1)
    assert run.take() == [StartFault("first")]
    run.add("fault", "first", {"id": "first", "phase": "started"})
    run.add("fault", "first", {"id": "first", "phase": "reverted"})
    run.add("prediction", "p", {"id": "p", "value": "x"})
    run.wait(3)
    assert run.take() == [StartFault("said")]
    run.add("fault", "said", {"id": "said", "phase": "started"})
    run.wait(2)
    assert run.take() == [StartFault("second")]
    run.add("fault", "second", {"id": "second", "phase": "started"})
    run.say("a", "pass")
    assert run.take() == [StartFault("seen")]


def test_a_fault_of_the_clock_waits_for_its_needs_and_is_not_asked_for_ever() -> None:
    run = Course(
        check("eventually", id="a"),
        check("eventually", id="b"),
        faults=(clocked("late", "timeline", "start+1s", needs=("a",)),),
    )
    run.start()
    run.wait(30)
    assert run.take() == []
    run.say("a", "pass")
    assert run.take() == [StartFault("late")]
    for _ in range(10):
        run.wait(6)
    assert run.take() == [StartFault("late")] * 3
    run.submit("student")
    assert StartFault("late") not in run.take()


def test_a_reset_starts_the_clock_anew() -> None:
    run = Course(check("eventually", id="a"), faults=(clocked("late", "timeline", "start+5s"),))
    run.start()
    run.wait(6)
    run.add("fault", "late", {"id": "late", "phase": "started"})
    run.take()
    run.add("reset", "1", {"attempt": 1})
    run.wait(30)
    assert run.take() == []
    run.start()
    run.wait(6)
    assert run.take() == [StartFault("late")]

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from classroom.accounts.models import Role, User
from classroom.courseware.catalogue import catalogue
from classroom.courseware.reading import exercise_of
from classroom.exercises import dispatching, jobs, marking, submitting, telling
from classroom.exercises.models import Attempt, Mark, Outbox, Verdict
from classroom.exercises.submitting import HandOver, hand_over, handovers_in
from classroom.live.runtime import Runtime
from classroom.workspaces.models import Sandbox
from classroom.workspaces.requesting import ensure_requested
from sandbox.record.entry import Entry
from tests.classroom.fakes import FakeObserver

pytestmark = pytest.mark.django_db(transaction=True)
HANDED = HandOver(number=1, first_seq=3, last_seq=9, by="student")


class FakeVerdict(msgspec.Struct):
    check: str
    outcome: str
    points: int
    of: int
    decided_by: list[dict[str, Any]] = []


class FakeResult(msgspec.Struct):
    points: float
    of: float
    provisional: bool
    verdicts: list[FakeVerdict]


PASSED = FakeResult(
    2, 3, False, [FakeVerdict("up", "pass", 1, 1, [{"seq": 5}]), FakeVerdict("foresaw", "fail", 1, 2)]
)
UNSURE = FakeResult(
    1, 1, True, [FakeVerdict("up", "pass", 1, 1), FakeVerdict("foresaw", "could-not-grade", 0, 2)]
)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rings for the worker, remembered instead of sent."""
    rings: list[int] = []
    for module in (jobs, submitting, dispatching):
        monkeypatch.setattr(module, "ring_for_marking", rings.append)
    return rings


@pytest.fixture
def box(make_user: Callable[..., User]) -> Sandbox:
    lesson = catalogue.lesson("tiny", "01-one")
    return ensure_requested(
        make_user(Role.STUDENT, "Ada"), catalogue.course("tiny"), lesson, exercise_of(lesson)
    )


@pytest.fixture
def attempt(box: Sandbox, rung: list[int]) -> Attempt:
    return hand_over(box.pk, HANDED)


def works_out(monkeypatch: pytest.MonkeyPatch, *results: Any) -> None:
    """What each call of the replay gives; an exception is raised."""
    left = list(results)

    def work_out(attempt: Attempt) -> Any:
        result = left.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(marking, "_work_out", work_out)


def later(seconds: float) -> None:
    """Time passes: leases end."""
    for row in Outbox.objects.exclude(leased_until=None):
        row.leased_until -= timedelta(seconds=seconds)
        row.save()


def test_handing_over_writes_attempt_and_outbox_together_and_rings(box: Sandbox, rung: list[int]) -> None:
    attempt = hand_over(box.pk, HANDED)
    assert Outbox.objects.get().attempt == attempt
    assert rung == [attempt.pk]
    assert (attempt.params, attempt.rubric_hash, attempt.seed) == (box.params, box.rubric_hash, box.seed)
    assert attempt.rubric["checks"][0]["id"] == "up"


def test_P35_the_same_handover_told_often_is_one_attempt(box: Sandbox, rung: list[int]) -> None:
    first = hand_over(box.pk, HANDED)
    assert hand_over(box.pk, HANDED) == first
    assert Attempt.objects.count() == Outbox.objects.count() == 1


def test_nothing_is_kept_when_the_outbox_cannot_be_written(
    box: Sandbox, rung: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(Outbox.objects, "create", broken)
    with pytest.raises(RuntimeError):
        hand_over(box.pk, HANDED)
    assert not Attempt.objects.exists()
    assert rung == []


def test_a_mark_is_stored_once_with_its_evidence(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    works_out(monkeypatch, PASSED)
    assert marking.mark(attempt.pk)
    assert not marking.mark(attempt.pk)
    mark = Mark.objects.get()
    assert (mark.points, mark.of, mark.provisional, mark.rubric_hash) == (2, 3, False, attempt.rubric_hash)
    verdict = Verdict.objects.get(check_id="up")
    assert (verdict.outcome, verdict.points, verdict.evidence["decided_by"]) == ("pass", 1, [{"seq": 5}])
    assert Outbox.objects.get().done is not None


def test_F12_a_dead_workers_attempt_is_marked_once_later(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    works_out(monkeypatch, PASSED)
    assert marking.take_lease(attempt.pk) == 1  # and then it was killed
    assert not marking.mark(attempt.pk)
    later(61)
    assert marking.mark(attempt.pk)
    assert Mark.objects.get().generation == 2


def test_F14_a_zombies_result_is_refused(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    generation = marking.take_lease(attempt.pk)
    assert generation == 1
    later(61)
    assert marking.take_lease(attempt.pk) == 2
    with pytest.raises(marking.LeaseLost):
        marking.store_result(attempt, generation, PASSED)
    assert not Mark.objects.exists()
    marking.store_result(attempt, 2, PASSED)
    with pytest.raises(marking.LeaseLost):
        marking.store_result(attempt, 2, PASSED)
    assert Mark.objects.count() == 1


def test_F25_could_not_grade_is_tried_again_and_replaced(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    works_out(monkeypatch, UNSURE, PASSED)
    assert marking.mark(attempt.pk)
    assert (Mark.objects.get().provisional, Outbox.objects.get().done) == (True, None)
    later(1000)
    assert marking.mark(attempt.pk)
    mark = Mark.objects.get()
    assert (mark.points, mark.of, mark.provisional) == (2, 3, False)


def test_a_failure_of_ours_is_never_a_zero(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    works_out(monkeypatch, RuntimeError("the record is away"), PASSED)
    assert not marking.mark(attempt.pk)
    assert not Mark.objects.exists()
    row = Outbox.objects.get()
    assert "the record is away" in row.problem
    assert row.done is None
    later(1000)
    assert marking.mark(attempt.pk)
    assert Mark.objects.get().points == 2


def test_after_many_tries_a_provisional_mark_stays_and_says_so(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    works_out(monkeypatch, *[UNSURE] * marking.MOST_TRIES)
    for _ in range(marking.MOST_TRIES):
        marking.mark(attempt.pk)
        later(10_000)
    assert Outbox.objects.get().problem == "still provisional"
    assert str(Mark.objects.get()) == "1/1 (provisional)"


def test_F16_many_workers_one_mark(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    works_out(monkeypatch, *[PASSED] * 8)
    outcomes: list[bool] = []

    def work() -> None:
        outcomes.append(marking.mark(attempt.pk))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 7 + [True]
    assert Mark.objects.count() == 1


def test_two_marks_of_one_rubric_cannot_exist(attempt: Attempt) -> None:
    Mark.objects.create(attempt=attempt, rubric_hash="r", generation=1, points=1, of=1)
    with pytest.raises(IntegrityError):
        Mark.objects.create(attempt=attempt, rubric_hash="r", generation=2, points=0, of=1)


def test_F09_the_dispatcher_rings_for_what_is_not_done(
    attempt: Attempt, rung: list[int], monkeypatch: Any
) -> None:
    rung.clear()
    assert dispatching.ring_undone() == [attempt.pk]
    marking.take_lease(attempt.pk)
    assert dispatching.ring_undone() == []
    later(61)
    assert dispatching.ring_undone() == [attempt.pk]
    works_out(monkeypatch, PASSED)
    marking.mark(attempt.pk)
    assert dispatching.ring_undone() == []
    assert rung == [attempt.pk] * 2


def test_the_dispatcher_looks_when_a_lease_ends(attempt: Attempt) -> None:
    assert dispatching.seconds_to_next_look() == dispatching.LOOK_SECONDS
    marking.take_lease(attempt.pk)
    later(40)
    assert dispatching.seconds_to_next_look() == pytest.approx(20, abs=1)
    later(100)
    assert dispatching.seconds_to_next_look() == 1.0


def test_a_broker_that_is_away_costs_only_time(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    from classroom.exercises import tasks

    def away(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(tasks.mark_attempt, "delay", away)
    jobs.ring_for_marking(attempt.pk)


def entry(seq: int, kind: str, **change: Any) -> Entry:
    return Entry(epoch=1, seq=seq, at=float(seq), source="observer", kind=kind, uid="1", change=change)  # type: ignore[arg-type]


def test_handovers_are_read_from_the_record() -> None:
    entries = [
        entry(5, "start", attempt=1),
        entry(8, "start", attempt=1),
        entry(20, "submit", attempt=1, by="checks"),
        entry(29, "handover", attempt=1),
        entry(31, "start", attempt=2),
        entry(40, "handover", attempt=2),
        entry(41, "start", attempt=3),
    ]
    assert handovers_in(entries) == [
        HandOver(number=1, first_seq=8, last_seq=29, by="checks"),
        HandOver(number=2, first_seq=31, last_seq=40, by=""),
    ]


def test_a_mark_is_told_to_the_record_once(attempt: Attempt, box: Sandbox, live: Runtime) -> None:
    marking.take_lease(attempt.pk)
    mark = marking.store_result(attempt, 1, PASSED)
    observer = FakeObserver()
    assert telling.read_untold() == [mark]
    assert not telling.tell(observer, mark)

    from sandbox.plan import plan_for
    from tests.classroom.fakes import FakeTrack

    observer.tracks[str(box.pk)] = FakeTrack(plan_for("x", pods=1, memory=1, cpu=1), None, {})
    observer.append(str(box.pk), "start", "1", {"attempt": 1, "params": {}, "until": 9.0}, "observer")
    assert telling.tell(observer, mark)
    telling.note_told(mark.pk)
    assert telling.read_untold() == []
    _, written = observer.tracks[str(box.pk)].entries
    assert written.change == {"attempt": 1, "points": 2, "of": 3, "provisional": False}
    assert observer.tracks[str(box.pk)].picture.items["attempt/now"]["points"] == 2


def test_a_lease_ends_by_the_databases_clock(attempt: Attempt) -> None:
    marking.take_lease(attempt.pk)
    until = Outbox.objects.get().leased_until
    assert until is not None
    assert timedelta(seconds=55) < until - timezone.now() <= marking.LEASE

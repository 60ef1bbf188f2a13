from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from classroom.accounts.models import Role, User
from classroom.courseware.catalogue import catalogue
from classroom.courseware.reading import exercise_of
from classroom.exercises.models import Attempt
from classroom.live.runtime import Runtime
from classroom.workspaces.models import Phase, Sandbox
from classroom.workspaces.reconciling import Reconciler
from classroom.workspaces.requesting import MADE_AGAIN, end, ensure_requested, extend, welcome_back
from sandbox.errors import ApiError, SandboxMismatch
from tests.classroom.fakes import FakeDesk, FakeObserver, FakeSteps, away

pytestmark = pytest.mark.django_db(transaction=True)


class Bench:
    """One reconciler with everything around it faked but the database."""

    def __init__(self, live: Runtime, room: int = 10) -> None:
        self.live = live
        self.steps = FakeSteps(room)
        self.restart_process()

    def restart_process(self) -> None:
        """The web process died: a new observer and reconciler, the same cluster and database."""
        self.observer = FakeObserver(self.live.store)
        self.desk = FakeDesk()
        self.reconciler = Reconciler(self.steps, self.observer, self.desk, self.live.resting_snapshot)

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.reconciler._not_before.clear()
            await self.reconciler.look()
            await self.reconciler.settle()
            await self.observer.settle()


@pytest.fixture
def bench(live: Runtime) -> Bench:
    return Bench(live)


def request_now(user: User) -> Sandbox:
    lesson = catalogue.lesson("tiny", "01-one")
    return ensure_requested(user, catalogue.course("tiny"), lesson, exercise_of(lesson))


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user(Role.STUDENT, "Ada")


@pytest.fixture
def box(ada: User) -> Sandbox:
    return request_now(ada)


async def fresh(box: Sandbox) -> Sandbox:
    return await Sandbox.objects.select_related("person").aget(pk=box.pk)


def item(bench: Bench, box: Sandbox) -> dict[str, Any]:
    return dict(bench.observer.tracks[str(box.pk)].picture.items["sandbox/self"])


async def test_a_requested_sandbox_becomes_ready(bench: Bench, box: Sandbox) -> None:
    await bench.look()
    now = await fresh(box)
    assert bench.steps.done == ["prepare"]
    assert (now.phase, now.phases) == (Phase.READY, [{"name": "namespace", "ms": 41}])
    assert now.namespace.startswith("gh-")
    assert now.namespace_uid
    assert now.expires is not None
    shown = item(bench, box)
    assert shown["phase"] == "ready"
    assert shown["phases"] == now.phases
    assert shown["expires"] == pytest.approx(now.expires.timestamp())
    assert bench.observer.probing == [now.namespace]
    await bench.look(2)
    assert bench.steps.done == ["prepare"]


async def test_F21_a_crash_while_preparing_is_made_good(bench: Bench, box: Sandbox) -> None:
    """The steps within are broken one by one in tests/sandbox/test_sandbox_steps.py."""
    bench.steps.break_at = [("prepare", RuntimeError("the process died here"))]
    await bench.look()
    assert (await fresh(box)).phase == Phase.PREPARING
    bench.restart_process()
    await bench.look()
    assert (await fresh(box)).phase == Phase.READY
    assert bench.steps.done == ["prepare"]


async def test_a_silent_cluster_is_not_the_students_fault(bench: Bench, box: Sandbox) -> None:
    bench.steps.break_at = [("prepare", away()), ("prepare", ApiError(500, "Oops", "quota"))]
    await bench.look()
    now = await fresh(box)
    assert (now.phase, now.tries) == (Phase.PREPARING, 0)
    assert "Trying again by itself" in item(bench, box)["text"]
    await bench.look()
    assert (await fresh(box)).tries == 1
    await bench.look()
    assert ((await fresh(box)).phase, (await fresh(box)).tries) == (Phase.READY, 0)


async def test_beyond_the_limit_there_is_a_place_in_the_queue(
    live: Runtime, ada: User, make_user: Any
) -> None:
    bench = Bench(live, room=1)
    first = await sync_to_async(request_now)(ada)
    others = [
        await sync_to_async(lambda n=n: request_now(make_user(Role.STUDENT, f"S{n}")))() for n in range(2)
    ]
    await bench.look()
    assert (await fresh(first)).phase == Phase.READY
    assert [(await fresh(box)).place for box in others] == [1, 2]
    assert "number 2 in the queue" in (await fresh(others[1])).text
    await sync_to_async(end)(first.pk)
    await bench.look(3)
    assert (await fresh(first)).phase == Phase.REMOVED
    assert [(await fresh(box)).phase for box in others] == [Phase.READY, Phase.REQUESTED]
    assert (await fresh(others[1])).place == 1


async def test_the_end_of_time_removes_it_and_extend_prevents_that(bench: Bench, box: Sandbox) -> None:
    await bench.look()
    await Sandbox.objects.filter(pk=box.pk).aupdate(expires=timezone.now() + timedelta(seconds=170))
    await bench.look()
    assert item(bench, box)["text"] == "3 min left. Extend by 30 min."
    await sync_to_async(extend)(box.pk)
    await bench.look()
    assert (await fresh(box)).phase == Phase.READY
    await Sandbox.objects.filter(pk=box.pk).aupdate(expires=timezone.now() - timedelta(seconds=1))
    await bench.look(2)
    now = await fresh(box)
    assert (now.phase, bench.steps.there) == (Phase.REMOVED, {})
    assert now.ended is not None
    assert str(box.pk) not in bench.observer.tracks
    assert ("closed", str(box.pk)) in bench.desk.told


async def test_a_removal_that_fails_is_tried_again(bench: Bench, box: Sandbox) -> None:
    await bench.look()
    await sync_to_async(end)(box.pk)
    bench.steps.break_at = [("remove", away()), ("remove", RuntimeError("died"))]
    await bench.look()
    assert (await fresh(box)).phase == Phase.EXPIRING
    await bench.look()
    bench.restart_process()
    await bench.look()
    assert (await fresh(box)).phase == Phase.REMOVED


async def test_F22_somebody_elses_namespace_is_left_alone(bench: Bench, box: Sandbox) -> None:
    await bench.look()
    await sync_to_async(end)(box.pk)
    bench.steps.break_at = [("remove", SandboxMismatch("another uid"))]
    await bench.look()
    assert (await fresh(box)).phase == Phase.REMOVED
    assert str(box.pk) in bench.steps.there


async def test_after_a_restart_of_web_running_sandboxes_are_observed_again(
    bench: Bench, box: Sandbox
) -> None:
    await bench.look()
    bench.restart_process()
    await bench.look()
    assert list(bench.observer.tracks) == [str(box.pk)]
    assert len(bench.observer.probing) == 1
    assert bench.steps.done[-2:] == ["uid", "renew"]
    assert (await fresh(box)).phase == Phase.READY


async def test_a_key_is_renewed_before_it_ends(bench: Bench, box: Sandbox) -> None:
    await bench.look()
    bench.reconciler._key_expires[str(box.pk)] = 0.0
    bench.steps.break_at = [("renew", away())]
    await bench.look()
    assert "renew" not in bench.steps.done
    await bench.look(2)
    assert bench.steps.done.count("renew") == 1


async def test_after_a_new_cluster_it_is_made_again_when_its_student_comes_back(
    bench: Bench, box: Sandbox, ada: User
) -> None:
    await bench.look()
    bench.steps.there.clear()
    bench.restart_process()
    await bench.look(2)
    gone = await fresh(box)
    assert (gone.phase, gone.lost) == (Phase.REMOVED, True)
    assert bench.steps.done.count("prepare") == 1
    again = await sync_to_async(welcome_back)(ada, "tiny", "01-one")
    assert again is not None
    assert (again.pk, again.phase, again.text) == (box.pk, Phase.REQUESTED, MADE_AGAIN)
    await bench.look()
    now = await fresh(box)
    assert (now.phase, now.lost) == (Phase.READY, False)
    assert now.text.startswith(MADE_AGAIN)


async def test_a_namespace_of_another_uid_counts_as_lost(bench: Bench, box: Sandbox) -> None:
    await bench.look()
    bench.steps.there[str(box.pk)] = "somebody-elses"
    bench.restart_process()
    await bench.look()
    assert (await fresh(box)).lost
    assert "remove" not in bench.steps.done


async def test_an_ended_sandbox_is_not_made_again_by_itself(bench: Bench, box: Sandbox, ada: User) -> None:
    await bench.look()
    await sync_to_async(end)(box.pk)
    await bench.look()
    assert await sync_to_async(welcome_back)(ada, "tiny", "01-one") is None
    another = await sync_to_async(request_now)(ada)
    assert another.pk != box.pk


async def test_what_the_observer_decides_is_mirrored_into_the_row(bench: Bench, box: Sandbox) -> None:
    await bench.look()
    bench.observer.append(str(box.pk), "phase", "", {"phase": "open"}, "observer")
    change = {"attempt": 3, "params": {}, "until": 9.0}
    bench.observer.append(str(box.pk), "start", "3", change, "observer")
    await bench.observer.settle()
    now = await fresh(box)
    assert (now.phase, now.attempt) == (Phase.OPEN, 3)


async def test_a_reset_half_done_by_a_dead_process_is_done_again(bench: Bench, box: Sandbox) -> None:
    await bench.look()
    bench.restart_process()
    bench.observer.half_reset.add(str(box.pk))
    await bench.look()
    (act,) = bench.observer.acts
    assert act[0] == "finish-reset"
    assert act[1][0]["kind"] == "Service"


async def test_a_reset_that_met_a_silent_cluster_is_finished_by_itself(bench: Bench, box: Sandbox) -> None:
    await bench.look()
    bench.observer.half_reset.add(str(box.pk))
    bench.observer.refuse = away()
    await bench.look()
    assert bench.observer.acts == []
    bench.observer.refuse = None
    await bench.look(2)
    assert [act[0] for act in bench.observer.acts] == ["finish-reset"]


async def test_handovers_of_a_dead_process_are_written_down(bench: Bench, box: Sandbox) -> None:
    await bench.look()
    observer, key = bench.observer, str(box.pk)
    observer.append(key, "start", "1", {"attempt": 1, "params": {}, "until": 9.0}, "observer")
    observer.append(key, "submit", "1", {"attempt": 1, "by": "student"}, "student")
    observer.append(key, "handover", "1", {"attempt": 1}, "observer")
    bench.live.store.append(key, observer.tracks[key].entries)
    bench.restart_process()
    await bench.look()
    attempt = await Attempt.objects.aget()
    assert (attempt.number, attempt.by) == (1, "student")
    assert attempt.last_seq == observer.tracks[key].seq
    assert attempt.first_seq == attempt.last_seq - 2
    bench.restart_process()
    await bench.look()
    assert await Attempt.objects.acount() == 1


def test_two_tabs_pressing_start_get_one_sandbox(ada: User) -> None:
    assert request_now(ada).pk == request_now(ada).pk


def test_extend_stays_within_a_working_day(box: Sandbox) -> None:
    for _ in range(40):
        later = extend(box.pk)
    assert later is not None
    assert later.expires is not None
    assert later.expires - timezone.now() <= timedelta(hours=8)


async def test_F22_what_is_left_of_an_ended_sandbox_is_removed(bench: Bench, box: Sandbox) -> None:
    await bench.look()
    uid = bench.steps.there[str(box.pk)]
    await sync_to_async(end)(box.pk)
    await bench.look()
    bench.steps.there[str(box.pk)] = uid  # the cluster was restored from before its removal
    bench.steps.strangers = {"gh-nobodys": "x"}
    bench.steps.break_at = [("remove", away())]
    await bench.reconciler.sweep()
    assert str(box.pk) in bench.steps.there
    await bench.reconciler.sweep()
    assert bench.steps.there == {}


async def test_F22_no_living_session_is_deleted_by_the_sweep(
    bench: Bench, box: Sandbox, ada: User, make_user: Any
) -> None:
    await bench.look()
    done = list(bench.steps.done)
    await sync_to_async(request_now)(await sync_to_async(make_user)(Role.STUDENT, "just asked"))
    await bench.reconciler.sweep()
    assert bench.steps.done == [*done, "namespaces"]
    assert (await fresh(box)).phase == Phase.READY


async def test_a_namespace_deleted_by_hand_is_noticed(bench: Bench, box: Sandbox, ada: User) -> None:
    await bench.look()
    bench.steps.there.clear()
    bench.steps.break_at = [("namespaces", away())]
    await bench.reconciler.sweep()
    assert (await fresh(box)).phase == Phase.READY, "an unanswered question is not an empty cluster"
    await bench.reconciler.sweep()
    now = await fresh(box)
    assert (now.phase, now.lost) == (Phase.REMOVED, True)
    assert bench.observer.tracks == {}
    again = await sync_to_async(welcome_back)(ada, "tiny", "01-one")
    assert again is not None
    await bench.look()
    assert (await fresh(box)).phase == Phase.READY

"""Windows of faults that last, that are tried again on the same Pod, that repeat, and that fail."""

from __future__ import annotations

import pytest

from tests.sandbox.record.build import pod
from tests.sandbox.record.judging import Fault, Judged, check

ONE = {"kind": "Pod", "name": "x-1", "uid": "u1"}
TWO = {"kind": "Pod", "name": "x-2", "uid": "u2"}
KILLS = (Fault(id="kill", kind="kill-pod", target="pod:app=x", by="submit"),)


def started(**more: object) -> dict[str, object]:
    return {"by": "student", "kind": "slow-app", "target": ONE, "targets": [ONE], "undo": {}, **more}


@pytest.mark.parametrize("end", ["reverted", "ended"])
def test_the_window_of_a_fault_that_lasts_is_its_time_and_its_settle(end: str) -> None:
    run = Judged(check("always", during="slow"))
    run.start()
    run.flag(True)
    run.slow(**started())
    run.wait(20)
    run.slow(end)
    run.wait(4)
    assert run.state == "holding"
    run.wait(2)
    assert run.state == "pass"


def test_on_the_same_pod_again_is_another_try_and_the_last_one_counts() -> None:
    run = Judged(check("always", during="slow"))
    run.start()
    run.flag(True)
    run.slow(**started())
    run.flag(False)
    run.slow("reverted")
    run.wait(6)
    assert run.state == "fail"
    run.flag(True)
    run.slow(**started())
    run.slow("reverted")
    run.wait(6)
    assert run.state == "pass"


def test_told_twice_while_it_runs_is_one_start() -> None:
    run = Judged(check("always", during="slow"))
    run.start()
    run.flag(True)
    run.slow(**started())
    run.flag(False)
    run.flag(True)
    run.slow(**started())
    run.slow("reverted")
    run.wait(6)
    assert run.state == "fail"


def test_that_it_could_not_be_taken_back_yet_ends_nothing() -> None:
    run = Judged(check("always", during="slow"))
    run.start()
    run.flag(True)
    run.slow(**started())
    run.slow("reverting")
    run.wait(30)
    assert run.state == "holding"
    run.slow("reverted")
    run.wait(6)
    assert run.state == "pass"


@pytest.mark.parametrize(("ours", "state"), [(True, "could-not-grade"), (False, "fail")])
def test_a_fault_that_failed_costs_only_if_it_was_not_ours(ours: bool, state: str) -> None:
    run = Judged(check("always", during="slow"))
    run.start()
    run.flag(True)
    run.slow(**started())
    run.slow("failed", ours=ours)
    run.slow("reverted")  # what was left of it is taken back: no end of anything
    run.hand_in(after=6)
    assert run.state == state


def repeated(run: Judged) -> None:
    """Both Pods are deleted one after another, in one window."""
    run.submit()
    for name, uid in (("x-1", "u1"), ("x-2", "u2")):
        run.put(pod(name, uid, app="x"))
    run.fault(
        "kill", "started", by="submit", kind="kill-pod", targets=[ONE], target=ONE, n=1, times=2, every=5.0
    )
    run.remove("u1")
    run.wait(5)


def test_one_window_from_the_first_start_to_the_last_end() -> None:
    run = Judged(check("always", during="kill"), faults=KILLS)
    run.start()
    run.flag(True)
    repeated(run)
    assert run.state == "holding"
    assert not [each for each in run.found if each.change.get("phase") == "ended"]
    run.fault(
        "kill", "repeated", by="submit", kind="kill-pod", targets=[TWO], target=TWO, n=2, times=2, every=5.0
    )
    run.flag(False)
    run.remove("u2")
    assert run.state == "fail"
    assert [each.change["phase"] for each in run.found if each.kind == "fault"][-1] == "ended"


def test_repetition_that_found_nothing_more_is_over_when_it_is_said() -> None:
    run = Judged(check("always", during="kill"), faults=KILLS)
    run.start()
    run.flag(True)
    repeated(run)
    run.fault("kill", "ended", by="submit")
    run.wait(1)
    assert run.state == "pass"

"""Lesson 14, right and wrong ways, through the whole heart: engine, course, picture, mark."""

from __future__ import annotations

import json

import pytest

from sandbox.record.marking import work_out
from sandbox.record.picture import fold
from tests.sandbox.record.lesson14 import Run, exercise, opened, solved


def finished(run: Run) -> Run:
    run.wait(120)
    if not run.handed_over:
        run.submit()
        run.wait(240)
    assert run.handed_over
    return run


@pytest.mark.parametrize("replicas", [3, 4])
@pytest.mark.parametrize("through", ["picture", "terminal"])
def test_the_reference_solution_gets_all_points(replicas: int, through: str) -> None:
    run = finished(solved(replicas, through=through))
    assert run.states == dict.fromkeys(run.states, "pass")
    assert run.engine.summary() == (14, 14, 14)
    assert [entry.change["by"] for entry in run.kinds("submit")] == ["checks"]
    assert run.probe_ended


def test_the_mark_is_a_replay_and_says_the_same() -> None:
    run = finished(solved())
    result = work_out(run.exercise, run.params, run.entries)
    assert (result.points, result.of, result.provisional) == (14, 14, False)
    live = [(each.check, each.state, each.points, each.decided_by) for each in run.engine.verdicts]
    assert [(each.check, each.state, each.points, each.decided_by) for each in result.verdicts] == live


def test_every_verdict_names_an_entry_of_the_record() -> None:
    run = finished(solved())
    seqs = {entry.seq for entry in run.entries}
    for verdict in run.engine.verdicts:
        assert verdict.decided_by
        assert {each.seq for each in verdict.decided_by} <= seqs
        assert verdict.line


def test_the_picture_of_a_whole_run_is_plain_json() -> None:
    run = finished(solved())
    items = json.loads(json.dumps(fold(run.entries).items))
    assert items["attempt/now"]["state"] == "handed-in"
    assert {key: item["state"] for key, item in items.items() if key.startswith("check/")} == {
        f"check/{id_}": "pass" for id_ in run.states
    }
    assert items["fault/kill"]["phase"] == "ended"
    assert items["prediction/who-returns"]["right"] is True
    said = [item["text"] for item in items.values() if item["t"] == "marker"]
    assert "your prediction" in said
    assert any(text.startswith("you killed 0") for text in said)
    assert "check passed: The wanted number is ready" in said


def test_the_start_state_fails_every_check() -> None:
    run = opened()
    run.wait(60)
    run = finished(run)
    assert run.states == dict.fromkeys(run.states, "fail")
    assert run.engine.summary() == (0, 14, 14)


def test_kubectl_opens_the_same_window() -> None:
    run = solved(through="terminal")
    run.wait(0.5)
    started = [each for each in run.kinds("fault") if each.change["phase"] == "started"]
    assert len(started) == 1
    assert started[0].change["by"] == "student"
    assert started[0].change["target"]["kind"] == "Pod"
    assert run.states["never-empty"] == "holding"


def test_a_controllers_deletion_is_no_fault() -> None:
    run = opened()
    run.delete("storefront")
    run.wait(5)
    run.deploy(3)
    run.wait(12)
    assert run.states["enough"] == "pass"
    run.go(next(iter(run.alive)))  # nobody asked for it
    run.wait(5)
    assert run.states["never-empty"] == "waiting"
    assert not [each for each in run.kinds("fault") if each.change["phase"] == "started"]
    run.predict("who-returns", "new")
    assert run.engine.may_predict("who-returns") == "It is locked already."


def test_deleting_before_enough_is_only_an_action() -> None:
    run = opened()
    assert run.engine.missing_for("kill") == ["enough"]
    assert run.engine.may_predict("who-returns") == "First: The wanted number is ready."
    run.delete("storefront")
    run.wait(5)
    assert run.states["never-empty"] == "waiting"


def test_too_late_to_predict_after_the_kill() -> None:
    run = opened()
    run.delete("storefront")
    run.wait(5)
    run.deploy(3)
    run.wait(12)
    run.kill()
    late = "Too late for this one: the Pod is already gone. Reset to predict."
    assert run.engine.may_predict("who-returns") == late
    run.predict("who-returns", "new")
    run.wait(60)
    assert run.states["foresaw"] == "your-turn"
    finished(run)
    assert run.states["foresaw"] == "fail"
    assert run.points["never-empty"] == 3


def test_a_wrong_prediction_costs_its_own_points_only() -> None:
    run = opened()
    run.delete("storefront")
    run.wait(5)
    run.deploy(3)
    run.wait(12)
    run.predict("who-returns", "same")
    run.kill()
    finished(run)
    assert run.states["foresaw"] == "fail"
    assert run.engine.summary() == (12, 14, 14)


def test_a_bad_first_try_can_be_repeated() -> None:
    run = solved()
    run.answer(False)
    for _ in range(5):
        run.probe(ok=False)
    run.answer(True)
    run.wait(40)
    assert (run.states["served"], run.states["back"]) == ("fail", "pass")
    assert not run.kinds("submit")
    run.kill()
    assert run.states["served"] == "holding"
    finished(run)
    assert run.engine.summary() == (14, 14, 14)


def test_a_slow_recovery_gets_fewer_points() -> None:
    run = opened()
    run.delete("storefront")
    run.wait(5)
    run.deploy(3, startup=40.0)
    run.wait(42)
    run.predict("who-returns", "new")
    run.kill()
    run.wait(90)
    assert (run.states["back"], run.points["back"]) == ("pass", 1)


def wrong(run: Run) -> str | None:
    """The hint valid at the end of a wrong way, after the student waited."""
    run.wait(45)
    hint = run.engine.valid_hint
    assert run.engine.hint(1)
    finished(run)
    points, _, of = run.engine.summary()
    assert points < of
    return hint


def test_wrong_three_bare_pods() -> None:
    run = opened()
    for n in range(2):
        run.new_pod(f"shop-{n}", owner=None)
    assert wrong(run) == "no-controller"
    assert run.states["managed"] == "fail"


def test_wrong_one_replica() -> None:
    run = opened()
    run.delete("storefront")
    run.wait(5)
    run.deploy(1)
    run.wait(12)
    run.settle_deployment(1)
    assert wrong(run) == "too-few"
    assert run.states["enough"] == "fail"


def test_wrong_label() -> None:
    run = opened()
    run.delete("storefront")
    run.wait(5)
    run.deploy(3, app="shop")
    run.wait(12)
    run.settle_deployment(3, app="shop")
    assert wrong(run) == "nobody-behind"


def test_wrong_no_readiness_probe() -> None:
    run = opened()
    run.delete("storefront")
    run.wait(5)
    run.deploy(3, probe=False)
    run.wait(3)
    run.settle_deployment(3, probe=False)
    run.predict("who-returns", "new")
    run.kill()
    run.answer(False)
    for _ in range(8):
        run.probe(ok=False)
    run.answer(True)
    assert wrong(run) == "too-early"
    assert run.states["served"] == "fail"


def test_wrong_image() -> None:
    run = opened()
    run.delete("storefront")
    run.wait(5)
    run.deploy(3, image="app/storefrnt:1.0")
    assert wrong(run) == "no-such-image"


def test_wrong_probe_port() -> None:
    run = opened()
    run.delete("storefront")
    run.wait(5)
    run.deploy(3, startup=10_000.0)
    assert wrong(run) == "never-ready"


def test_wrong_kept_the_first_pod() -> None:
    run = opened()
    run.deploy(3)
    run.wait(12)
    run.settle_deployment(3)
    assert wrong(run) == "left-over"
    assert run.states["managed"] == "fail"


def test_a_hint_is_offered_after_ninety_seconds_and_goes_when_it_no_longer_fits() -> None:
    run = opened()
    run.wait(80)
    assert not run.kinds("hint")
    assert run.engine.valid_hint == "no-controller"
    run.wait(15)
    assert [(e.uid, e.change["phase"], e.change.get("say")) for e in run.kinds("hint")] == [
        ("no-controller", "offered", None)
    ]
    found = run.engine.open_hint(run.at)
    assert found is not None
    assert found.change["say"] == "There are 1 Pods without an owner. Who would notice if one went away?"
    assert (found.change["n"], found.change["most"]) == (1, 1)
    run.add(found.kind, found.uid, found.change)
    run.delete("storefront")
    run.wait(5)
    assert [e.change["phase"] for e in run.kinds("hint")] == ["offered", "opened", "gone"]
    assert fold(run.entries).items["hint/now"]["say"] is None


def test_a_ladder_goes_further_each_time() -> None:
    run = opened()
    run.delete("storefront")
    run.wait(5)
    run.deploy(3, probe=False)
    run.wait(5)
    said = []
    for _ in range(3):
        found = run.engine.open_hint(run.at)
        assert found is not None
        said.append((found.change["n"], found.change["say"]))
        run.add(found.kind, found.uid, found.change)
    assert said == [(1, "The app needs a few seconds after start."), *[(2, "Look at the container.")] * 2]


def test_time_is_up() -> None:
    run = Run()
    run.open()
    run.entries[-1].change["until"] = None
    start = run.kinds("start")[0]
    run.add("start", "1", {**start.change, "until": run.at + 30})
    run.wait(31)
    assert [entry.change["by"] for entry in run.kinds("submit")] == ["time"]


def test_a_reset_waits_for_the_old_pods_and_a_new_answer() -> None:
    run = opened()
    assert len(run.kinds("start")) == 1
    run.add("reset", "1", {"attempt": 1})
    run.add("phase", "", {"phase": "resetting"})
    run.answer(True)
    run.add("phase", "", {"phase": "ready"})
    assert len(run.kinds("start")) == 1
    run._gone(next(iter(run.alive)))
    run.new_pod("storefront", owner=None, probe=False)
    run.wait(1)
    assert len(run.kinds("start")) == 2
    assert run.states["managed"] == "waiting"


def test_a_restart_of_the_observer_in_the_middle_goes_on() -> None:
    run = solved()
    run.wait(2)
    again = Run()
    again.entries, again.at = list(run.entries), run.at
    for entry in run.entries:
        again.engine.feed(entry)
        again.course.feed(entry)
    again.alive, again._known, again._names, again._due = run.alive, run._known, run._names, []
    for uid, each in run.alive.items():
        if each.get("deleting"):
            again.later(1, lambda uid=uid: again._gone(uid))
        elif not each.get("ready"):
            again.later(8, lambda uid=uid: again._put_pod(uid, ready=True))
    assert again.states == run.states
    finished(again)
    assert again.engine.summary() == (14, 14, 14)


def test_a_dropped_entry_is_never_a_zero_and_never_a_pass_unseen() -> None:
    run = finished(solved())
    full = {each.check: each.state for each in work_out(run.exercise, run.params, run.entries).verdicts}
    for index, entry in enumerate(run.entries):
        if entry.kind in ("start", "submit", "handover", "verdict", "prediction", "fault", "hint", "action"):
            continue
        faked = run.entries[:index] + run.entries[index + 1 :]
        for verdict in work_out(run.exercise, run.params, faked).verdicts:
            assert full[verdict.check] == "pass"
            assert verdict.state in ("pass", "could-not-grade"), (entry, verdict)


def test_predicates_of_the_lesson_are_cheap_enough() -> None:
    from sandbox.record.checks import compile_exercise

    compiled = compile_exercise(exercise())
    costs = [e.predicate.cost(5) for check in compiled.checks for e in check.expressions]
    costs += [hint.when.cost(5) for hint in compiled.hints if hint.when]
    assert max(costs) < 500

"""P01 to P10 from runs that are over: what is proven, what is said, and what a faked record must not become."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest

from authoring.faking import DROPPED, LOST, fake, fakes_of, is_lie
from authoring.measuring import Peak, peak_of
from authoring.preview.looking import last_proof
from authoring.proofs import (
    Job,
    Replay,
    claims_match,
    flake_rate,
    nothing_undecided,
    reset_returns,
    right_ways_pass,
    tiers_agree,
    upper_bound,
    within_budget,
)
from authoring.report import Report, as_data, keep, read_kept, text_of
from authoring.trial import ResetTrial, differences, shape_of
from authoring.verify import proofs_of, stored_runs
from lessons.loading import load_lesson
from lessons.recordings import read_recording, recordings_of
from sandbox.record.entry import Entry
from sandbox.record.marking import work_out

ROOT = Path(__file__).resolve().parents[2]
LESSON = ROOT / "lessons/how-clusters-work/14-self-healing"


@pytest.fixture(scope="module")
def lesson() -> Any:
    return load_lesson(LESSON)


@pytest.fixture(scope="module")
def real(lesson: Any) -> Any:
    """The stored run of the solution, as a run that is over."""
    return next(done for done in stored_runs(lesson, lesson.exercise) if done[0].way.kind == "solution")


# --- a real record ------------------------------------------------------------------------------------------
def test_what_the_stored_runs_prove_without_a_cluster(lesson: Any, real: Any) -> None:
    proofs = {proof.code: proof for proof in proofs_of(lesson, lesson.exercise, [real], None, "recorded")}
    wrong = {code: proof.notes for code, proof in proofs.items() if proof.ok is False}
    assert wrong == {}
    assert [code for code, proof in proofs.items() if proof.ok is None] == ["P01", "P03", "P08"]
    assert proofs["P02"].text.startswith("1 of 1 run, 14/14 points")
    assert proofs["P04"].text.startswith("1 of 1 (three-again: ")
    assert proofs["P09"].text == "12 of 12 (dropped entry, lost gap)"


def test_a_claim_that_does_not_hold_is_named_with_its_line(lesson: Any, real: Any) -> None:
    claim = lesson.claims[0]
    hard = msgspec.structs.replace(claim.check, within=((0.5, 1),))
    mine = dataclasses.replace(lesson, claims=(dataclasses.replace(claim, check=hard),))
    proof = claims_match(mine, lesson.exercise, [real])
    assert proof.ok is False
    assert proof.notes[0].startswith(f"three-again ({claim.file}:{claim.line}): ")


def test_every_fake_of_a_real_record_keeps_its_order_and_its_beginning(real: Any) -> None:
    entries = real[1].entries
    seen = set()
    for how, seq, faked in fakes_of(entries, "solution"):
        seen.add(how)
        assert faked[0] == entries[0]
        assert [each.seq for each in faked] == sorted(each.seq for each in faked)
        assert [each.at for each in faked] == sorted(each.at for each in faked)
        if how == DROPPED:
            assert seq not in [each.seq for each in faked]
        else:
            (gap,) = [each for each in faked if each.kind == "gap"]
            assert gap.change["how"] == "lost"
    assert seen == {DROPPED, LOST}
    assert list(fakes_of(entries, "solution")) == list(fakes_of(entries, "solution"))


def test_a_fake_that_lies_is_found(lesson: Any, real: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held against an engine that lies: it fails everything that has a hole."""

    def lying(exercise: Any, params: Any, entries: Any, images: Any) -> Any:
        result = work_out(exercise, params, entries, images)
        holed = any(b.seq != a.seq + 1 for a, b in itertools.pairwise(entries))
        verdicts = [
            msgspec.structs.replace(each, outcome="fail") if holed else each for each in result.verdicts
        ]
        return msgspec.structs.replace(result, verdicts=tuple(verdicts))

    monkeypatch.setattr("authoring.faking.work_out", lying)
    trial = real[1]
    faked = fake(lesson.exercise, trial.params, trial.entries, trial.images, "solution")
    lies = [each for each in faked if each.lies]
    assert {each.how for each in lies} == {DROPPED}
    assert "managed pass became fail" in str(lies[0])


@pytest.mark.parametrize(
    ("true", "faked", "lie"),
    [
        ("pass", "pass", False),
        ("pass", "could-not-grade", False),
        ("pass", "fail", True),
        ("fail", "pass", True),
        ("fail", "could-not-grade", False),
        ("could-not-grade", "fail", True),
    ],
)
def test_what_counts_as_a_lie(true: str, faked: str, lie: bool) -> None:
    assert is_lie(true, faked) == lie


# --- numbers ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("failed", "runs", "bound"), [(0, 10, 0.259), (0, 1, 0.95), (1, 10, 0.394), (3, 3, 1.0), (0, 100, 0.0295)]
)
def test_the_upper_bound_of_a_flake_rate(failed: int, runs: int, bound: float) -> None:
    """Clopper-Pearson, one side, 95 %: the values of any table."""
    assert upper_bound(failed, runs) == pytest.approx(bound, abs=0.001)


def pod(uid: str, op: str, seq: int, *, leaving: bool = False) -> Entry:
    metadata: dict[str, Any] = {"name": uid, "uid": uid}
    if leaving:
        metadata["deletionTimestamp"] = "2026-11-24T12:00:00Z"
    change = {"op": op, "kind": "Pod", "resourceVersion": str(seq), "object": {"metadata": metadata}}
    return Entry(epoch=1, seq=seq, at=float(seq), source="watch", kind="object", uid=uid, change=change)


def test_what_a_run_used() -> None:
    entries = [
        pod("a", "ADDED", 1),
        pod("b", "ADDED", 2),
        pod("a", "MODIFIED", 3, leaving=True),
        pod("c", "ADDED", 4),
        pod("a", "DELETED", 5),
    ]
    assert peak_of(entries) == Peak(pods=3, pods_at_rest=2, memory=None)
    measured: Any = msgspec.structs.replace(
        entries[0], seq=6, kind="measure", change={"pods": {"b": 10, "c": 5}}
    )
    assert peak_of([*entries, measured]).memory == 15


def test_the_budget_names_what_to_raise(lesson: Any, real: Any) -> None:
    over = Peak(
        pods=9,
        pods_at_rest=lesson.exercise.pods + 1,
        memory=lesson.exercise.memory + 2**20,
        cores=lesson.exercise.cpu + 0.1,
    )
    proof = within_budget(dataclasses.replace(lesson, minutes=1), lesson.exercise, [real], [over])
    assert proof.ok is False
    assert [note.split(":")[-1].strip() for note in proof.notes if "raise" in note] == [
        "raise budget.pods",
        "raise budget.cpu",
        "raise minutes",
    ]
    assert any("MiB" in note for note in proof.notes)


def test_a_replay_that_differs_and_a_recording_that_is_refused_are_named() -> None:
    differs = Replay("solution", {"served": ("pass", "fail")})
    proof = tiers_agree("namespace", [differs], [Replay("x", refused="x.jsonl.gz was edited by hand")])
    assert proof.ok is False
    assert proof.notes == ("x.jsonl.gz was edited by hand", "solution: served was pass, replayed fail")
    assert tiers_agree("namespace", [], []).ok is None


def test_an_undecided_state_is_refused(real: Any) -> None:
    job, trial = real
    open_ = dataclasses.replace(
        trial, result=msgspec.structs.replace(trial.result, undecided={"served": "no such key: ok"})
    )
    proof = nothing_undecided([(job, open_)])
    assert (proof.ok, proof.text) == (False, "1, 0")
    assert "served: no such key: ok" in proof.notes[0]


def test_a_failed_run_is_a_flake_with_its_evidence(real: Any) -> None:
    job, trial = real
    verdicts = list(trial.result.verdicts)
    verdicts[4] = msgspec.structs.replace(verdicts[4], state="fail", outcome="fail", line="3 of 2 allowed")
    failed = dataclasses.replace(
        trial, result=msgspec.structs.replace(trial.result, verdicts=tuple(verdicts))
    )
    proof = right_ways_pass([(job, trial), (job, failed)])
    assert proof.text.startswith("1 of 2 runs")
    assert f"{verdicts[4].check} fail, entries " in proof.notes[0]
    assert "3 of 2 allowed" in proof.notes[0]
    assert flake_rate([(job, trial), (job, failed)]).text == "1 of 2 (upper 95% bound 97%)"


# --- reset --------------------------------------------------------------------------------------------------
def test_the_shape_of_a_sandbox_leaves_out_what_differs_from_run_to_run() -> None:
    def owned(name: str, **metadata: Any) -> tuple[str, Any]:
        owner = [{"kind": "ReplicaSet", "name": "shop-7d", "controller": True}]
        return "Pod", {"metadata": {"name": name, "ownerReferences": owner, **metadata}, "spec": {}}

    deployment = ("Deployment", {"metadata": {"name": "shop"}, "spec": {"replicas": 2}})
    one, other = [deployment, owned("shop-7d-a")], [deployment, owned("shop-7d-b")]
    assert differences(shape_of(one), shape_of(other)) == []
    assert differences(shape_of(one), shape_of([deployment])) == ["Pod of a ReplicaSet is missing"]
    extra = [*one, ("Service", {"metadata": {"name": "x"}})]
    assert differences(shape_of(one), shape_of(extra)) == ["Service/x is there as well"]
    assert shape_of([owned("gone", deletionTimestamp="now")]) == shape_of([])


def test_a_reset_that_leaves_something_is_no_reset() -> None:
    assert reset_returns(ResetTrial(3.2, [])).text == "yes, ready again after 3.2 s"
    proof = reset_returns(ResetTrial(3.2, ["Service/x is there as well"]))
    assert (proof.ok, proof.notes) == (False, ("after the reset Service/x is there as well",))


# --- the report ---------------------------------------------------------------------------------------------
def test_the_report_as_text_and_as_data_and_kept(lesson: Any, real: Any, tmp_path: Path) -> None:
    proofs = proofs_of(lesson, lesson.exercise, [real], None, "namespace")
    report = Report(lesson, "namespace", 1, "replicas=3", proofs, [real])
    lines = text_of(report).splitlines()
    assert lines[0].startswith(f"14-self-healing  content {lesson.content_hash[:8]}")
    assert lines[-1] == f"{report.passed} passed, 0 failed"
    assert sum(line.startswith(("ok   P", "–    P")) for line in lines) == 10
    data = as_data(report)
    assert [proof["code"] for proof in data["proofs"]] == [f"P{n:02}" for n in range(1, 11)]
    assert data["runs"][0]["verdicts"][0]["decided_by"]
    keep(tmp_path, report)
    kept = read_kept(tmp_path, lesson.slug)
    assert kept is not None
    assert kept["rubric"] == lesson.rubric_hash
    assert read_kept(tmp_path, "none") is None
    assert last_proof(tmp_path, lesson) == (kept, False)
    copied = dataclasses.replace(lesson, path=tmp_path / lesson.slug)
    assert last_proof(tmp_path, copied) == (None, False)


def test_every_recording_beside_the_lesson_can_be_read(lesson: Any) -> None:
    found = [read_recording(path, lesson) for path in recordings_of(lesson.path)]
    known = {way.name for way in lesson.ways[lesson.exercise.id]}
    assert {each.way for each in found} <= known
    assert Job("P02", lesson.ways["main"][0], {}, False).proof == "P02"

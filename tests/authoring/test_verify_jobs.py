"""What `glasshull lesson verify` decides without a cluster: which runs there are, and what each of them proves."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from authoring import verify
from authoring.acts import is_stuck, last_move
from authoring.command import app
from authoring.proofs import Job, judge
from authoring.report import Report, read_kept, run_data, told
from authoring.staging import MemoryStore
from authoring.trial import Trial, run_way
from authoring.verify import (
    WRONG_WAIT,
    chosen,
    jobs_for,
    proofs_of,
    seeds_for,
    shortened,
    told_variants,
    way_from_file,
)
from lessons.loading import load_lesson
from lessons.models import Act, Way
from lessons.problems import LessonInvalid
from lessons.variants import edges_for
from sandbox.errors import ClusterUnavailable
from sandbox.record.checks.verdict import Because, Verdict
from sandbox.record.entry import Entry
from sandbox.record.marking import Result

ROOT = Path(__file__).resolve().parents[2]
LESSON = ROOT / "lessons/how-clusters-work/14-self-healing"


@pytest.fixture(scope="module")
def lesson() -> Any:
    return load_lesson(LESSON)


def trial_of(
    outcomes: dict[str, str], *, hints: tuple[str, ...] = (), trouble: tuple[str, ...] = ()
) -> Trial:
    verdicts = tuple(
        Verdict(
            check=check, say=check, state=outcome, outcome=outcome, points=int(outcome == "pass"), of=1,
            line="seen", decided_by=(Because(7, "it went"),),
        )
        for check, outcome in outcomes.items()
    )  # fmt: skip
    result = Result(points=sum(each.points for each in verdicts), of=2, provisional=False, verdicts=verdicts)
    return Trial("mine", {"replicas": 3}, result, 12.34, [], list(hints), list(trouble))


def job(proof: str, *, hint: str | None = None, kind: Any = "wrong") -> Any:
    way = Way("mine", kind, (Act("apply", "x"),), {}, hint)
    return Job(proof, way, {"replicas": 3}, proof == "P01")


# --- which runs ---------------------------------------------------------------------------------------
def test_the_solution_runs_on_every_edge_and_every_other_way_once(lesson: Any) -> None:
    jobs = jobs_for(lesson, lesson.exercise, runs=2, variants=edges_for(lesson.exercise))
    assert jobs[0][0] == "P01"
    assert jobs[0][3] is True
    right = [(way.name, params["replicas"]) for proof, way, params, _ in jobs if proof == "P02"]
    assert right == [
        ("solution", 3), ("solution", 3), ("solution", 4), ("solution", 4), ("force-delete", 3), ("replicaset", 3),
        ("statefulset", 3), ("two-deployments", 3),
    ]  # fmt: skip
    wrong = {way.name: way.hint for proof, way, _, _ in jobs if proof == "P03"}
    assert wrong == {
        "image-typo": "no-such-image", "kept-first-pod": "left-over", "label-typo": "nobody-behind",
        "no-readiness": "too-early", "one-replica": "too-few", "probe-wrong-port": "never-ready",
        "three-bare-pods": "no-controller", "deleted-only": "nobody-asks", "no-room": "not-allowed",
        "two-at-once": "more-than-one",
    }  # fmt: skip


def test_a_wrong_way_waits_less_long_and_the_solution_as_long_as_it_says(lesson: Any) -> None:
    jobs = jobs_for(lesson, lesson.exercise, runs=1, variants=[{"replicas": 3}])
    waits = {way.name: [act.within for act in way.acts if act.verb == "wait"] for _, way, _, _ in jobs}
    assert waits["one-replica"] == [WRONG_WAIT]
    assert waits["solution"] == [120.0]
    short = Way("w", "wrong", (Act("wait", "true", within=5.0),), {})
    assert shortened(short).acts[0].within == 5.0


def test_one_way_by_name(lesson: Any) -> None:
    jobs = jobs_for(lesson, lesson.exercise, runs=1, variants=[{"replicas": 3}])
    assert [each[1].name for each in chosen(jobs, "one-replica")] == ["one-replica"]
    assert [each[0] for each in chosen(jobs, "start")] == ["P01"]
    assert [each[0] for each in chosen(jobs, "solution")] == ["P02"]
    with pytest.raises(LessonInvalid, match="no way called one-replicas; there is start, ") as caught:
        chosen(jobs, "one-replicas")
    assert caught.value.problems


def test_repeated_proofs_also_try_what_students_draw(lesson: Any) -> None:
    """`replicas` has no other values than its edges; a name has twelve."""
    assert seeds_for(lesson.exercise, edges_for(lesson.exercise)) == []
    named = msgspec.structs.replace(lesson.exercise, variants={"shop": {"name": "ship"}})
    drawn = seeds_for(named, edges_for(named))
    assert drawn
    assert all(params not in edges_for(named) for params in drawn)
    assert told_variants([{"a": 1, "b": "x"}, {"a": 2, "b": "x"}]) == "a=1,2 b=x"


# --- what they prove ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("proof", "outcomes", "hints", "said"),
    [
        ("P01", {"a": "fail", "b": "fail"}, (), ""),
        ("P01", {"a": "pass", "b": "fail"}, (), "the start state passes a"),
        ("P02", {"a": "pass", "b": "pass"}, (), ""),
        ("P02", {"a": "pass", "b": "fail"}, (), "failed b ()"),
        ("P02", {"a": "pass", "b": "could-not-grade"}, (), "could not grade b"),
        ("P03", {"a": "pass", "b": "pass"}, ("too-few",), "a wrong way passes every check"),
        ("P03", {"a": "pass", "b": "fail"}, ("too-few",), ""),
        ("P03", {"a": "pass", "b": "fail"}, ("other",), "the hint was other, not too-few"),
        ("P03", {"a": "pass", "b": "fail"}, (), "the hint was none, not too-few"),
        ("P03", {"a": "could-not-grade", "b": "fail"}, ("too-few",), "could not grade a"),
    ],
)
def test_judge(proof: str, outcomes: dict[str, str], hints: tuple[str, ...], said: str) -> None:
    assert judge(job(proof, hint="too-few"), trial_of(outcomes, hints=hints)) == said


def test_a_run_without_a_mark_says_what_it_met() -> None:
    away = Trial("mine", {}, None, 1.0, [], [], ["ClusterUnavailable: away"])
    assert judge(job("P02"), away) == "ClusterUnavailable: away"
    assert told(job("P02"), away) == "FAIL P02 mine replicas=3: not marked, 1 s  ClusterUnavailable: away"


def test_a_failed_way_names_what_it_met() -> None:
    refused = trial_of({"a": "fail"}, trouble=("apply mine.yaml: refused",))
    assert judge(job("P02", kind="right"), refused) == "failed a (apply mine.yaml: refused)"
    assert told(job("P03"), refused).startswith("ok   P03 mine replicas=3: 0/2 points, 12 s")


def test_json_names_what_decided_each_verdict() -> None:
    data = run_data(job("P02"), trial_of({"a": "fail"}, trouble=("apply: refused",)))
    assert (data["points"], data["of"], data["seconds"]) == (0, 2, 12.3)
    assert data["trouble"] == ["apply: refused"]
    printed = json.loads(json.dumps(data))
    assert printed["verdicts"][0]["decided_by"] == [{"seq": 7, "why": "it went"}]


# --- any manifest file --------------------------------------------------------------------------------
def test_a_file_takes_the_place_of_the_solutions_own(lesson: Any, tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n"
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: b, namespace: other}\n"
        "spec: {template: {spec: {containers: [{image: 'no/such:thing'}]}}}\n---\n"
    )
    way = way_from_file(lesson, lesson.exercise, path)
    assert [one["kind"] for one in way.files["two.yaml"]] == ["ConfigMap", "Deployment"]
    assert [(act.verb, act.what) for act in way.acts][:2] == [
        ("delete", "Pod/storefront"),
        ("apply", "two.yaml"),
    ]
    assert [act.verb for act in way.acts] == ["delete", "apply", "wait", "predict", "fault"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"kind: [", r"mine.yaml:\d+:\d+ L004"),
        (b"", "nothing in it to apply"),
        (b"just words", "begins with keys"),
        (b"apiVersion: v1\nkind: Pod\n", "every object needs a name"),
        (b"\xff\xfe\x00", "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused_by_name(
    lesson: Any, tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LessonInvalid) as caught:
        way_from_file(lesson, lesson.exercise, path)
    (problem,) = caught.value.problems
    assert re.search(said, str(problem))
    assert "mine.yaml" in str(problem)


# --- when to wait no longer ---------------------------------------------------------------------------
def entry(kind: Any, at: float) -> Entry:
    return Entry(epoch=1, seq=int(at), at=at, source="t", kind=kind, uid="", change={})


def test_a_wait_is_given_up_when_nothing_moves_sooner_when_a_hint_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("authoring.acts.time", SimpleNamespace(time=lambda: 120.0))
    engine = SimpleNamespace(valid_hint=None)
    track: Any = SimpleNamespace(sandbox="s", engine=engine)
    on: Any = SimpleNamespace(
        store=SimpleNamespace(entries={"s": [entry("object", 100.0), entry("probe", 119.0)]})
    )
    assert last_move(on.store.entries["s"]) == 100.0
    assert last_move([]) == 0.0
    assert not is_stuck(on, track)
    engine.valid_hint = "too-few"
    assert is_stuck(on, track)
    on.store.entries["s"].append(entry("object", 109.0))
    assert not is_stuck(on, track)
    engine.valid_hint, on.store.entries["s"] = None, [entry("object", 84.0)]
    assert is_stuck(on, track)


# --- the command --------------------------------------------------------------------------------------
def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["lesson", "verify", *map(str, words)])


def test_without_a_cluster_it_says_what_would_change_that(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GLASSHULL_HOME", str(tmp_path))
    result = run(LESSON)
    assert result.exit_code == 3
    assert "Start it with: make up" in result.output


def test_a_missing_file_or_way_needs_no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GLASSHULL_HOME", str(tmp_path))
    assert run(LESSON, "--solution", tmp_path / "none.yaml").exit_code == 2
    result = run(LESSON, "--only", "nothing")
    assert result.exit_code == 2
    assert "there is no way called nothing" in result.output


def test_json_of_a_whole_run(lesson: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = [(job("P02", kind="right"), trial_of({"a": "fail"}, trouble=("apply mine.yaml: refused",)))]
    monkeypatch.setenv("GLASSHULL_HOME", str(tmp_path))

    async def verified(*_: Any, **__: Any) -> Any:
        proofs = proofs_of(lesson, lesson.exercise, done, None, "namespace")
        proofs = [proof for proof in proofs if proof.code == "P02"]
        return Report(lesson, "namespace", 1, "replicas=3", proofs, done)

    monkeypatch.setattr(verify, "verify", verified)
    result = run(LESSON, "--json")
    assert result.exit_code == 1
    (told_of,) = json.loads(result.output)["runs"]
    assert read_kept(tmp_path, lesson.slug)["failed"] == 1
    assert told_of["problem"] == "failed a (apply mine.yaml: refused)"
    assert told_of["verdicts"][0]["decided_by"]
    done[0] = (job("P02", kind="right"), trial_of({"a": "pass"}))
    assert run(LESSON).exit_code == 0
    assert "1 passed, 0 failed" in run(LESSON).output


async def test_a_run_that_fails_is_told_and_removed(lesson: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cluster that goes away in the middle ends this run with a sentence, and no other."""

    async def opened(*_: Any) -> None:
        raise ClusterUnavailable("It does not answer.")

    asked: list[Any] = []

    async def remove(_keeper: Any, plan: Any) -> None:
        asked.append(plan)
        if len(asked) < 3:
            raise ClusterUnavailable("It does not answer yet.")

    real = asyncio.sleep
    monkeypatch.setattr("authoring.trial.asyncio.sleep", lambda _seconds: real(0))
    monkeypatch.setattr("authoring.trial.ensure_removed", remove)
    observer = SimpleNamespace(open=opened, close=lambda _sandbox: None)
    on: Any = SimpleNamespace(observer=observer, keeper=None, store=MemoryStore(), handed={}, images={})
    way = dataclasses.replace(lesson.ways[lesson.exercise.id][0])
    trial = await run_way(on, lesson.exercise, way, {"replicas": 3})
    assert trial.result is None
    assert trial.trouble == ["ClusterUnavailable: It does not answer."]
    assert on.handed == {}
    assert len(asked) == 3  # until it is removed


def test_the_memory_store_is_a_record_store() -> None:
    store = MemoryStore()
    store.append("s", [entry("object", 1.0), entry("object", 2.0)])
    store.append("s", [entry("object", 3.0)])
    assert [each.seq for each in store.read("s", after=1, until=2)] == [2]
    assert (store.last_seq("s"), store.last_seq("none")) == (3, 0)

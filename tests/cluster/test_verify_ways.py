"""`glasshull lesson verify` on the real cluster: wrong ways fail with their hint, any file of an author is judged."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from pathlib import Path

import pytest

from authoring.proofs import judge
from authoring.staging import stage
from authoring.verify import AT_ONCE, jobs_for, run_jobs
from bench.product import ROOT, Product
from lessons.loading import load_lesson
from lessons.variants import edges_for

pytestmark = pytest.mark.cluster
LESSON = ROOT / "lessons/how-clusters-work/14-self-healing"
WAYS = ("one-replica", "label-typo")


async def test_wrong_ways_fail_with_their_hint_and_leave_nothing(product: Product) -> None:
    lesson = load_lesson(LESSON)
    exercise = lesson.exercise
    assert exercise is not None
    jobs = jobs_for(lesson, exercise, runs=1, variants=edges_for(exercise)[:1])
    jobs = [job for job in jobs if job[1].name in WAYS and not job[3]]
    assert {job[1].name for job in jobs} == set(WAYS)
    began = time.monotonic()
    async with stage(product.home) as on:
        done = await run_jobs(on, exercise, jobs, asyncio.Semaphore(AT_ONCE), lambda _line: None)
    seconds = time.monotonic() - began
    assert [judge(job, trial) for job, trial in done] == ["", ""]
    points = {trial.way: trial.result.points for _, trial in done if trial.result}
    assert set(points) == set(WAYS)
    assert all(of < 7 for of in points.values()), points  # of 14
    hints = {trial.way: trial.hints for _, trial in done}
    assert hints["one-replica"] == ["too-few"]
    assert hints["label-typo"] == ["nobody-behind"]
    assert seconds < 100, {trial.way: round(trial.seconds) for _, trial in done}
    left = product.kubectl("get", "namespaces", "--field-selector=status.phase=Active", "-o", "name")
    assert not [trial.way for _, trial in done if namespace_in(trial.entries) in left]


def namespace_in(entries: list) -> str:
    return next(entry.change["object"]["metadata"]["namespace"] for entry in entries
                if entry.kind == "object" and entry.change["kind"] == "Pod")  # fmt: skip


def test_any_manifest_file_is_judged_and_a_refusal_told(product: Product, tmp_path: Path) -> None:
    """Two documents; the second asks for what no student may have, so the cluster refuses it."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\n---\n"
        "apiVersion: v1\nkind: Pod\nmetadata: {name: mine, labels: {app: storefront}}\n"
        "spec: {hostNetwork: true, containers: [{name: app, image: 'app/storefront:1.0'}]}\n"
    )
    ended = subprocess.run(
        [str(ROOT / "glasshull"), "lesson", "verify", str(LESSON), "--solution", str(path), "--json"],
        env=product.environment(),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    (run,) = json.loads(ended.stdout)["runs"]
    assert any("host" in line for line in run["trouble"]), run["trouble"]
    assert run["points"] == 0
    assert len(run["verdicts"]) == 8
    assert all("decided_by" in verdict for verdict in run["verdicts"])

"""Every open lesson is done live once, side by side: its solution passes everything. `make prove` does the rest."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from authoring.proofs import Done, judge, told_verdict
from authoring.proving import open_lessons
from authoring.staging import Stage, stage
from authoring.verify import AT_ONCE, exercise_of, jobs_for, run_jobs
from bench.product import ROOT, Product
from lessons.variants import edges_for

pytestmark = pytest.mark.cluster
LESSONS = open_lessons(ROOT / "lessons/how-clusters-work")


async def test_the_solution_of_each_open_lesson_passes_live(product: Product) -> None:
    slots = asyncio.Semaphore(AT_ONCE)
    async with stage(product.home) as on:
        done = await asyncio.gather(*(solved(on, path, slots) for path in LESSONS))
    assert [path.name for path in LESSONS] == ["01-one-or-many", "12-first-app", "14-self-healing"]
    wrong = {path.name: told(each) for path, each in zip(LESSONS, done, strict=True) if judge(*each)}
    assert not wrong, "\n".join(wrong.values())
    assert [(trial.result.points, trial.result.of) for _, trial in done if trial.result] == [
        (9, 9), (10, 10), (14, 14),
    ]  # fmt: skip


async def solved(on: Stage, path: Path, slots: asyncio.Semaphore) -> Done:
    """Its solution, once, with the first values of its variants."""
    lesson, exercise = exercise_of(path)
    jobs = jobs_for(lesson, exercise, runs=1, variants=edges_for(exercise)[:1] or [{}])
    jobs = [job for job in jobs if job.way.kind == "solution" and not job.untouched]
    (done,) = await run_jobs(on, exercise, jobs, slots, lambda _line: None)
    return done


def told(done: Done) -> str:
    job, trial = done
    verdicts = trial.result.verdicts if trial.result else ()
    return "\n".join([judge(job, trial), *trial.trouble, *map(told_verdict, verdicts)])

"""Each open lesson is done live once: its solution passes everything. `make prove` does the rest."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from authoring.proofs import judge, told_verdict
from authoring.proving import open_lessons
from authoring.staging import stage
from authoring.verify import AT_ONCE, exercise_of, jobs_for, run_jobs
from bench.product import ROOT, Product
from lessons.variants import edges_for

pytestmark = pytest.mark.cluster
LESSONS = open_lessons(ROOT / "lessons/how-clusters-work")


@pytest.mark.parametrize("path", LESSONS, ids=[path.name for path in LESSONS])
async def test_the_solution_of_an_open_lesson_passes_live(product: Product, path: Path) -> None:
    lesson, exercise = exercise_of(path)
    jobs = jobs_for(lesson, exercise, runs=1, variants=edges_for(exercise)[:1] or [{}])
    jobs = [job for job in jobs if job.way.kind == "solution" and not job.untouched]
    async with stage(product.home) as on:
        done = await run_jobs(on, exercise, jobs, asyncio.Semaphore(AT_ONCE), lambda _line: None)
    ((job, trial),) = done
    verdicts = trial.result.verdicts if trial.result else ()
    assert judge(job, trial) == "", "\n".join([*trial.trouble, *map(told_verdict, verdicts)])

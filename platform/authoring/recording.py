"""`glasshull lesson record`: keep the record of real runs beside the lesson, never edited by hand."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from authoring.proofs import Done, judge
from authoring.staging import NoCluster, stage, state_folder
from authoring.verify import AT_ONCE, Say, exercise_of, jobs_for, run_jobs
from lessons.models import Lesson
from lessons.problems import LessonInvalid, Problem
from lessons.recordings import encode, path_for
from lessons.variants import edges_for
from sandbox.record.exercise import Exercise


def ways_to_record(lesson: Lesson, exercise: Exercise, only: str) -> list[str]:
    """The solution and every wrong way; or one by name. Raises LessonInvalid."""
    ways = lesson.ways[exercise.id]
    if not only:
        return [way.name for way in ways if way.kind != "right"]
    if only not in [way.name for way in ways]:
        known = ", ".join(way.name for way in ways)
        text = f"{lesson.slug} has no way called {only}; there is {known}"
        raise LessonInvalid([Problem(f"{lesson.slug}/exercise.yaml", 1, 1, "L020", text)])
    return [only]


async def record(path: Path, only: str, home: Path, say: Say) -> tuple[Lesson, list[Done]]:
    """Run and keep. What did not prove what it should is not kept. Raises LessonInvalid, NoCluster."""
    lesson, exercise = exercise_of(path)
    names = ways_to_record(lesson, exercise, only)
    params = next(iter(edges_for(exercise)), {})
    jobs = [
        job
        for job in jobs_for(lesson, exercise, runs=1, variants=[params])
        if job.way.name in names and not job.untouched
    ]
    async with stage(home) as on:
        version = await on.keeper.request("GET", "/version")
        done = await run_jobs(on, exercise, jobs, asyncio.Semaphore(AT_ONCE), say)
    keep_runs(lesson, done, str(version["gitVersion"]))
    return lesson, done


def keep_runs(lesson: Lesson, done: Sequence[Done], kubernetes: str) -> list[Path]:
    """One recording for the solution and each wrong way: its first run that proved what it should."""
    kept: dict[str, Path] = {}
    for job, trial in done:
        wanted = job.way.name not in kept and not job.untouched
        if wanted and trial.result is not None and not judge(job, trial):
            target = path_for(lesson.path, job.way.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(
                encode(
                    lesson,
                    trial.entries,
                    way=trial.way,
                    params=trial.params,
                    result=trial.result,
                    images=trial.images,
                    kubernetes=kubernetes,
                )
            )
            kept[job.way.name] = target
    return list(kept.values())


def command(path: Path, only: str) -> int:
    """0 when every run was kept, 1 when one proved something else, 2 or 3 when none could be tried."""
    try:
        lesson, done = asyncio.run(record(path, only, state_folder(), lambda line: print(line, flush=True)))
    except LessonInvalid as invalid:
        print("\n".join(str(problem) for problem in invalid.problems), file=sys.stderr)
        return 2
    except NoCluster as reason:
        print(reason, file=sys.stderr)
        return 3
    return _say_kept(lesson, done)


def _say_kept(lesson: Lesson, done: Sequence[Done]) -> int:
    left = [job.way.name for job, trial in done if judge(job, trial)]
    folder = path_for(lesson.path, "").parent.relative_to(lesson.path)
    print(f"{len(done) - len(left)} of {len(done)} runs are kept in {lesson.slug}/{folder}")
    if left:
        print(f"Not kept, because they prove something else: {', '.join(left)}. Try: glasshull lesson verify")
    return 1 if left else 0

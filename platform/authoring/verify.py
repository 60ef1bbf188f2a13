"""`glasshull lesson verify`: the lesson against the real cluster, or any manifest file against the lesson."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from authoring.trial import NoCluster, Stage, Trial, as_json, run_way, stage, state_folder
from lessons.loading import load_lesson
from lessons.models import Act, Lesson, Way
from lessons.problems import LessonInvalid, Problem
from lessons.variants import edges_for
from sandbox.applying import ManifestRefused, parse_manifests
from sandbox.record.exercise import Exercise

AT_ONCE = 3  # sandboxes side by side on two cores
# A wrong way's wait is meant to run out; hints ask for at most half a minute of it.
WRONG_WAIT = 40.0

Job = tuple[str, Way, dict[str, Any], bool]  # what it proves, the way, parameters, untouched


def way_from_file(lesson: Lesson, exercise: Exercise, path: Path) -> Way:
    """The solution's steps with FILE applied in place of its own, read as the student's editor reads it.

    What the cluster says of it comes when it is applied. Raises LessonInvalid.
    """
    try:
        objects = tuple(one.object for one in parse_manifests(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise LessonInvalid(
            [Problem(path.name, 1, 1, "L004", f"the file cannot be read: {error}")]
        ) from error
    except ManifestRefused as refused:
        problem = Problem(path.name, refused.line or 1, refused.column or 1, "L004", refused.text)
        raise LessonInvalid([problem]) from refused
    solution = lesson.ways[exercise.id][0]
    acts: list[Act] = []
    for act in solution.acts:
        if act.verb == "apply" and act.what in solution.files:
            if not any(one.verb == "apply" for one in acts):
                acts.append(Act("apply", path.name))
        else:
            acts.append(act)
    return Way(path.stem, "right", tuple(acts), {path.name: objects})


def shortened(way: Way) -> Way:
    acts = tuple(dataclasses.replace(act, within=min(act.within, WRONG_WAIT)) for act in way.acts)
    return dataclasses.replace(way, acts=acts)


def jobs_for(
    lesson: Lesson, exercise: Exercise, *, runs: int, variants: Sequence[Mapping[str, Any]]
) -> list[Job]:
    """P01 the start fails, P02 right ways pass on every variant edge, P03 wrong ones fail with their hint."""
    ways = lesson.ways[exercise.id]
    first = dict(variants[0])
    found: list[Job] = [("P01", ways[0], first, True)]
    for way in ways:
        if way.kind == "solution":
            found += [("P02", way, dict(params), False) for params in variants for _ in range(runs)]
        elif way.kind == "right":
            found.append(("P02", way, first, False))
        else:
            found.append(("P03", shortened(way), first, False))
    return found


def chosen(jobs: Sequence[Job], only: str) -> list[Job]:
    """Those of one way, or of the start state. Raises LessonInvalid for a name that none has."""
    names = ["start" if untouched else way.name for _, way, _, untouched in jobs]
    found = [job for job, name in zip(jobs, names, strict=True) if name == only]
    if not found:
        known = ", ".join(dict.fromkeys(names))
        raise LessonInvalid(
            [Problem("--only", 1, 1, "L020", f"there is no way called {only}; there is {known}")]
        )
    return found


async def run_jobs(
    on: Stage, lesson: Lesson, exercise: Exercise, jobs: Sequence[Job]
) -> list[tuple[Job, Trial]]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(job: Job) -> tuple[Job, Trial]:
        async with slots:
            return job, await run_way(on, lesson, exercise, job[1], job[2], untouched=job[3])

    return list(await asyncio.gather(*(one(job) for job in jobs)))


def judge(job: Job, trial: Trial) -> str:
    """ "" when it proves what it should, else what is wrong, for the author."""
    proof, way, _, _ = job
    if trial.result is None:
        return "; ".join(trial.trouble)
    verdicts = {verdict.check: verdict.outcome for verdict in trial.result.verdicts}
    ungraded = [check for check, outcome in verdicts.items() if outcome == "could-not-grade"]
    if ungraded:
        return f"could not grade {', '.join(ungraded)}"
    if proof == "P01":
        passed = [check for check, outcome in verdicts.items() if outcome == "pass"]
        return f"the start state passes {', '.join(passed)}" if passed else ""
    if proof == "P02":
        failed = [check for check, outcome in verdicts.items() if outcome != "pass"]
        return f"failed {', '.join(failed)} ({'; '.join(trial.trouble)})" if failed else ""
    if all(outcome == "pass" for outcome in verdicts.values()):
        return "a wrong way passes every check"
    if way.hint and way.hint not in trial.hints:
        return f"the hint was {', '.join(trial.hints) or 'none'}, not {way.hint}"
    return ""


def told(job: Job, trial: Trial) -> str:
    proof, way, params, _ = job
    wrong = judge(job, trial)
    points = f"{trial.result.points:g}/{trial.result.of:g} points" if trial.result else "not marked"
    values = " ".join(f"{key}={value}" for key, value in params.items())
    name = "start state" if proof == "P01" else way.name
    state, why = ("FAIL", f"  {wrong}") if wrong else ("ok  ", "")
    return f"{state} {proof} {name} {values}: {points}, {trial.seconds:.0f} s{why}"


async def verify(
    path: Path, *, solution: Path | None, runs: int, only: str | None, home: Path, every_edge: bool
) -> tuple[Lesson, list[tuple[Job, Trial]]]:
    """Raises LessonInvalid, NoCluster."""
    lesson = load_lesson(path)
    exercise = lesson.exercise
    if exercise is None:
        raise LessonInvalid(
            [Problem(f"{lesson.slug}/lesson.md", 1, 1, "L001", "this lesson has no exercise to verify")]
        )
    variants: Sequence[Mapping[str, Any]] = edges_for(exercise) or [{}]
    if solution is not None:
        way = way_from_file(lesson, exercise, solution)
        jobs: list[Job] = [("P02", way, dict(variants[0]), False)]
    else:
        jobs = jobs_for(lesson, exercise, runs=runs, variants=variants if every_edge else variants[:1])
        if only:
            jobs = chosen(jobs, only)
    async with stage(home) as on:
        return lesson, await run_jobs(on, lesson, exercise, jobs)


def command(
    path: Path, *, solution: Path | None, runs: int, only: str | None, as_data: bool, every_edge: bool = True
) -> int:
    """Print the report; 0 when everything proves what it should."""
    try:
        lesson, done = asyncio.run(
            verify(path, solution=solution, runs=runs, only=only, home=state_folder(), every_edge=every_edge)
        )
    except LessonInvalid as invalid:
        print("\n".join(str(problem) for problem in invalid.problems), file=sys.stderr)
        return 2
    except NoCluster as reason:
        print(reason, file=sys.stderr)
        return 3
    wrong = [told(job, trial) for job, trial in done if judge(job, trial)]
    if as_data:
        data = [{"proof": job[0], "problem": judge(job, trial), **as_json(trial)} for job, trial in done]
        print(json.dumps({"lesson": lesson.slug, "content": lesson.content_hash, "runs": data}, indent=2))
    else:
        print(
            f"{lesson.slug}  content {lesson.content_hash[:8]}  rubric {lesson.rubric_hash[:8]}  tier namespace"
        )
        print("\n".join(told(job, trial) for job, trial in done))
        for _, trial in done if solution is not None else ():
            print_verdicts(trial)
        print(f"{len(done) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


def print_verdicts(trial: Trial) -> None:
    for line in trial.trouble:
        print(f"  trouble: {line}")
    for verdict in trial.result.verdicts if trial.result else ():
        print(f"  {verdict.outcome:16} {verdict.points:g}/{verdict.of:g}  {verdict.check}  {verdict.line}")

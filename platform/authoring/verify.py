"""`glasshull lesson verify`: the lesson against the real cluster, or any manifest file against the lesson."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authoring.faking import fake
from authoring.measuring import peak_of
from authoring.proofs import (
    Done,
    Job,
    Proof,
    claims_match,
    fakes_never_lie,
    flake_rate,
    judge,
    nothing_undecided,
    reset_returns,
    right_ways_pass,
    start_fails,
    tiers_agree,
    told_verdict,
    within_budget,
    wrong_ways_fail,
)
from authoring.replaying import replay_of_trial, replay_stored, stored_runs
from authoring.report import Report, as_data, keep, run_data, text_of, told
from authoring.staging import NoCluster, Stage, stage, state_folder
from authoring.trial import ResetTrial, Trial, run_reset, run_way
from lessons.loading import load_lesson
from lessons.models import Act, Lesson, Way
from lessons.problems import LessonInvalid, Problem
from lessons.variants import edges_for, params_for
from sandbox.applying import ManifestRefused, parse_manifests
from sandbox.record.exercise import Exercise

AT_ONCE = 3  # sandboxes side by side on two cores
# A wrong way's wait is meant to run out; hints ask for at most half a minute of it.
WRONG_WAIT = 40.0
SEEDS = 5  # values drawn as for students, tried when a proof is repeated
TIERS = ("namespace", "recorded")  # what `--tier` can prove today
Say = Callable[[str], None]
Kept = Callable[[Lesson, Sequence[Done]], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be proven of a lesson. `every_edge`: with all first and last values of the variants, or one set."""

    path: Path
    runs: int = 1
    tier: str = "namespace"
    only: str | None = None
    every_edge: bool = True


# --- what to run --------------------------------------------------------------------------------------------
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
    """P01 the start fails, P02 right ways pass (the solution with every variant), P03 wrong ones fail."""
    ways = lesson.ways[exercise.id]
    first = dict(variants[0])
    found: list[Job] = [Job("P01", ways[0], first, True)]
    for way in ways:
        if way.kind == "solution":
            found += [Job("P02", way, dict(params), False) for params in variants for _ in range(runs)]
        elif way.kind == "right":
            found.append(Job("P02", way, first, False))
        else:
            found.append(Job("P03", shortened(way), first, False))
    return found


def seeds_for(exercise: Exercise, known: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Values as students would draw them, those left out that an edge has."""
    drawn = [params_for(exercise, bytes([number]) * 16) for number in range(1, SEEDS + 1)]
    fresh: list[dict[str, Any]] = []
    for params in drawn:
        if params not in known and params not in fresh:
            fresh.append(params)
    return fresh


def chosen(jobs: Sequence[Job], only: str) -> list[Job]:
    """Those of one way, or of the start state. Raises LessonInvalid for a name that none has."""
    names = ["start" if job.untouched else job.way.name for job in jobs]
    found = [job for job, name in zip(jobs, names, strict=True) if name == only]
    if not found:
        known = ", ".join(dict.fromkeys(names))
        raise LessonInvalid(
            [Problem("--only", 1, 1, "L020", f"there is no way called {only}; there is {known}")]
        )
    return found


def told_variants(variants: Sequence[Mapping[str, Any]]) -> str:
    """`replicas=3,4`: every value that was tried."""
    names = dict.fromkeys(name for params in variants for name in params)
    values = {name: dict.fromkeys(str(params[name]) for params in variants) for name in names}
    return " ".join(f"{name}={','.join(tried)}" for name, tried in values.items())


# --- running ------------------------------------------------------------------------------------------------
async def run_jobs(
    on: Stage, exercise: Exercise, jobs: Sequence[Job], slots: asyncio.Semaphore, say: Say
) -> list[Done]:
    """All of them, a few at a time, in the order asked for."""

    async def one(job: Job) -> Done:
        async with slots:
            trial = await run_way(on, exercise, job.way, job.params, untouched=job.untouched)
        say(told(job, trial))
        return job, trial

    return list(await asyncio.gather(*(one(job) for job in jobs)))


async def _reset(
    on: Stage, exercise: Exercise, way: Way, params: Mapping[str, Any], slots: asyncio.Semaphore
) -> ResetTrial:
    async with slots:
        return await run_reset(on, exercise, way, params)


async def prove(
    on: Stage, asked: Asked, slots: asyncio.Semaphore, say: Say, keep_them: Kept | None = None
) -> Report:
    """Everything that a lesson has to prove, on the cluster. Raises LessonInvalid.

    `keep_them` is given the runs before they are judged together: P06 then finds the recordings of these very runs.
    """
    lesson, exercise = exercise_of(asked.path)
    edges: Sequence[Mapping[str, Any]] = edges_for(exercise) or [{}]
    variants = edges if asked.every_edge else edges[:1]
    jobs = jobs_for(lesson, exercise, runs=asked.runs, variants=variants)
    if asked.runs > 1:
        seeds = seeds_for(exercise, variants)
        jobs += jobs_for(lesson, exercise, runs=1, variants=seeds)[1 : 1 + len(seeds)] if seeds else []
        variants = [*variants, *seeds]
    if asked.only:
        done = await run_jobs(on, exercise, chosen(jobs, asked.only), slots, say)
        reset = None
    else:
        solution = lesson.ways[exercise.id][0]
        done, reset = await asyncio.gather(
            run_jobs(on, exercise, jobs, slots, say),
            _reset(on, exercise, solution, dict(variants[0]), slots),
        )
    if keep_them is not None:
        keep_them(lesson, done)
    proofs = await asyncio.to_thread(proofs_of, lesson, exercise, done, reset, asked.tier)
    return Report(lesson, asked.tier, asked.runs, told_variants(variants), proofs, done)


def prove_recorded(asked: Asked) -> Report:
    """Without a cluster: the stored runs are judged again. Raises LessonInvalid, NoCluster when there are none."""
    lesson, exercise = exercise_of(asked.path)
    done = stored_runs(lesson, exercise)
    if not done:
        raise NoCluster(
            f"{lesson.slug} has no recording that can be played. Make them: glasshull lesson record"
        )
    proofs = proofs_of(lesson, exercise, done, None, "recorded")
    variants = told_variants([job.params for job, _ in done])
    return Report(lesson, "recorded", 1, variants, proofs, done)


def proofs_of(
    lesson: Lesson, exercise: Exercise, done: Sequence[Done], reset: ResetTrial | None, tier: str
) -> list[Proof]:
    """P01 to P10 from what was run."""
    marked = [(job, trial) for job, trial in done if trial.result]
    right = [trial for job, trial in marked if job.proof == "P02"]
    to_fake = _one_each(marked)
    return [
        start_fails(done),
        right_ways_pass(done),
        wrong_ways_fail(done),
        claims_match(lesson, exercise, done),
        within_budget(lesson, exercise, done, [peak_of(trial.entries, trial.cores) for trial in right]),
        tiers_agree(
            tier,
            [replay_of_trial(exercise, job, trial) for job, trial in marked],
            replay_stored(lesson, exercise),
        ),
        nothing_undecided(done),
        reset_returns(reset),
        fakes_never_lie(
            [
                each
                for job, trial in to_fake
                for each in fake(exercise, trial.params, trial.entries, trial.images, job.way.name)
            ]
        ),
        flake_rate(done),
    ]


def _one_each(done: Sequence[Done]) -> list[Done]:
    """The first run of each way: a fake of a second one would show nothing new."""
    first: dict[tuple[str, bool], Done] = {}
    for job, trial in done:
        first.setdefault((job.way.name, job.untouched), (job, trial))
    return list(first.values())


def exercise_of(path: Path) -> tuple[Lesson, Exercise]:
    """Raises LessonInvalid."""
    lesson = load_lesson(path)
    if lesson.exercise is None:
        raise LessonInvalid(
            [Problem(f"{lesson.slug}/lesson.md", 1, 1, "L001", "this lesson has no exercise to verify")]
        )
    return lesson, lesson.exercise


# --- the command --------------------------------------------------------------------------------------------
async def verify(asked: Asked, home: Path, say: Say) -> Report:
    """Raises LessonInvalid, NoCluster."""
    exercise_of(asked.path)  # a lesson that does not load needs no cluster to say so
    async with stage(home) as on:
        return await prove(on, asked, asyncio.Semaphore(AT_ONCE), say)


async def try_file(path: Path, solution: Path, home: Path) -> tuple[Lesson, Done]:
    """One manifest file in place of the solution's. Raises LessonInvalid, NoCluster."""
    lesson, exercise = exercise_of(path)
    way = way_from_file(lesson, exercise, solution)
    job = Job("P02", way, dict(next(iter(edges_for(exercise)), {})), False)
    async with stage(home) as on:
        return lesson, (await run_jobs(on, exercise, [job], asyncio.Semaphore(1), lambda _line: None))[0]


def command(asked: Asked, *, solution: Path | None, as_json: bool) -> int:
    """Print the report; 0 when everything proves what it should, 1 when not, 2 or 3 when it could not be tried."""
    try:
        if solution is not None:
            return _tried(*asyncio.run(try_file(asked.path, solution, state_folder())), as_json=as_json)
        if asked.only:
            _check_only(asked)
        say = _to_stderr if not as_json else (lambda _line: None)
        report = (
            prove_recorded(asked)
            if asked.tier == "recorded"
            else asyncio.run(verify(asked, state_folder(), say))
        )
    except LessonInvalid as invalid:
        print("\n".join(str(problem) for problem in invalid.problems), file=sys.stderr)
        return 2
    except NoCluster as reason:
        print(reason, file=sys.stderr)
        return 3
    if not asked.only:
        _keep(report)
    print(json.dumps(as_data(report), indent=2) if as_json else text_of(report))
    return 1 if report.failed else 0


def _check_only(asked: Asked) -> None:
    """Raises LessonInvalid before a cluster is asked for."""
    lesson, exercise = exercise_of(asked.path)
    chosen(jobs_for(lesson, exercise, runs=1, variants=[{}]), str(asked.only))


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _keep(report: Report) -> None:
    """For the preview. A state folder that cannot be written to costs only that."""
    try:
        keep(state_folder(), report)
    except OSError as error:
        print(f"The report is not kept for the preview: {error}", file=sys.stderr)


def _tried(lesson: Lesson, done: Done, *, as_json: bool) -> int:
    job, trial = done
    wrong = judge(job, trial)
    if as_json:
        data = {"lesson": lesson.slug, "content": lesson.content_hash, "runs": [run_data(job, trial)]}
        print(json.dumps(data, indent=2))
    else:
        print(told(job, trial))
        print_verdicts(trial)
        print("0 passed, 1 failed" if wrong else "1 passed, 0 failed")
    return 1 if wrong else 0


def print_verdicts(trial: Trial) -> None:
    for line in trial.trouble:
        print(f"  trouble: {line}")
    for verdict in trial.result.verdicts if trial.result else ():
        print(f"  {verdict.points:g}/{verdict.of:g}  {told_verdict(verdict)}")

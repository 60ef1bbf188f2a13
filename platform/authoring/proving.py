"""`make prove`: every open lesson of a course on the cluster, and the page that says so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from authoring.proofs import TITLES, Done, Proof
from authoring.recording import keep_runs
from authoring.report import Report
from authoring.staging import stage
from authoring.verify import AT_ONCE, Asked, Say, prove
from lessons.course_loading import read_frame
from lessons.models import Lesson

WORDS = {True: "yes", False: "**no**", None: "–"}


def open_lessons(course: Path) -> list[Path]:
    """Folders of the lessons that have something to do. Raises LessonInvalid for a broken course."""
    slugs = [slug for part in read_frame(course).parts for slug in part.lessons]
    return [course / slug for slug in slugs if any((course / slug).glob("exercise.yaml"))]


async def prove_course(
    course: Path, home: Path, say: Say, *, record: bool = False
) -> tuple[list[Report], str]:
    """Each variant edge once, each wrong way once; and the cluster's own version, such as v1.37.2.

    `record`: keep the runs of the solution and of each wrong way as recordings. A lesson that does not load is the
    error of the whole.

    Raises LessonInvalid, NoCluster.
    """
    slots = asyncio.Semaphore(AT_ONCE)
    async with stage(home) as on:
        version = str((await on.keeper.request("GET", "/version"))["gitVersion"])

        def keep(lesson: Lesson, done: Sequence[Done]) -> None:
            shown = [each for each in done if each[0].way.kind != "right"]
            say(f"{lesson.slug}  {len(keep_runs(lesson, shown, version))} recordings are kept.")

        async def one(path: Path) -> Report:
            def said(line: str) -> None:
                say(f"{path.name}  {line}")

            return await prove(on, Asked(path), slots, said, keep if record else None)

        return list(await asyncio.gather(*(one(path) for path in open_lessons(course)))), version


def total(reports: Sequence[Report]) -> str:
    return f"{sum(one.passed for one in reports)} passed, {sum(one.failed for one in reports)} failed"


def page(reports: Sequence[Report], seconds: float, kubernetes: str, at: float) -> str:
    """docs/course-proof.md: generated, so that nobody has to believe it."""
    day = datetime.fromtimestamp(at, UTC)
    lines = [
        "# What the lessons have proven",
        "",
        (
            f"Written by `make prove` on {day.day} {day:%B %Y}, {day:%H:%M} UTC, Kubernetes {kubernetes}; "
            f"{seconds / 60:.1f} minutes. Do not edit it: run `make prove` again."
        ),
        "",
        (
            "Each lesson was done on the real cluster in sandboxes of its own: untouched, by its solution with the "
            "first and last value of every variant, by its other right solutions, and by every wrong one. "
            "`glasshull lesson verify PATH` does the same for one lesson. – means there was nothing to prove."
        ),
        "",
        f"| | Proof | {' | '.join(each.lesson.slug for each in reports)} |",
        f"| --- | --- | {' | '.join('---' for _ in reports)} |",
    ]
    by_code = [{proof.code: proof for proof in each.proofs} for each in reports]
    for code, title in TITLES.items():
        cells = [_cell(proofs[code]) for proofs in by_code]
        lines.append(f"| {code} | {title} | {' | '.join(cells)} |")
    for report in reports:
        lines += ["", *_section(report)]
    return "\n".join([*lines, "", total(reports), ""])


def _cell(proof: Proof) -> str:
    text = proof.text.replace("|", "/")
    return text if proof.ok else f"{WORDS[proof.ok]} {text}"


def _section(report: Report) -> list[str]:
    lesson = report.lesson
    lines = [
        f"## {lesson.slug}: {lesson.title}",
        "",
        f"Content `{lesson.content_hash[:12]}`, rubric `{lesson.rubric_hash[:12]}`"
        + (f", variants {report.variants}" if report.variants else "")
        + ".",
        "",
        "| Run | Points | Seconds | Hint given |",
        "| --- | --- | --- | --- |",
    ]
    for job, trial in report.done:
        name = "start state, untouched" if job.untouched else f"{job.way.name} ({job.way.kind})"
        points = f"{trial.result.points:g} of {trial.result.of:g}" if trial.result else "not marked"
        lines.append(f"| {name} | {points} | {trial.seconds:.0f} | {', '.join(trial.hints) or '–'} |")
    notes = [f"- {proof.code}: {note}" for proof in report.proofs for note in proof.notes]
    return [*lines, "", *notes] if notes else lines

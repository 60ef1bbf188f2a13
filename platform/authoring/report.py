"""The report of a proof: P01 to P10 as text and as JSON (lesson format, section 9), and kept for the preview. Pure
but for `keep` and `read_kept`."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from authoring.proofs import TITLES, Done, Job, Proof, judge, name_of
from authoring.trial import Trial
from lessons.models import Lesson

NAME = 44  # columns of a proof's name in the text


@dataclass(frozen=True, slots=True)
class Report:
    """`proofs` in order P01 to P10; `done` every run. `runs`: how often each variant edge was to be proven."""

    lesson: Lesson
    tier: str
    runs: int
    variants: str
    proofs: Sequence[Proof]
    done: Sequence[Done]

    @property
    def passed(self) -> int:
        return sum(proof.ok is True for proof in self.proofs)

    @property
    def failed(self) -> int:
        return sum(proof.ok is False for proof in self.proofs)

    @property
    def total(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def text_of(report: Report) -> str:
    """For people: the head, one line a proof, below it what is not right, then the count."""
    lesson = report.lesson
    times = "1 run" if report.runs == 1 else f"{report.runs} runs"
    head = (
        f"{lesson.slug}  content {lesson.content_hash[:8]}  rubric {lesson.rubric_hash[:8]}"
        f"   tier {report.tier}   {times}{f'   variants {report.variants}' if report.variants else ''}"
    )
    lines = [head]
    for proof in report.proofs:
        lines.append(f"{_word(proof)} {proof.code} {proof.title:{NAME}}  {proof.text}")
        lines += [f"         {line}" for line in proof.more]
        lines += [f"         {line}" for note in proof.notes for line in note.split("\n")]
    return "\n".join([*lines, report.total])


def _word(proof: Proof) -> str:
    return {True: "ok  ", False: "FAIL", None: "–   "}[proof.ok]


def told(job: Job, trial: Trial) -> str:
    """One run in one line, said while the others go on."""
    wrong = judge(job, trial)
    points = f"{trial.result.points:g}/{trial.result.of:g} points" if trial.result else "not marked"
    state, why = ("FAIL", f"  {wrong}") if wrong else ("ok  ", "")
    return f"{state} {job.proof} {name_of(job)}: {points}, {trial.seconds:.0f} s{why}"


def as_data(report: Report) -> dict[str, Any]:
    """For `--json`: `{lesson, content, rubric, tier, times, variants, made, proofs, runs, passed, failed}`."""
    return {
        "lesson": report.lesson.slug,
        "content": report.lesson.content_hash,
        "rubric": report.lesson.rubric_hash,
        "tier": report.tier,
        "times": report.runs,
        "variants": report.variants,
        "made": int(time.time()),
        "proofs": [
            {
                "code": proof.code,
                "title": TITLES[proof.code],
                "ok": proof.ok,
                "text": proof.text,
                "more": list(proof.more),
                "notes": list(proof.notes),
            }
            for proof in report.proofs
        ],
        "runs": [run_data(job, trial) for job, trial in report.done],
        "passed": report.passed,
        "failed": report.failed,
    }


def run_data(job: Job, trial: Trial) -> dict[str, Any]:
    """One run: verdicts in the exercise's order, each naming what decided it."""
    result = trial.result
    return {
        "proof": job.proof,
        "problem": judge(job, trial),
        "way": "start" if job.untouched else trial.way,
        "params": trial.params,
        "points": result.points if result else None,
        "of": result.of if result else None,
        "provisional": result.provisional if result else None,
        "seconds": round(trial.seconds, 1),
        "hints": trial.hints,
        "trouble": trial.trouble,
        "verdicts": [msgspec.to_builtins(verdict) for verdict in result.verdicts] if result else [],
    }


# --- kept for the preview ---------------------------------------------------------------------------------
def keep(home: Path, report: Report) -> Path:
    """The last proof of a lesson, in the state folder; never beside the lesson. Raises OSError."""
    path = _path(home, report.lesson.slug)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = as_data(report)
    folder = str(report.lesson.path.resolve())  # two courses may have a lesson of one name
    path.write_text(
        json.dumps({**data, "runs": len(data["runs"]), "folder": folder}, indent=1), encoding="utf-8"
    )
    return path


def read_kept(home: Path, slug: str) -> dict[str, Any] | None:
    """What `keep` wrote (`runs` is a number there); None when there is none."""
    try:
        found: dict[str, Any] = json.loads(_path(home, slug).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("proofs"), list) else None


def _path(home: Path, slug: str) -> Path:
    return home / "proofs" / f"{slug}.json"

"""The exercise a sandbox began with, and what follows from it: its plan, its start, its files."""

from __future__ import annotations

from typing import Any

import msgspec

from classroom.courseware.reading import files_for
from classroom.workspaces.models import Sandbox
from sandbox.plan import SandboxPlan, plan_for_exercise
from sandbox.record.exercise import Exercise


def exercise_from(rubric: dict[str, Any]) -> Exercise:
    """Raises msgspec.ValidationError for a rubric stored by an incompatible version."""
    return msgspec.convert(rubric, Exercise)


def plan_of(row: Sandbox) -> SandboxPlan:
    return plan_for_exercise(str(row.pk), exercise_from(row.rubric))


def start_objects(row: Sandbox) -> list[dict[str, Any]]:
    """The start manifests with the student's variant filled in."""
    from lessons.manifests_loading import substitute

    filled = substitute(list(exercise_from(row.rubric).objects), row.params)
    return list(filled)


def home_files(row: Sandbox) -> dict[str, str]:
    """What lies in the toolbox's home: the student's text, else the lesson's."""
    return files_for(exercise_from(row.rubric), row.params, row.files)

"""Records worked out again: those of fresh runs, and recordings beside the lesson (P06, `--tier recorded`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from authoring.proofs import Done, Job, Replay, name_of
from authoring.trial import Trial
from lessons.models import Lesson, Way
from lessons.recordings import Recording, RecordingInvalid, read_recording, recordings_of
from sandbox.record.entry import Entry
from sandbox.record.exercise import Exercise
from sandbox.record.marking import Result, work_out


def said_live(entries: Iterable[Entry]) -> dict[str, str]:
    """Check -> what the observer wrote down last, while it happened."""
    return {entry.uid: str(entry.change["state"]) for entry in entries if entry.kind == "verdict"}


def replay_of_trial(exercise: Exercise, job: Job, trial: Trial) -> Replay:
    result = work_out(exercise, trial.params, trial.entries, trial.images)
    return Replay(name_of(job), differing(said_live(trial.entries), result))


def replay_of(exercise: Exercise, recording: Recording) -> Replay:
    """A stored run: against what was kept of its verdicts, and what the observer wrote down."""
    result = work_out(exercise, recording.params, recording.entries, recording.images)
    said = {**said_live(recording.entries), **recording.verdicts}
    return Replay(recording.path.name, differing(said, result))


def differing(said: Mapping[str, str], result: Result) -> dict[str, tuple[str, str]]:
    """check -> (then, now). A check that said nothing then said `waiting`."""
    now = {verdict.check: verdict.state for verdict in result.verdicts}
    return {check: (then, now.get(check, "none")) for check, then in said.items() if now.get(check) != then}


def replay_stored(lesson: Lesson, exercise: Exercise) -> list[Replay]:
    found: list[Replay] = []
    for path in recordings_of(lesson.path):
        try:
            found.append(replay_of(exercise, read_recording(path, lesson)))
        except RecordingInvalid as invalid:
            found.append(Replay(path.name, refused=str(invalid)))
    return found


def stored_runs(lesson: Lesson, exercise: Exercise) -> list[Done]:
    """The recordings as runs that are over; those that are refused are left to P06."""
    ways = {way.name: way for way in lesson.ways[exercise.id]}
    found: list[Done] = []
    for path in recordings_of(lesson.path):
        try:
            recording = read_recording(path, lesson)
        except RecordingInvalid:
            continue
        if way := ways.get(recording.way):
            found.append(_as_run(exercise, way, recording))
    return found


def _as_run(exercise: Exercise, way: Way, recording: Recording) -> Done:
    entries = list(recording.entries)
    result = work_out(exercise, recording.params, entries, recording.images)
    seconds = entries[-1].at - entries[0].at if entries else 0.0
    hints = [
        str(entry.change.get("id") or entry.uid)
        for entry in entries
        if entry.kind == "hint" and entry.change.get("phase") == "opened"
    ]
    trial = Trial(
        way.name, dict(recording.params), result, seconds, entries, hints, images=dict(recording.images)
    )
    proof = "P03" if way.kind == "wrong" else "P02"
    return Job(proof, way, dict(recording.params), False), trial

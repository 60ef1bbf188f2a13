"""`glasshull lesson record`: keep the record of a real run beside the lesson, never edited by hand."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import sys
import zlib
from pathlib import Path
from typing import Any

import msgspec

from authoring.trial import NoCluster, Trial, run_way, stage, state_folder
from lessons.loading import load_lesson
from lessons.models import Lesson
from lessons.problems import LessonInvalid
from lessons.variants import edges_for
from sandbox.record.entry import Entry


def encode(lesson: Lesson, trial: Trial, kubernetes: str) -> bytes:
    """Gzipped JSON lines: a header that names what it is a record of, then every entry. Deterministic."""
    body = b"".join(msgspec.json.encode(entry) + b"\n" for entry in trial.entries)
    header: dict[str, Any] = {
        "recording": 1,
        "lesson": lesson.slug,
        "content_hash": lesson.content_hash,
        "rubric_hash": lesson.rubric_hash,
        "way": trial.way,
        "params": trial.params,
        "tier": "namespace",
        "kubernetes": kubernetes,
        "points": trial.result.points if trial.result else None,
        "of": trial.result.of if trial.result else None,
        "made": trial.entries[0].at if trial.entries else 0,
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return gzip.compress(msgspec.json.encode(header) + b"\n" + body, compresslevel=9, mtime=0)


class RecordingInvalid(Exception):
    """For the author: the file, and how to make a right one."""


def read_recording(path: Path, lesson: Lesson) -> tuple[dict[str, Any], list[Entry]]:
    """Header and entries. Raises RecordingInvalid for one of another rubric or edited by hand."""
    again = "make it again: glasshull lesson record"
    try:
        with gzip.open(path) as file:
            head, _, body = file.read().partition(b"\n")
        header = msgspec.json.decode(head, type=dict[str, Any])
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
        raise RecordingInvalid(f"{path.name} is no recording ({error}); {again}") from error
    if header.get("sha256") != hashlib.sha256(body).hexdigest():
        raise RecordingInvalid(f"{path.name} was edited by hand; {again}")
    if header.get("rubric_hash") != lesson.rubric_hash:
        raise RecordingInvalid(f"{path.name} was made of another version of {lesson.slug}; {again}")
    decoder = msgspec.json.Decoder(Entry)
    return header, [decoder.decode(line) for line in body.splitlines() if line]


async def record(path: Path, name: str, home: Path) -> tuple[Path, Trial]:
    """Raises LessonInvalid, NoCluster, RecordingInvalid when the run did not pass."""
    lesson = load_lesson(path)
    exercise = lesson.exercise
    if exercise is None:
        raise RecordingInvalid(f"{lesson.slug} has no exercise to record")
    way = next((one for one in lesson.ways[exercise.id] if one.name == name), None)
    if way is None:
        known = ", ".join(one.name for one in lesson.ways[exercise.id])
        raise RecordingInvalid(f"{lesson.slug} has no way called {name}; there is {known}")
    params = next(iter(edges_for(exercise)), {})
    async with stage(home) as on:
        trial = await run_way(on, lesson, exercise, way, params)
        version = await on.keeper.request("GET", "/version")
    if trial.result is None:
        raise RecordingInvalid(f"the run did not come to a mark: {'; '.join(trial.trouble)}")
    target = lesson.path / "recordings/namespace" / f"{name}.jsonl.gz"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(encode(lesson, trial, str(version["gitVersion"])))
    return target, trial


def command(path: Path, name: str) -> int:
    try:
        target, trial = asyncio.run(record(path, name, state_folder()))
    except LessonInvalid as invalid:
        print("\n".join(str(problem) for problem in invalid.problems), file=sys.stderr)
        return 2
    except (NoCluster, RecordingInvalid) as reason:
        print(reason, file=sys.stderr)
        return 3
    assert trial.result is not None  # noqa: S101  (record() raised otherwise)
    print(f"{target.name}: {trial.result.points:g}/{trial.result.of:g} points, {len(trial.entries)} entries")
    return 0

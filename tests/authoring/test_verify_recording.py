"""A recording is what a real run left: read back whole, or refused by name."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from authoring.recording import RecordingInvalid, encode, read_recording
from authoring.trial import Trial
from lessons.loading import load_lesson
from sandbox.record.entry import Entry
from sandbox.record.marking import Result

ROOT = Path(__file__).resolve().parents[2]
LESSON = ROOT / "lessons/how-clusters-work/14-self-healing"


@pytest.fixture(scope="module")
def lesson() -> Any:
    return load_lesson(LESSON)


def trial() -> Trial:
    entries = [
        Entry(epoch=1, seq=seq, at=1000.5 + seq, source="watch", kind="object", uid="u", change={"n": seq})
        for seq in (1, 2, 3)
    ]
    result = Result(points=14, of=14, provisional=False, verdicts=())
    return Trial("solution", {"replicas": 3}, result, 80.0, entries, [])


def rewritten(path: Path, change: Any) -> None:
    head, _, body = gzip.decompress(path.read_bytes()).partition(b"\n")
    header, body = change(json.loads(head), body)
    path.write_bytes(gzip.compress(json.dumps(header).encode() + b"\n" + body))


@pytest.fixture
def path(lesson: Any, tmp_path: Path) -> Path:
    made = tmp_path / "solution.jsonl.gz"
    made.write_bytes(encode(lesson, trial(), "v1.37.0"))
    return made


def test_what_was_recorded_is_read_back(lesson: Any, path: Path) -> None:
    header, entries = read_recording(path, lesson)
    assert entries == trial().entries
    assert (header["points"], header["of"], header["kubernetes"], header["way"]) == (
        14,
        14,
        "v1.37.0",
        "solution",
    )
    assert header["rubric_hash"] == lesson.rubric_hash


def test_the_same_run_gives_the_same_bytes(lesson: Any) -> None:
    assert encode(lesson, trial(), "v1") == encode(lesson, trial(), "v1")


def test_one_edited_by_hand_is_refused_by_name(lesson: Any, path: Path) -> None:
    rewritten(path, lambda header, body: (header, body.replace(b'"n":2', b'"n":9')))
    with pytest.raises(
        RecordingInvalid, match=r"solution\.jsonl\.gz was edited by hand; make it again: glasshull"
    ):
        read_recording(path, lesson)


def test_one_with_an_entry_left_out_is_refused(lesson: Any, path: Path) -> None:
    rewritten(path, lambda header, body: (header, b"\n".join(body.splitlines()[1:]) + b"\n"))
    with pytest.raises(RecordingInvalid, match="edited by hand"):
        read_recording(path, lesson)


def test_one_of_another_rubric_is_refused_by_name(lesson: Any, path: Path) -> None:
    rewritten(path, lambda header, body: ({**header, "rubric_hash": "0" * 64}, body))
    with pytest.raises(
        RecordingInvalid, match=r"solution\.jsonl\.gz was made of another version of 14-self-healing"
    ):
        read_recording(path, lesson)


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"no json\n"), gzip.compress(b"[1]\n")])
def test_what_is_no_recording_is_refused_by_name(lesson: Any, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(RecordingInvalid, match=r"solution\.jsonl\.gz is no recording"):
        read_recording(path, lesson)


def test_one_cut_short_is_refused(lesson: Any, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RecordingInvalid, match="is no recording"):
        read_recording(path, lesson)


def test_a_file_that_is_not_there_is_refused(lesson: Any, tmp_path: Path) -> None:
    with pytest.raises(RecordingInvalid, match=r"none\.jsonl\.gz is no recording"):
        read_recording(tmp_path / "none.jsonl.gz", lesson)

"""A recording is what a real run left: read back whole, or refused by name."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from lessons.loading import load_lesson
from lessons.recordings import RecordingInvalid, encode, read_recording, refusal_of, shown_recording
from sandbox.record.entry import Entry
from sandbox.record.marking import Result

ROOT = Path(__file__).resolve().parents[2]
LESSON = ROOT / "lessons/how-clusters-work/14-self-healing"


@pytest.fixture(scope="module")
def lesson() -> Any:
    return load_lesson(LESSON)


def entries() -> list[Entry]:
    return [
        Entry(epoch=1, seq=seq, at=1000.5 + seq, source="watch", kind="object", uid="u", change={"n": seq})
        for seq in (1, 2, 3)
    ]


def encoded(lesson: Any) -> bytes:
    result = Result(points=14, of=14, provisional=False, verdicts=())
    return encode(
        lesson,
        entries(),
        way="solution",
        params={"replicas": 3},
        result=result,
        images={"app/storefront:1.0": "sha256:1"},
        kubernetes="v1.37.0",
    )


def rewritten(path: Path, change: Any) -> None:
    head, _, body = gzip.decompress(path.read_bytes()).partition(b"\n")
    header, body = change(json.loads(head), body)
    path.write_bytes(gzip.compress(json.dumps(header).encode() + b"\n" + body))


@pytest.fixture
def path(lesson: Any, tmp_path: Path) -> Path:
    made = tmp_path / "solution.jsonl.gz"
    made.write_bytes(encoded(lesson))
    return made


def test_what_was_recorded_is_read_back(lesson: Any, path: Path) -> None:
    found = read_recording(path, lesson)
    assert list(found.entries) == entries()
    assert (found.points, found.of, found.way, found.params) == (14, 14, "solution", {"replicas": 3})
    assert found.images == {"app/storefront:1.0": "sha256:1"}
    assert found.label == "a real run, 1 January 1970"


def test_the_same_run_gives_the_same_bytes(lesson: Any) -> None:
    assert encoded(lesson) == encoded(lesson)


def test_one_edited_by_hand_is_refused_by_name(lesson: Any, path: Path) -> None:
    rewritten(path, lambda header, body: (header, body.replace(b'"n":2', b'"n":9')))
    with pytest.raises(
        RecordingInvalid, match=r"solution\.jsonl\.gz was edited by hand; make it again: glasshull"
    ):
        read_recording(path, lesson)


@pytest.mark.parametrize(
    "said",
    [
        {"points": 1},
        {"params": {"replicas": 4}},
        {"verdicts": {"enough": "pass"}},
        {"made": 0},
        {"way": "one-replica"},
        {"images": {}},
        {"sha256": ""},
        {"praise": "well done"},
    ],
    ids=lambda said: next(iter(said)),
)
def test_nor_may_its_header_be_edited(lesson: Any, path: Path, said: dict[str, Any]) -> None:
    rewritten(path, lambda header, body: ({**header, **said}, body))
    with pytest.raises(RecordingInvalid, match=r"solution\.jsonl\.gz was edited by hand"):
        read_recording(path, lesson)


@pytest.mark.parametrize("format_", [1, 3, None])
def test_one_of_another_format_is_refused_by_name(lesson: Any, path: Path, format_: int | None) -> None:
    rewritten(path, lambda header, body: ({**header, "recording": format_}, body))
    with pytest.raises(RecordingInvalid, match=r"solution\.jsonl\.gz is of another format, not 2"):
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


def test_one_of_another_lesson_is_refused_by_name(lesson: Any, path: Path) -> None:
    rewritten(path, lambda header, body: ({**header, "lesson": "01-other"}, body))
    with pytest.raises(RecordingInvalid, match=r"solution\.jsonl\.gz is a recording of 01-other"):
        read_recording(path, lesson)


def test_one_that_unpacks_to_too_much_is_refused(
    lesson: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lessons.recordings.MOST_BYTES", 200)
    with pytest.raises(RecordingInvalid, match=r"unpacks to more than 200 bytes"):
        read_recording(path, lesson)


def test_whether_it_may_be_played_is_seen_anew_when_the_file_or_the_rubric_changes(
    lesson: Any, path: Path
) -> None:
    assert refusal_of(path, lesson) == ""
    other = dataclasses.replace(lesson, rubric_hash="0" * 64)
    assert "another version" in refusal_of(path, other)
    rewritten(path, lambda header, body: (header, body + b"\n"))
    os.utime(path, ns=(1, 1))
    assert "edited by hand" in refusal_of(path, lesson)


def test_a_page_plays_a_right_run_that_may_be_played(lesson: Any, tmp_path: Path) -> None:
    """Never a wrong way's; and when all are refused the first, so that whoever asks is told why."""
    mine = dataclasses.replace(lesson, path=tmp_path)
    folder = tmp_path / "recordings/namespace"
    folder.mkdir(parents=True)
    assert shown_recording(mine) is None
    (folder / "one-replica.jsonl.gz").write_bytes(encoded(lesson))
    assert shown_recording(mine) is None
    (folder / "solution.jsonl.gz").write_bytes(b"no gzip")
    assert shown_recording(mine) == folder / "solution.jsonl.gz"
    (folder / "replicaset.jsonl.gz").write_bytes(encoded(lesson))
    assert shown_recording(mine) == folder / "replicaset.jsonl.gz"

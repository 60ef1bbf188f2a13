"""Recordings of real runs: the same verdicts again, and a picture that any browser can follow."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import msgspec
import pytest

from lessons.loading import load_course
from sandbox.record.delta import apply, merge
from sandbox.record.entry import Entry
from sandbox.record.marking import work_out
from sandbox.record.picture import Picture

COURSES = Path(__file__).parents[3] / "lessons"
FOUND = sorted(COURSES.glob("*/*/recordings/*/*.jsonl.gz"))


def entries_of(path: Path) -> list[Entry]:
    """The first line is the label."""
    lines = gzip.decompress(path.read_bytes()).splitlines()[1:]
    return [msgspec.json.decode(line, type=Entry) for line in lines]


@pytest.mark.parametrize("path", FOUND, ids=[f"{p.parents[2].name}/{p.stem}" for p in FOUND])
def test_replay_gives_the_recorded_verdicts(path: Path) -> None:
    lesson = next(each for each in load_course(path.parents[3]).lessons if each.slug == path.parents[2].name)
    entries = entries_of(path)
    start = next(entry for entry in entries if entry.kind == "start")
    exercise = next(iter(lesson.exercises.values()))
    result = work_out(exercise, start.change["params"], entries)
    recorded = {entry.uid: entry.change["state"] for entry in entries if entry.kind == "verdict"}
    assert {each.check: each.state for each in result.verdicts} == recorded
    assert not result.provisional
    assert all(each.decided_by for each in result.verdicts if each.state == "pass")


@pytest.mark.parametrize("path", FOUND, ids=[f"{p.parents[2].name}/{p.stem}" for p in FOUND])
@pytest.mark.parametrize("step", [1, 7, 100])
def test_L2_holds_on_a_real_record(path: Path, step: int) -> None:
    picture = Picture()
    items = picture.snapshot()["items"]
    deltas = [delta for entry in entries_of(path) if (delta := picture.feed(entry)) is not None]
    for low in range(0, len(deltas), step):
        items = apply(items, merge(itertools.islice(deltas, low, low + step)))
    assert items == picture.items
    assert not [item for item in items.values() if item.get("kind") == "NetworkPolicy"]

"""What moves the hashes of a lesson, and what does not."""

from __future__ import annotations

import pytest

from lessons.hashing import content_hash, rubric_hash


@pytest.mark.parametrize(
    ("name", "content", "rubric"),
    [
        ("lesson.md", True, False),
        ("files/shop.yaml", True, False),
        ("exercise.yaml", True, True),
        ("start.yaml", True, True),
        ("solution.steps", True, True),
        ("wrong/one-replica.yaml", True, True),
        ("right/replicaset.yaml", True, False),
    ],
)
def test_which_file_moves_which_hash(bench, name, content, rubric):
    before = content_hash(bench.lesson_path), rubric_hash(bench.lesson_path)
    path = bench.lesson_path / name
    path.write_text(path.read_text() + "\n# more\n")
    after = content_hash(bench.lesson_path), rubric_hash(bench.lesson_path)
    assert (before[0] != after[0], before[1] != after[1]) == (content, rubric)


def test_recordings_and_editor_copies_do_not_count(bench):
    before = content_hash(bench.lesson_path)
    bench.write("recordings/namespace/solution.jsonl", "{}")
    bench.write(".lesson.md.swp", "x")
    bench.write("lesson.md~", "x")
    assert content_hash(bench.lesson_path) == before


def test_a_renamed_file_counts(bench):
    before = content_hash(bench.lesson_path)
    bench.file("right/replicaset.yaml").rename(bench.lesson_path / "right/other.yaml")
    assert content_hash(bench.lesson_path) != before

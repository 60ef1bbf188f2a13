"""`lint --watch`: the findings again after every save, named with the files that were saved, until Ctrl C."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from authoring import lint

COURSE = Path(__file__).resolve().parents[2] / "lessons/how-clusters-work"
SLUG = "14-self-healing"


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    shutil.copytree(COURSE, tmp_path / "course", ignore=shutil.ignore_patterns("recordings"))
    return tmp_path / "course" / SLUG


@pytest.fixture
def author(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Does one thing between two looks, then presses Ctrl C."""

    def works(*deeds: Callable[[], object]) -> None:
        left = list(deeds)

        def sleep(_seconds: float) -> None:
            if not left:
                raise KeyboardInterrupt
            left.pop(0)()

        monkeypatch.setattr(lint.time, "sleep", sleep)

    return works


def blocks(said: str) -> list[str]:
    """What was printed for each look."""
    return [each.strip() for each in said.split("\n\n") if each.strip()]


def test_a_save_is_linted_and_the_next_one_mends_it(
    lesson: Path, author: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    exercise = lesson / "exercise.yaml"
    good = exercise.read_text()
    author(
        lambda: exercise.write_text(good.replace("points: 3", "point: 3", 1)),
        lambda: None,
        lambda: exercise.write_text(good),
    )
    assert lint.watching(lesson, strict=False) == 0
    first, broken, mended = blocks(capsys.readouterr().out)
    assert first == "0 errors, 0 warnings"
    assert f"{SLUG}/exercise.yaml\n" in broken
    assert 'L003 unknown key "point"; did you mean "points"?' in broken
    assert mended.endswith("0 errors, 0 warnings")


def test_a_file_of_the_course_beside_it_counts_and_hidden_ones_do_not(
    lesson: Path, author: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    glossary = lesson.parent / "glossary.yaml"
    author(
        lambda: (lesson / ".exercise.yaml.swp").write_text("half"),
        lambda: (lesson / "exercise.yaml~").write_text("old"),
        lambda: glossary.write_text(glossary.read_text() + "\n# a note\n"),
    )
    lint.watching(lesson, strict=False)
    _first, second = blocks(capsys.readouterr().out)
    assert "glossary.yaml" in second


def test_half_a_lesson_stops_nobody_and_the_code_is_that_of_the_last_look(
    lesson: Path, author: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    author(
        lambda: (lesson / "exercise.yaml").write_bytes(b"\xff\xfe\x00"),
        lambda: (lesson / "lesson.md").unlink(),
    )
    assert lint.watching(lesson, strict=False) == 1
    _first, half, gone = blocks(capsys.readouterr().out)
    assert "L006" in half
    assert "L001 folder has no lesson.md" in gone

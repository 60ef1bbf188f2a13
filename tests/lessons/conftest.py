"""A copy of the real course to break: every test of the linter starts from a lesson without a problem."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from lessons.linting import lint
from lessons.loading import load_course, load_lesson
from lessons.models import Course, Lesson
from lessons.problems import LessonInvalid, Problem

COURSE = Path(__file__).resolve().parents[2] / "lessons" / "how-clusters-work"
SLUG = "14-self-healing"


@dataclass
class Workbench:
    """A course folder that tests may change."""

    path: Path

    @property
    def lesson_path(self) -> Path:
        return self.path / SLUG

    def file(self, name: str) -> Path:
        """A name with the course's own files first, else in the lesson."""
        return self.path / name if (self.path / name).exists() else self.lesson_path / name

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.file(name)
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1))

    def write(self, name: str, text: str) -> None:
        path = self.lesson_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def lint(self) -> list[Problem]:
        return lint(self.path)

    def load(self) -> Lesson:
        return load_lesson(self.lesson_path)

    def course(self) -> Course:
        return load_course(self.path)

    def problems(self) -> list[Problem]:
        with pytest.raises(LessonInvalid) as caught:
            self.load()
        return caught.value.problems

    def line_of(self, name: str, text: str) -> int:
        """Number of the first line with `text` in it."""
        lines = self.file(name).read_text().split("\n")
        return next(number for number, line in enumerate(lines, start=1) if text in line)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    path = tmp_path / "a-course"
    shutil.copytree(COURSE, path)
    return Workbench(path)


@pytest.fixture(scope="session")
def lesson() -> Lesson:
    return load_lesson(COURSE / SLUG)

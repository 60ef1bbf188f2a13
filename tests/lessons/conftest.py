"""A copy of the real course to break: every test of the linter starts from a lesson without a problem."""

from __future__ import annotations

import re
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
OPEN = re.compile(r"^    lessons: \[(.*)\]\n    coming:\n", re.MULTILINE)


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
    shutil.copytree(COURSE, path, ignore=lambda _folder, names: {one for one in names if is_other(one)})
    close_others(path)
    return Workbench(path)


def is_other(name: str) -> bool:
    """A lesson's folder, and not of the one that tests work on."""
    return name[:2].isdecimal() and name != SLUG


def close_others(course: Path) -> None:
    """Names the other lessons as coming, so that a test does not depend on how many are open by now."""
    text = (course / "course.yaml").read_text()
    (course / "course.yaml").write_text(OPEN.sub(_closed, text))
    mine = (course / SLUG / "lesson.md").read_text()
    concepts = (course / "concepts.yaml").read_text().split("\n")
    kept = [line for line in concepts if line[:1] in ("", "#") or line.partition(":")[0] in mine]
    (course / "concepts.yaml").write_text("\n".join(kept))


def _closed(found: re.Match[str]) -> str:
    slugs = [slug.strip() for slug in found[1].split(",") if slug.strip()]
    others = [
        f"      - {{slug: {slug}, title: Another lesson, minutes: 15}}\n" for slug in slugs if slug != SLUG
    ]
    return f"    lessons: [{SLUG if SLUG in slugs else ''}]\n    coming:\n" + "".join(others)


@pytest.fixture(scope="session")
def lesson() -> Lesson:
    return load_lesson(COURSE / SLUG)

"""The courses of the lessons folder, loaded once and again when a file changes.

A broken lesson never takes the course down: it is in `Course.broken` with the linter's messages.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

LOOK_AGAIN_SECONDS = 2.0
log = structlog.get_logger(__name__)


class NoSuchLesson(LookupError):
    """Neither an open lesson nor a broken one has that name."""


@dataclass
class Catalogue:
    """Thread-safe. `folder` holds one folder per course, each with a course.yaml."""

    folder: Path
    _courses: dict[str, Any] = field(default_factory=dict)
    _troubles: dict[str, list[Any]] = field(default_factory=dict)
    _stamp: tuple[int, int] = (0, 0)
    _looked: float = -LOOK_AGAIN_SECONDS
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def courses(self) -> dict[str, Any]:
        """Slug -> Course (`lessons.loading`), those that load."""
        self._refresh()
        return self._courses

    def troubles(self) -> dict[str, list[Any]]:
        """Slug -> problems, of courses whose course.yaml itself does not load."""
        self._refresh()
        return self._troubles

    def default_course(self) -> str:
        """The first course's slug, also when it does not load (people still sign in)."""
        known = [*self.courses(), *self._troubles]
        return known[0] if known else "how-clusters-work"

    def course(self, slug: str) -> Any:
        """Raises NoSuchLesson."""
        try:
            return self.courses()[slug]
        except KeyError:
            raise NoSuchLesson(slug) from None

    def lesson(self, course: str, slug: str) -> Any:
        """The Lesson. Raises NoSuchLesson, also for a broken one (see `problems`)."""
        for lesson in self.course(course).lessons:
            if lesson.slug == slug:
                return lesson
        raise NoSuchLesson(f"{course}/{slug}")

    def problems(self, course: str, slug: str) -> list[Any]:
        """The linter's messages of a broken lesson; empty for one that loads."""
        return list(getattr(self.course(course), "broken", {}).get(slug, []))

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_AGAIN_SECONDS:
            return
        with self._lock:
            if now - self._looked < LOOK_AGAIN_SECONDS:
                return
            stamp = _stamp(self.folder)
            if stamp != self._stamp:
                self._load()
                self._stamp = stamp
            self._looked = time.monotonic()

    def _load(self) -> None:
        from lessons.loading import LessonInvalid, load_course

        courses: dict[str, Any] = {}
        troubles: dict[str, list[Any]] = {}
        for path in _course_folders(self.folder):
            try:
                courses[path.name] = load_course(path)
            except LessonInvalid as invalid:
                troubles[path.name] = list(invalid.problems)
                log.warning("course does not load", course=path.name, problems=len(invalid.problems))
        self._courses, self._troubles = courses, troubles


def _course_folders(folder: Path) -> Iterator[Path]:
    yield from sorted(path.parent for path in folder.glob("*/course.yaml"))


def _stamp(folder: Path) -> tuple[int, int]:
    """Number of content files and their newest change; both move when a file is added, edited or removed."""
    times = [
        path.stat().st_mtime_ns for path in folder.glob("*/**/*") if path.suffix in (".md", ".yaml", ".steps")
    ]
    return len(times), max(times, default=0)


catalogue = Catalogue(settings.LESSONS_FOLDER)

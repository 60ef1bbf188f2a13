"""What the loader hands out: courses and lessons as plain, immutable values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from lessons.problems import Problem
from sandbox.record.exercise import Check, Exercise

Objects: TypeAlias = tuple[dict[str, Any], ...]
Verb: TypeAlias = Literal["apply", "delete", "patch", "run", "fault", "load", "predict", "answer", "wait"]


@dataclass(frozen=True, slots=True)
class Budget:
    """At rest. `memory` bytes, `cpu` cores. `exception`: why it may be above the course's ceiling."""

    pods: int = 4
    memory: int = 128 * 2**20
    cpu: float = 0.4
    exception: str = ""


@dataclass(frozen=True, slots=True)
class App:
    """An image of apps.yaml: `app/<name>:<version>`. `memory` bytes a copy may use."""

    name: str
    versions: tuple[str, ...]
    port: int
    memory: int
    does: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def images(self) -> tuple[str, ...]:
        return tuple(f"app/{self.name}:{version}" for version in self.versions)


@dataclass(frozen=True, slots=True)
class Step:
    """One `## ` heading and what follows. `line` is that of the heading in `file`."""

    id: str
    title: str
    gate: Literal["none", "soft", "hard"]
    needs: tuple[str, ...]
    concepts: tuple[str, ...]
    minutes: int | None
    file: str
    line: int
    words: int


@dataclass(frozen=True, slots=True)
class PageText:
    """Markdown of one file, front matter cut off. `first_line` is the line of the file it begins on."""

    file: str
    text: str
    first_line: int


@dataclass(frozen=True, slots=True)
class Act:
    """One step of a solution, in order.

    `what` by verb: apply a file name; delete and patch `Kind/name`; run an argv; fault and load an id;
    predict and answer `{id: value}`; wait a CEL predicate, at most `within` seconds.
    """

    verb: Verb
    what: Any
    within: float = 0.0
    change: Mapping[str, Any] = field(default_factory=dict)  # of patch: `with:`


@dataclass(frozen=True, slots=True)
class Way:
    """One way to do the exercise: the solution, another right one, or a wrong one with the `hint` it earns.

    `files`: file name -> objects, values may still hold `${params.x}`. `acts` never is empty.
    """

    name: str
    kind: Literal["solution", "right", "wrong"]
    acts: tuple[Act, ...]
    files: Mapping[str, Objects]
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of the text that the proof run tests."""

    check: Check
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Lesson:
    """`exercises` by id; the only one of a lesson has the id "main". `start`, `files` and `ways` are those of
    that one; `solution` is the objects of its first way, unsubstituted. `path` is the lesson's folder."""

    slug: str
    title: str
    minutes: int
    outcomes: tuple[str, ...]
    capabilities: tuple[str, ...]
    budget: Budget
    apps: tuple[str, ...]
    concepts: tuple[str, ...]
    scene: str
    steps: tuple[Step, ...]
    exercises: Mapping[str, Exercise]
    ways: Mapping[str, tuple[Way, ...]]
    claims: tuple[Claim, ...]
    pages: tuple[PageText, ...]
    glossary: Mapping[str, str]
    content_hash: str
    rubric_hash: str
    path: Path

    @property
    def exercise(self) -> Exercise | None:
        """The first one, or None in a reading-only lesson."""
        return next(iter(self.exercises.values()), None)

    @property
    def start(self) -> Objects:
        return self.exercise.objects if self.exercise else ()

    @property
    def files(self) -> Mapping[str, str]:
        return self.exercise.files if self.exercise else {}

    @property
    def solution(self) -> Objects:
        for way in self.ways.get(self.exercise.id, ()) if self.exercise else ():
            if way.kind == "solution":
                return tuple(item for objects in way.files.values() for item in objects)
        return ()


@dataclass(frozen=True, slots=True)
class Coming:
    """A lesson that is named on the course page and not open yet."""

    slug: str
    title: str
    minutes: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """`lessons` are slugs of open (or broken) lessons, in order. `order` mixes them with the coming ones."""

    title: str
    lessons: tuple[str, ...]
    coming: tuple[Coming, ...]

    @property
    def order(self) -> tuple[str, ...]:
        """Slugs of both, sorted: the number in front is the place in the course."""
        return tuple(sorted([*self.lessons, *(lesson.slug for lesson in self.coming)]))


@dataclass(frozen=True, slots=True)
class Course:
    """`lessons` are those that load, in the order of the parts; `broken` maps a slug to its problems."""

    slug: str
    title: str
    languages: tuple[str, ...]
    parts: tuple[Part, ...]
    gate: Literal["none", "soft", "hard"]
    feedback: Literal["live", "on-submit", "after-close"]
    ceiling: Budget
    apps: Mapping[str, App]
    glossary: Mapping[str, str]
    concepts: Mapping[str, str]
    path: Path
    lessons: tuple[Lesson, ...] = ()
    broken: Mapping[str, list[Problem]] = field(default_factory=dict)
    short_way: tuple[str, ...] = ()  # slugs, for somebody with little time; empty = no such way

    def number(self, slug: str) -> int:
        """The place in the whole course, from 1, open or not. Raises ValueError for an unknown slug."""
        return [each for part in self.parts for each in part.order].index(slug) + 1

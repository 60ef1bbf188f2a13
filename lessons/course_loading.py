"""course.yaml, apps.yaml, glossary.yaml and concepts.yaml: the frame that lessons hang in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from lessons.durations import parse_cpu, parse_memory
from lessons.models import App, Budget, Coming, Course, Part
from lessons.problems import LessonInvalid, Problem, with_suggestion
from lessons.reading import Section, shown
from lessons.text_files import read_text
from lessons.yaml_source import YamlSource, read_yaml

NEWEST_FORMAT = 1
GATES = ("none", "soft", "hard")
FEEDBACK = ("live", "on-submit", "after-close")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]*\Z")


def is_slug(text: str) -> bool:
    return bool(_SLUG.match(text))


def read_frame(path: Path) -> Course:
    """The course without its lessons. Raises LessonInvalid."""
    problems: list[Problem] = []
    section = Section(read_file(path / "course.yaml", "course.yaml"), (), problems)
    course = read_course(section, path)
    if any(problem.is_error for problem in problems):
        raise LessonInvalid(problems)
    return course


def read_course(section: Section, path: Path) -> Course:
    """course.yaml; `path` is where the files lie that it stands beside. Problems are noted in the section."""
    problems = section.problems
    check_format(section)
    defaults = section.section("defaults")
    parts = tuple(_part(each) for each in section.sections("parts"))
    course = Course(
        slug=path.name,
        title=section.required_text("title"),
        languages=section.texts("languages") or ("en",),
        parts=parts,
        gate=cast("Any", defaults.choice("gate", GATES, "soft") if defaults else "soft"),
        feedback=cast("Any", defaults.choice("feedback", FEEDBACK, "live") if defaults else "live"),
        ceiling=read_budget(section.section("budget"), Budget(pods=6, memory=300 * 2**20, cpu=0.6)),
        apps=_read_apps(path, problems),
        glossary=_read_words(path / "glossary.yaml", problems),
        concepts=_read_words(path / concepts, problems) if (concepts := section.text("concepts")) else {},
        path=path,
        short_way=_short_way(section, [slug for part in parts for slug in part.order]),
    )
    if defaults:
        defaults.text("language")
        defaults.finish()
    section.finish()
    return course


def read_file(path: Path, shown_as: str) -> YamlSource:
    return read_yaml(read_text(path, shown_as), shown_as)


def check_format(section: Section) -> None:
    """L005 when the file was written for a later version."""
    version = section.whole("format", NEWEST_FORMAT)
    if version > NEWEST_FORMAT:
        section.note("L005", f"format {version} needs a newer Glasshull", key="format")


def read_budget(section: Section | None, default: Budget) -> Budget:
    """Missing values are the default's."""
    if section is None:
        return default
    budget = Budget(
        pods=section.whole("pods", default.pods),
        memory=section.parsed("memory", parse_memory, default.memory),
        cpu=section.parsed("cpu", parse_cpu, default.cpu),
        exception=section.text("exception"),
    )
    section.finish()
    return budget


def _part(section: Section) -> Part:
    slugs = section.texts("lessons")
    for slug in slugs:
        if not is_slug(slug):
            section.note("L002", f'slug "{slug}": use lower-case letters, digits and dashes', key="lessons")
    raw = section.raw("coming")
    coming = [
        _coming(section, index, item) for index, item in enumerate(raw if isinstance(raw, list) else [])
    ]
    if raw is not None and not isinstance(raw, list):
        section.note("L004", f"coming: expected a list, found {shown(raw)}", key="coming")
    part = Part(section.required_text("title"), slugs, tuple(coming))
    section.finish()
    return part


def _short_way(section: Section, known: Sequence[str]) -> tuple[str, ...]:
    """`short_way:`, lessons of this course, open or coming, in its order."""
    slugs = section.texts("short_way")
    for slug in slugs:
        if slug not in known:
            section.note(
                "L020", with_suggestion(f'"{slug}" is no lesson of this course', slug, known), key="short_way"
            )
    places = [known.index(slug) for slug in slugs if slug in known]
    if any(a >= b for a, b in pairwise(places)):
        section.note("L004", "short_way: each lesson once, in the order of the course", key="short_way")
    return slugs


def _coming(section: Section, index: int, item: Any) -> Coming:
    if isinstance(item, str):
        return Coming(item, item.lstrip("0123456789-").replace("-", " ").capitalize(), None)
    inner = Section(section.source, (*section.path, "coming", index), section.problems)
    lesson = Coming(
        inner.required_text("slug"), inner.required_text("title"), inner.whole("minutes", 0) or None
    )
    inner.finish()
    return lesson


def _read_apps(path: Path, problems: list[Problem]) -> dict[str, App]:
    if not (path / "apps.yaml").exists():
        return {}
    try:
        section = Section(read_file(path / "apps.yaml", "apps.yaml"), (), problems)
    except LessonInvalid as invalid:
        problems.extend(invalid.problems)
        return {}
    return read_apps(section)


def read_apps(section: Section) -> dict[str, App]:
    check_format(section)
    apps = {name: _app(name, each) for name, each in section.named_sections("apps")}
    section.finish()
    return apps


def _app(name: str, section: Section) -> App:
    settings = section.section("settings")
    app = App(
        name=name,
        versions=section.texts("versions"),
        port=section.whole("port", 8080),
        memory=section.parsed("memory", parse_memory, 32 * 2**20),
        does=section.required_text("does"),
        settings={key: settings.text(key) for key in settings.values} if settings else {},
    )
    if not app.versions:
        section.note("L004", f'app "{name}": "versions" is missing')
    if not is_slug(name):
        section.note("L002", f'app "{name}": use lower-case letters, digits and dashes')
    section.finish()
    return app


def _read_words(path: Path, problems: list[Problem]) -> dict[str, str]:
    """word -> sentence; a value may be a map from language to sentence, then the first one counts."""
    try:
        section = Section(read_file(path, path.name), (), problems)
    except LessonInvalid as invalid:
        if not (path.name == "glossary.yaml" and not path.exists()):
            problems.extend(invalid.problems)
        return {}
    words: dict[str, str] = {}
    for word, value in section.values.items():
        if isinstance(value, dict):
            languages = Section(section.source, (word,), problems)
            words[word] = next((languages.text(key) for key in languages.values), "")
        else:
            words[word] = section.text(word)
    return words

"""Linter: the words of a lesson. L008, L009, L010 (unknown concepts), L018, L035, L036."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lessons.exercise_loading import LoadedExercise
from lessons.hashing import lesson_files
from lessons.loading import LessonDraft
from lessons.models import PageText
from lessons.problems import LessonInvalid, Problem, with_suggestion
from lessons.text_files import read_text

VERBS = frozenset(
    """apply build choose compare compute configure contrast decide deploy detect diagnose draw explain find fix
    identify install limit list locate measure name place predict prove read recognise reduce release remove
    repair rewire roll run say scale share show sort spot start stop tell trace use watch write""".split()  # noqa: SIM905
)
SHORTEST, LONGEST, MOST_WORDS = 5, 25, 250
LEAST_LINE = 16  # characters of a solution line that could give something away
_COLOUR = re.compile(
    r"\b(?:the|a|in|its)\s+(?:red|green|blue|yellow|orange|purple|magenta|grey|gray|amber)\b"
    r"|\b(?:on|to) the (?:left|right)\b|\b(?:left|right)[- ]hand\b",
    re.IGNORECASE,
)
_SECRETS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"), "a token"),
    (re.compile(r"\b(?:ghp|gho|ghs|glpat|xox[abp])[_-][A-Za-z0-9-]{16,}"), "a token"),
    (re.compile(r"\bAKIA[0-9A-Z]{16}\b"), "an access key"),
    (re.compile(r"\b[A-Za-z0-9+/]{60,}={0,2}(?![A-Za-z0-9+/])"), "a token"),
    (re.compile(r"(?i)\b(?:password|passwd|secret|api[_-]?key)\s*[:=]\s*['\"]?[^\s'\"${]{8,}"), "a password"),
)
_E_MAIL = re.compile(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b")
_TEXT_SUFFIXES = frozenset({".md", ".yaml", ".yml", ".steps", ".txt"})
_WORD_LINE = re.compile(r"[^\w./:=-]+")


def check_text(draft: LessonDraft) -> Iterator[Problem]:
    yield from _outcomes(draft)
    yield from _lengths(draft)
    yield from _concepts(draft)
    for page in draft.pages:
        yield from _cues(page.text)
    yield from _secrets(draft)
    for exercise_id, loaded in draft.loaded.items():
        yield from _given_away(draft, exercise_id, loaded)


def _front(draft: LessonDraft, key: str, code: str, message: str, help_: str = "") -> Iterator[Problem]:
    if draft.front:
        mark = draft.front.mark(key)
        yield Problem(draft.front.source.file, mark.line, mark.column, code, message, help_)


def _outcomes(draft: LessonDraft) -> Iterator[Problem]:
    for outcome in draft.lesson.outcomes if draft.lesson else ():
        words = outcome.split()
        if not words or words[0].lower() not in VERBS:
            message = f'"{outcome}" cannot be observed; try explain, predict, deploy …'
            yield from _front(draft, "outcomes", "L008", message)


def _lengths(draft: LessonDraft) -> Iterator[Problem]:
    if not draft.lesson:
        return
    if not SHORTEST <= draft.lesson.minutes <= LONGEST:
        message = f"minutes: {draft.lesson.minutes} is outside {SHORTEST} to {LONGEST}"
        yield from _front(draft, "minutes", "L009", message)
    for step in draft.lesson.steps:
        if step.words > MOST_WORDS:
            message = f'step "{step.id}" has {step.words} words'
            yield Problem(step.file, step.line, 1, "L009", message, f"at most {MOST_WORDS}: split it")


def _concepts(draft: LessonDraft) -> Iterator[Problem]:
    known = draft.course.concepts
    if not (draft.lesson and known):
        return
    for concept in draft.lesson.concepts:
        if concept not in known:
            message = with_suggestion(f'concept "{concept}" is not in concepts.yaml', concept, known)
            yield from _front(draft, "concepts", "L010", message)
    for step in draft.lesson.steps:
        for concept in step.concepts:
            if concept not in known:
                message = with_suggestion(f'concept "{concept}" is not in concepts.yaml', concept, known)
                yield Problem(step.file, step.line, 1, "L010", message)


def _cues(page: PageText) -> Iterator[Problem]:
    for number, line in enumerate(page.text.split("\n")):
        if match := _COLOUR.search(line):
            message = f'"{match[0]}" may be the only cue'
            place = (page.file, page.first_line + number, match.start() + 1)
            yield Problem(*place, "L018", message, "name the object too")


def _secrets(draft: LessonDraft) -> Iterator[Problem]:
    for name, path in lesson_files(draft.folder):
        if path.suffix not in _TEXT_SUFFIXES:
            continue
        shown = f"{draft.slug}/{name}"
        try:
            lines = read_text(path, shown).split("\n")
        except LessonInvalid as invalid:
            yield from invalid.problems
            continue
        for number, line in enumerate(lines, start=1):
            for pattern, what in _SECRETS:
                if match := pattern.search(line):
                    yield Problem(shown, number, match.start() + 1, "L036", f"looks like {what}")
            if match := _E_MAIL.search(line):
                yield Problem(shown, number, match.start() + 1, "L036", "looks like an e-mail address")


# --- the solution in the text --------------------------------------------------------------------------
def _given_away(draft: LessonDraft, exercise_id: str, loaded: LoadedExercise) -> Iterator[Problem]:
    """Lines of the solution that neither the student's files nor the start have, found in text or hints."""
    folder = draft.folder if exercise_id == "main" else draft.folder / "exercises" / exercise_id
    secret = dict(_telling_lines(draft, folder, "solution"))
    for text in (*loaded.exercise.files.values(), *_texts(draft, folder, "start")):
        for line in text.split("\n"):
            secret.pop(_folded(line), None)
    for page in draft.pages:
        for number, line in enumerate(page.text.text.split("\n")):
            if _folded(line) in secret:
                message = f"{secret[_folded(line)]} is quoted in the text"
                yield Problem(page.text.file, page.text.first_line + number, 1, "L035", message)
    for hint in loaded.exercise.hints:
        section = loaded.places.get(hint.id)
        for line in "\n".join((hint.say, *hint.ladder)).split("\n"):
            quoted = next((where for folded, where in secret.items() if folded in _folded(line)), None)
            if quoted and section:
                mark = section.mark("say")
                message = f'{quoted} is quoted in hint "{hint.id}"'
                yield Problem(section.source.file, mark.line, mark.column, "L035", message)


def _texts(draft: LessonDraft, folder: Path, stem: str) -> Iterator[str]:
    for path in [folder / f"{stem}.yaml", *sorted((folder / stem).glob("*.yaml"))]:
        if path.is_file():
            yield read_text(path, f"{draft.slug}/{path.name}")


def _telling_lines(draft: LessonDraft, folder: Path, stem: str) -> Iterator[tuple[str, str]]:
    for path in [folder / f"{stem}.yaml", *sorted((folder / stem).glob("*.yaml"))]:
        if path.is_file():
            for number, line in enumerate(read_text(path, path.name).split("\n"), start=1):
                if len(_folded(line)) >= LEAST_LINE:
                    yield _folded(line), f"line {number} of {path.name}"


def _folded(line: str) -> str:
    """Without blanks, brackets and list dashes, so that a line is found in another layout."""
    return _WORD_LINE.sub("", line.strip().removeprefix("- ").strip())

"""Linter: a translation carries only text. L019."""

from __future__ import annotations

from collections.abc import Iterator

from lessons.directives import Directive
from lessons.loading import LessonDraft
from lessons.page_loading import Page, parse_page, read_page
from lessons.problems import LessonInvalid, Problem

_TRANSLATED_ARGUMENTS = frozenset({"note", "warning", "misconception", "details", "tab", "term"})


def check_translations(draft: LessonDraft) -> Iterator[Problem]:
    originals = {page.text.file: page for page in draft.pages}
    for path in sorted([*draft.folder.glob("lesson.*.md"), *(draft.folder / "steps").glob("*.*.md")]):
        stem, _, language = path.stem.rpartition(".")
        shown = f"{draft.slug}/{path.relative_to(draft.folder).as_posix()}"
        original = originals.get(shown.removesuffix(f".{language}.md") + ".md")
        if original is None:
            yield Problem(shown, 1, 1, "L019", f"there is no {stem}.md to translate")
            continue
        try:
            problems: list[Problem] = []
            page = parse_page(read_page(path, shown), problems)
        except LessonInvalid as invalid:
            yield from invalid.problems
            continue
        yield from problems
        yield from _difference(page, original)


def _difference(page: Page, original: Page) -> Iterator[Problem]:
    """The first one; whatever follows would follow from it. Missing steps at the end are allowed."""
    ids = [step.id for step in original.steps]
    for index, step in enumerate(page.steps):
        twin = next((each for each in original.steps if each.id == step.id), None)
        if twin is None:
            message = f'step {index + 1} is "{step.id}", the original has {", ".join(ids)}'
            help_ = "give the step the id of its original with a step block"
            yield Problem(page.text.file, step.place.line, 1, "L019", message, help_)
            return
        for number, (mine, theirs) in enumerate(zip(step.directives, twin.directives, strict=False), start=1):
            if _outline(mine) != _outline(theirs):
                message = f'block {number} of step "{step.id}" is {_shown(mine)}, expected {_shown(theirs)}'
                yield Problem(page.text.file, mine.place.line, mine.place.column, "L019", message)
                return
        if len(step.directives) != len(twin.directives):
            message = (
                f'step "{step.id}" has {len(step.directives)} blocks, the original {len(twin.directives)}'
            )
            yield Problem(page.text.file, step.place.line, 1, "L019", message)
            return


def _outline(directive: Directive) -> tuple[str, str]:
    return directive.name, "" if directive.name in _TRANSLATED_ARGUMENTS else directive.argument


def _shown(directive: Directive) -> str:
    return f'"{directive.name} {directive.argument}"' if directive.argument else f'"{directive.name}"'

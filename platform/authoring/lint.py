"""`glasshull lesson lint PATH`: every mistake in a lesson or a course, with its place and a way out."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from authoring.watching import LOOK, changed, stamp_of
from lessons.linting import NotALesson, lint
from lessons.problems import Problem


def command(path: Path, *, as_data: bool, strict: bool) -> int:
    """Print the problems; 1 if there is an error (`strict`: or a warning), 2 if the path is no lesson."""
    if not path.exists():
        print(f"{path} does not exist", file=sys.stderr)
        return 2
    try:
        problems = lint(path)
    except NotALesson as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(report(problems), indent=2, ensure_ascii=False) if as_data else lines(problems))
    return int(any(problem.is_error or strict for problem in problems))


def watching(path: Path, *, strict: bool) -> int:
    """`command` now and after every save in the course, until Ctrl C; then what the last look found."""
    folder = _course_of(path)
    before = stamp_of(folder)
    code = command(path, as_data=False, strict=strict)
    try:
        while True:
            time.sleep(LOOK)
            now = stamp_of(folder)
            if saved := changed(before, now):
                before = now
                print(f"\n{time.strftime('%H:%M:%S')}  {', '.join(saved)}", flush=True)
                code = command(path, as_data=False, strict=strict)
    except KeyboardInterrupt:
        print()
    return code


def _course_of(path: Path) -> Path:
    """The folder whose files change what is found: the course, or the path itself where there is none."""
    resolved = path.resolve()
    folders = (resolved, *resolved.parents)
    return next((each for each in folders if (each / "course.yaml").is_file()), resolved)


def report(problems: list[Problem]) -> dict[str, Any]:
    """`{problems: [{code, severity, file, line, column, message, help}], errors, warnings}`."""
    errors = sum(problem.is_error for problem in problems)
    return {
        "problems": [
            {
                "code": problem.code,
                "severity": "error" if problem.is_error else "warning",
                "file": problem.file,
                "line": problem.line,
                "column": problem.column,
                "message": problem.message,
                "help": problem.way_out,
            }
            for problem in problems
        ],
        "errors": errors,
        "warnings": len(problems) - errors,
    }


def lines(problems: list[Problem]) -> str:
    """One line per problem, then the count."""
    counts = report(problems)
    total = f"{_plural(counts['errors'], 'error')}, {_plural(counts['warnings'], 'warning')}"
    if problems:
        codes = ", ".join(sorted({problem.code for problem in problems}))
        total += f" ({codes}; each is told by: glasshull lesson explain CODE)"
    return "\n".join([*(str(problem) for problem in problems), total])


def _plural(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"

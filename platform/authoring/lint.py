"""`glasshull lesson lint PATH`: every mistake in a lesson or a course, with its place and a way out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

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
                "help": problem.help,
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
